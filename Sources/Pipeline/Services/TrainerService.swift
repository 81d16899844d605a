import Features
import Logging
import ModelLog
import Topics

/// Follows `scored` and `labels`, learns, and publishes to `models`. Updates, the trainer's state
/// and its positions become visible in one transaction: after a restart it goes on exactly where
/// the last one stood, and no version is published twice.
public final class TrainerService {
  public private(set) var engine: TrainingEngine

  private let pipeline: Pipeline
  private let topics: PipelineTopics
  private let log: any TopicLog
  private let logger: Logger
  private let now: @Sendable () -> Int64
  private let writer: any TopicWriter
  private let scored: any TopicReader
  private let labels: any TopicReader
  private var labelDecoder = LabelDecoder()
  private var scoredPosition: UInt64
  private var labelPosition: UInt64
  private var deadLetters = RecordBatch()
  private var uncommitted = 0

  private static let group = "trainer"
  private static let historyKey = "history"
  /// Blocks and labels read at once.
  private static let blocksAtOnce = 16
  private static let labelsAtOnce = 4096
  /// Events and labels after which state and positions are saved, updates or not.
  private static let checkpointEvery = 100_000

  /// Opens the topics, takes over from an older trainer of the pipeline, and restores its state.
  /// - Parameter now: the time of day, ms since 1970.
  /// - Throws: `TopicError`, `StateError`, or `PipelineMismatch` if the state or the parameters on
  ///   `models` were made by another pipeline file; nothing is consumed then.
  public init(
    pipeline: Pipeline, log: any TopicLog, logger: Logger, now: @escaping @Sendable () -> Int64
  ) throws {
    topics = PipelineTopics(pipeline: pipeline.name)
    self.pipeline = pipeline
    self.log = log
    self.logger = logger
    self.now = now
    try ModelReader(log: log, topics: topics).checkDefinition(of: pipeline)
    let role = topics.trainer
    let load = { try log.state($0, role: role) }
    // Whether the state fits is found out before the epoch rises and fences a sound trainer.
    _ = try TrainingEngine(pipeline: pipeline, epoch: 0, load: load)
    writer = try log.writer(role, exclusive: true)
    scored = try log.reader(PipelineTopics.scored, of: topics.scorer)
    labels = try log.reader(PipelineTopics.labels, of: PipelineTopics.producers)
    let restored = try TrainingEngine(pipeline: pipeline, epoch: writer.epoch, load: load)
    engine = restored ?? TrainingEngine(pipeline: pipeline, epoch: writer.epoch)
    scoredPosition =
      try log.position(of: PipelineTopics.scored, group: Self.group, role: role)
      ?? scored.startOffset()
    labelPosition =
      try log.position(of: PipelineTopics.labels, group: Self.group, role: role)
      ?? labels.startOffset()
    logger.info(
      "trainer ready",
      metadata: [
        "pipeline": "\(pipeline.name)", "epoch": "\(writer.epoch)",
        "resumed": "\(restored != nil)", "scored": "\(scoredPosition)",
        "labels": "\(labelPosition)",
      ])
  }

  /// Learns until it is asked to stop or, if `untilEnd`, until nothing is left to read.
  /// - Parameter progress: called after each commit with the versions published in it.
  public func run(
    stop: StopSignal, untilEnd: Bool = false, progress: ([ParameterUpdate]) -> Void = { _ in }
  ) throws {
    while !stop.isRequested {
      let token = log.changeToken()
      let read = try readScored() + readLabels()
      uncommitted += read
      if engine.hasUpdates || uncommitted >= Self.checkpointEvery { progress(try commit(&engine)) }
      guard read == 0 else { continue }
      if untilEnd {
        engine.finish()
        break
      }
      // Idle: what was read since the last version is saved, so that a restart repeats nothing.
      if uncommitted > 0 { progress(try commit(&engine)) }
      _ = log.waitForChange(since: token, timeoutMilliseconds: 1000)
    }
    if uncommitted > 0 || engine.hasUpdates { progress(try commit(&engine)) }
  }

