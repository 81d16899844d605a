import Pipeline
import Topics

/// How far producer, scorer and trainer have come, read from the topics.
struct Progress: Equatable {
  var events: UInt64 = 0
  var labels: UInt64 = 0
  var decisions: UInt64 = 0
  /// The scorer's position.
  var eventsScored: UInt64 = 0
  var blocks: UInt64 = 0
  /// The trainer's positions: blocks and labels that are learnt.
  var blocksLearnt: UInt64 = 0
  var labelsLearnt: UInt64 = 0
  var modelRecords: UInt64 = 0

  /// Whether everything that was produced is scored and learnt.
  var isThrough: Bool {
    eventsScored == events && blocksLearnt == blocks && labelsLearnt == labels
  }
}

/// Reads how far the services have come.
final class ProgressReader {
  private let log: EmbeddedLog
  private let topics = PipelineTopics(pipeline: HuntPipeline.name)
  private let events: any TopicReader
  private let labels: any TopicReader
  private let decisions: any TopicReader
  private let scored: any TopicReader
  private let models: any TopicReader
  /// Events in the blocks before each one that was read.
  private var eventsBefore: [Int] = [0]
  private var nextBlock: UInt64 = 0

  init(log: EmbeddedLog) throws {
    self.log = log
    events = try log.reader(PipelineTopics.events, of: PipelineTopics.producers)
    labels = try log.reader(PipelineTopics.labels, of: PipelineTopics.producers)
    decisions = try log.reader(PipelineTopics.decisions, of: topics.scorer)
    scored = try log.reader(PipelineTopics.scored, of: topics.scorer)
    models = try log.reader(PipelineTopics.models, of: topics.trainer)
  }

  func read() throws -> Progress {
    var progress = Progress()
    func position(_ partition: TopicPartition) throws -> UInt64 {
      try log.position(of: partition, group: PipelineTopics.trainerGroup, role: topics.trainer) ?? 0
    }
    // Followers first: who reads what another writes is never ahead of it then.
    progress.blocksLearnt = try position(PipelineTopics.scored)
    progress.labelsLearnt = try position(PipelineTopics.labels)
    progress.eventsScored =
      try log.position(
        of: PipelineTopics.events, group: PipelineTopics.scorerGroup, role: topics.scorer) ?? 0
    progress.decisions = try decisions.endOffset()
    progress.blocks = try scored.endOffset()
    progress.events = try events.endOffset()
    progress.labels = try labels.endOffset()
    progress.modelRecords = try models.endOffset()
    nextBlock = try scored.read(from: nextBlock, limit: .max) { record in
      eventsBefore.append(eventsBefore.last! + (try ScoredBlock(bytes: [UInt8](record.value))).rows)
      return true
    }
    return progress
  }

  /// The event a service has come to.
  func event(of service: Service, _ progress: Progress) -> Int {
    switch service {
    case .producer: Int(progress.events)
    case .scorer: Int(progress.decisions)
    case .trainer: eventsBefore[min(Int(progress.blocksLearnt), eventsBefore.count - 1)]
    }
  }
}
