import ModelLog
import Topics

/// Follows the updates of a pipeline on `models`.
public final class ModelReader {
  private let reader: any TopicReader
  private var assembler = UpdateAssembler()
  private var position: UInt64
  /// Models whose newest snapshot is still to come: what was published before it has no base here.
  private var awaitingSnapshot: Set<String> = []

  /// A reader at the start of the topic.
  public init(log: any TopicLog, topics: PipelineTopics) throws {
    reader = try log.reader(PipelineTopics.models, of: topics.trainer)
    position = try reader.startOffset()
  }

  /// Gives every update since the last call, in order, or why a record is none.
  public func readNew(_ body: (Result<ParameterUpdate, UpdateError>) throws -> Void) throws {
    position = try reader.read(from: position, limit: .max) { record in
      do {
        guard let update = try assembler.take(record.value) else { return true }
        if update.header.isSnapshot {
          awaitingSnapshot.remove(update.header.model)
        } else if awaitingSnapshot.contains(update.header.model) {
          return true
        }
        try body(.success(update))
      } catch let error as UpdateError {
        try body(.failure(error))
      }
      return true
    }
  }

  /// Moves to where reading on gives every model's newest snapshot and what follows it. Snapshots
  /// come every so many updates, so this looks at the end of the topic only, however long it is.
  public func startAtNewestSnapshots(of models: [String]) throws {
    let start = try reader.startOffset()
    let end = try reader.endOffset()
    var window: UInt64 = 64
    while true {
      let from = end - min(window, end - start)
      var found: Set<String> = []
      var assembler = UpdateAssembler()
      _ = try reader.read(from: from, limit: .max) { record in
        // Pieces whose first lies before the window are no update here; a wider window has them.
        if let update = try? assembler.take(record.value), update.header.isSnapshot {
          found.insert(update.header.model)
        }
        return true
      }
      if from == start || found.isSuperset(of: models) {
        position = from
        awaitingSnapshot = found
        self.assembler = UpdateAssembler()
        try skipToSnapshots()
        return
      }
      window *= 4
    }
  }

  /// Passes over pieces of an update that began before the position.
  private func skipToSnapshots() throws {
    var assembler = UpdateAssembler()
    var first: UInt64?
    _ = try reader.read(from: position, limit: .max) { record in
      do {
        _ = try assembler.take(record.value)
        first = record.offset
        return false
      } catch is UpdateError { return true }
    }
    if let first { position = first }
  }

  /// Checks that the newest snapshot on the topic was made by `pipeline`'s file.
  /// - Throws: `PipelineMismatch` with the difference.
  public func checkDefinition(of pipeline: Pipeline) throws {
    let end = try reader.endOffset()
    let start = try reader.startOffset()
    var newest: ParameterUpdate?
    var window: UInt64 = 64
    repeat {
      var assembler = UpdateAssembler()
      let from = end - min(window, end - start)
      _ = try reader.read(from: from, limit: .max) { record in
        if let update = try? assembler.take(record.value), update.header.isSnapshot {
          newest = update
        }
        return true
      }
      if from == start { break }
      window *= 4
    } while newest == nil
    guard let newest, newest.header.fingerprint != pipeline.fingerprint else { return }
    throw PipelineMismatch(
      pipeline: pipeline, found: newest.definition ?? "", where: "the parameters on 'models'")
  }
}
