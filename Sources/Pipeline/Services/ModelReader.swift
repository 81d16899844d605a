import ModelLog
import Topics

/// Follows the updates of a pipeline on `models`.
public final class ModelReader {
  private let reader: any TopicReader
  private var assembler = UpdateAssembler()
  private var position: UInt64

  /// A reader at the start of the topic.
  public init(log: any TopicLog, topics: PipelineTopics) throws {
    reader = try log.reader(PipelineTopics.models, of: topics.trainer)
    position = try reader.startOffset()
  }

  /// Gives every update since the last call, in order, or why a record is none.
  public func readNew(_ body: (Result<ParameterUpdate, UpdateError>) throws -> Void) throws {
    position = try reader.read(from: position, limit: .max) { record in
      do {
        if let update = try assembler.take(record.value).update { try body(.success(update)) }
      } catch let error as UpdateError {
        try body(.failure(error))
      }
      return true
    }
  }

  /// What a reader needs to serve the newest version of each of the pipeline's models: its newest
  /// snapshot and the deltas after it, in order. Reading goes on behind them.
  ///
  /// Snapshots come every so many updates, so this looks at the end of the topic only, however
  /// long it is.
  /// - Throws: `PipelineMismatch` with the difference if the newest snapshot was made by another
  ///   pipeline file.
  public func readNewest(of pipeline: Pipeline) throws -> [ParameterUpdate] {
    let start = try reader.startOffset()
    let end = try reader.endOffset()
    var window: UInt64 = 64
    while true {
      let from = end - min(window, end - start)
      let found = try newest(from: from, to: end)
      if from == start || pipeline.models.allSatisfy({ found.updates[$0.name] != nil }) {
        if let snapshot = found.lastSnapshot, snapshot.header.fingerprint != pipeline.fingerprint {
          throw PipelineMismatch(
            pipeline: pipeline, found: snapshot.definition ?? "",
            where: "the parameters on 'models'")
        }
        position = end
        assembler = found.assembler
        return pipeline.models.flatMap { found.updates[$0.name] ?? [] }
      }
      window *= 4
    }
  }

  /// By model, the newest snapshot within the offsets and the deltas after it.
  private func newest(from: UInt64, to end: UInt64) throws -> (
    updates: [String: [ParameterUpdate]], lastSnapshot: ParameterUpdate?,
    assembler: UpdateAssembler
  ) {
    var updates: [String: [ParameterUpdate]] = [:]
    var lastSnapshot: ParameterUpdate?
    var assembler = UpdateAssembler()
    var left = end - from
    guard left > 0 else { return (updates, lastSnapshot, assembler) }
    _ = try reader.read(from: from, limit: Int(left)) { record in
      left -= 1
      // Pieces of an update that begins before the window are no update here; records that are
      // damaged are reported where they are followed, not here.
      guard let update = try? assembler.take(record.value).update else { return left > 0 }
      if update.header.isSnapshot {
        updates[update.header.model] = [update]
        lastSnapshot = update
      } else {
        updates[update.header.model]?.append(update)
      }
      return left > 0
    }
    return (updates, lastSnapshot, assembler)
  }
}
