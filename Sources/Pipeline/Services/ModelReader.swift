import ModelLog
import Topics

/// Follows the updates of a pipeline on `models`.
public final class ModelReader {
  private let log: any TopicLog
  private let topics: PipelineTopics
  private let reader: any TopicReader
  private var records: ModelRecords

  /// A reader at the start of the topic.
  public init(log: any TopicLog, topics: PipelineTopics) throws {
    self.log = log
    self.topics = topics
    reader = try log.reader(PipelineTopics.models, of: topics.trainer)
    records = ModelRecords(reader, from: try reader.startOffset())
  }

  /// Where the next record is read.
  var position: UInt64 { records.position }

  /// Gives what came on the topic since the last call, in order.
  public func readNew(_ body: (ModelRecord) throws -> Void) throws {
    try records.read {
      try body($0)
      return true
    }
  }

  /// The newest sound version of each of the pipeline's models. Reading goes on behind them.
  ///
  /// The trainer's index says where they stand, so this takes as long as reading a snapshot and the
  /// deltas on it, however long the topic is. Without an index, the end of the topic is searched,
  /// within a bound. Where the newest snapshot of a model is damaged, the one before it counts.
  /// - Throws: `PipelineMismatch` with the difference if the newest snapshot was made by another
  ///   pipeline file.
  public func readNewest(of pipeline: Pipeline) throws -> [ServedModel] {
    try startAtNewest(of: pipeline).served
  }

  /// The same, with what was refused on the way.
  func startAtNewest(of pipeline: Pipeline) throws -> NewestParameters {
    let (candidates, records) = try candidates(of: pipeline)
    if let snapshot = candidates.lastSnapshot?.update,
      snapshot.header.fingerprint != pipeline.fingerprint
    {
      throw PipelineMismatch(
        pipeline: pipeline, found: snapshot.definition ?? "", where: "the parameters on 'models'")
    }
    self.records = records
    return NewestParameters(of: pipeline, from: candidates)
  }

  /// The newest sound version of each model as it stands on the topic now, and how far that has been
  /// read; following goes on where it was.
  func newest(of pipeline: Pipeline) throws -> (parameters: NewestParameters, end: UInt64) {
    let (candidates, records) = try candidates(of: pipeline)
    return (NewestParameters(of: pipeline, from: candidates), records.position)
  }

  // MARK: Finding updates

  /// The most records that are searched for snapshots without an index.
  private static let searched: UInt64 = 16_384

  /// Updates from which each model's newest version can be rebuilt, and a reader behind them.
  private func candidates(
    of pipeline: Pipeline
  ) throws -> (found: UpdateCandidates, records: ModelRecords) {
    let index = try UpdateIndex(log: log, topics: topics)
    let start = try reader.startOffset()
    guard let index, (start...(try end())).contains(index.start) else {
      return try search(pipeline)
    }
    var found = UpdateCandidates()
    for model in pipeline.models {
      guard let chains = index.models[model.name] else { continue }
      try read(chains.newest, into: &found)
      guard found.newest(of: model.name, pipeline: pipeline, refused: { _ in }) == nil else {
        continue
      }
      try read(chains.previous, into: &found)
    }
    var records = ModelRecords(reader, from: index.start)
    try records.read {
      found.add($0)
      return true
    }
    let isComplete = pipeline.models.allSatisfy { model in
      (index.models[model.name] == nil && index.begun <= start)
        || found.newest(of: model.name, pipeline: pipeline, refused: { _ in }) != nil
        // Made by another file: no search finds what fits.
        || found.lastSnapshot?.update.header.fingerprint != pipeline.fingerprint
    }
    return isComplete ? (found, records) : try search(pipeline)
  }

  /// The topic's end, or where the damage begins that it ends in.
  private func end() throws -> UInt64 {
    do throws(TopicError) { return try reader.endOffset() } catch {
      guard error.code == .corrupt, let offset = error.offset else { throw error }
      return offset
    }
  }

  /// Reads a snapshot and the deltas on it.
  private func read(_ chain: UpdateIndex.Chain, into found: inout UpdateCandidates) throws {
    for offset in chain where try offset >= reader.startOffset() {
      var records = ModelRecords(reader, from: offset)
      try records.read {
        found.add($0)
        return false
      }
    }
  }

  /// Searches the end of the topic, in ever larger windows, until a sound snapshot of each model is
  /// found. A model that has none within the bound is served from its next one.
  private func search(
    _ pipeline: Pipeline
  ) throws -> (found: UpdateCandidates, records: ModelRecords) {
    let start = try reader.startOffset()
    let end = try end()
    var window: UInt64 = 64
    while true {
      let from = end - min(window, end - start)
      var found = UpdateCandidates()
      var records = ModelRecords(reader, from: from)
      var isFirst = true
      try records.read { record in
        // Pieces of an update that begins before the window are no fault.
        if case .refused(let error) = record.content, error.code == .incomplete, isFirst,
          from > start
        {
          return true
        }
        isFirst = false
        found.add(record)
        return true
      }
      if from == start || window >= Self.searched
        || pipeline.models.allSatisfy({
          found.newest(of: $0.name, pipeline: pipeline, refused: { _ in }) != nil
        })
      {
        return (found, records)
      }
      window *= 4
    }
  }
}