  private func readScored() throws -> Int {
    var blocks: [ScoredBlock] = []
    scoredPosition = try scored.read(from: scoredPosition, limit: Self.blocksAtOnce) { record in
      let block = try ScoredBlock(bytes: [UInt8](record.value))
      guard block.fingerprint == pipeline.fingerprint, block.features == pipeline.plan.count,
        block.versions.count == pipeline.models.count
      else {
        throw TopicError(
          .invalid, "scored by another pipeline file than '\(pipeline.name)' is now",
          partition: PipelineTopics.scored, offset: record.offset)
      }
      blocks.append(block)
      return true
    }
    var read = 0
    for block in blocks {
      engine.observe(block)
      read += block.rows
      // However far behind the trainer is: labels given by the time of a block come before the next
      // one, or their events would mature without them.
      if let time = block.latestTime { read += try readLabels(through: time) }
    }
    return read
  }

  /// Reads labels up to the first that was given after `time`; without a time, a batch of them.
  private func readLabels(through time: Int64? = nil) throws -> Int {
    var count = 0
    guard pipeline.labels != nil else { return 0 }
    var stoppedAt: UInt64?
    let limit = time == nil ? Self.labelsAtOnce : Int.max
    let next = try labels.read(from: labelPosition, limit: limit) { record in
      do throws(Rejection) {
        let label = try labelDecoder.decode(record.value, timestamp: record.timestamp)
        if let time, label.time > time {
          stoppedAt = record.offset
          return false
        }
        engine.label(id: label.eventID, label.label, time: label.time)
      } catch {
        DeadLetter.append(
          record, of: PipelineTopics.labels, kind: error.kind, reason: error.description,
          time: now(), to: &deadLetters)
      }
      count += 1
      return true
    }
    labelPosition = stoppedAt ?? next
    return count
  }

  /// Publishes and saves in one transaction; gives the published updates.
  private func commit(
    _ engine: inout TrainingEngine, history: HistoryProgress? = nil
  ) throws -> [ParameterUpdate] {
    let updates = engine.takeUpdates(
      time: now(),
      positions: [
        .init(topic: PipelineTopics.scored.topic, partition: 0, offset: scoredPosition),
        .init(topic: PipelineTopics.labels.topic, partition: 0, offset: labelPosition),
      ])
    var batch = RecordBatch()
    for update in updates {
      let key = Array("\(update.header.pipeline)/\(update.header.model)".utf8)
      for chunk in UpdateChunks.split(update) {
        batch.append(key: key, value: chunk, timestamp: update.header.time)
      }
    }
    let changes = engine.takeStateChanges()
    try writer.transact { transaction in
      try transaction.append(batch, to: PipelineTopics.models)
      try transaction.append(deadLetters, to: PipelineTopics.deadLetters)
      for (key, bytes) in changes {
        if let bytes {
          try transaction.put(state: bytes, for: key)
        } else {
          try transaction.removeState(key)
        }
      }
      try transaction.commit(
        position: scoredPosition, of: PipelineTopics.scored, group: Self.group)
      try transaction.commit(
        position: labelPosition, of: PipelineTopics.labels, group: Self.group)
      if let history { try transaction.put(state: history.bytes, for: Self.historyKey) }
    }
    deadLetters.removeAll()
    uncommitted = 0
    return updates
  }

  // MARK: History

  /// Learns a file of history through the same engine that scores and trains live, and publishes
  /// on the way. After a restart it goes on behind the last row that was committed; a history that
  /// was learnt to its end is not learnt again.
  public func warmUp(
    _ history: inout HistoryReader, stop: StopSignal,
    progress: (HistoryReader, [ParameterUpdate]) -> Void = { _, _ in }
  ) throws {
    let saved = try log.state(Self.historyKey, role: topics.trainer)
    let resumed = try saved.map(HistoryProgress.init(bytes:)) ?? HistoryProgress()
    guard !resumed.finished else {
      return logger.info("history was learnt before", metadata: ["rows": "\(resumed.rows)"])
    }
    var driver = HistoryDriver(pipeline: pipeline, resumingAt: resumed)
    let reader = try ModelReader(log: log, topics: topics)
    try reader.startAtNewestSnapshots(of: pipeline.models.map(\.name))
    try reader.readNew { if case .success(let update) = $0 { try driver.apply(update) } }
    try driver.run(&history, training: &engine, scored: { _, _, _ in }, labelled: { _ in }) {
      training, driver, history in
      guard training.hasUpdates || stop.isRequested else { return true }
      let updates = try commit(&training, history: driver.progress)
      for update in updates { try driver.apply(update) }
      progress(history, updates)
      return !stop.isRequested
    }
    guard driver.progress.finished else { return }
    engine.finish()
    progress(history, try commit(&engine, history: driver.progress))
  }
}
