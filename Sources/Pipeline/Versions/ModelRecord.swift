import ModelLog
import Topics

/// What stands at a place on `models`: an update whose pieces are all there, the statement that one
/// was withheld, or something that is neither.
public struct ModelRecord: Sendable {
  /// What it is.
  public enum Content: Sendable {
    /// One version of a model.
    case update(ParameterUpdate)
    /// A guard kept a version from being published.
    case withheld(WithheldUpdate)
    /// No update, or one that cannot be read.
    case refused(UpdateError)
  }

  /// Of the record that completes it; of the first record of a damaged batch.
  public let offset: UInt64
  /// What it is.
  public let content: Content

  /// The update; nil for a withheld one.
  /// - Throws: `UpdateError` where there is none.
  public func get() throws(UpdateError) -> ParameterUpdate? {
    switch content {
    case .update(let update): update
    case .withheld: nil
    case .refused(let error): throw error
    }
  }
}

/// Reads a `models` topic from an offset on: puts pieces together and steps over damage.
struct ModelRecords {
  private var stepping: SteppingReader
  private var assembler = UpdateAssembler()

  init(_ reader: any TopicReader, from position: UInt64) {
    stepping = SteppingReader(reader, from: position)
  }

  /// Where the next record is read.
  var position: UInt64 { stepping.position }

  /// Gives what stands on the topic since the last call, in order, until `body` returns false.
  mutating func read(_ body: (ModelRecord) throws -> Bool) throws {
    // A copy, which the closures below may change while `self` is being read.
    var assembler = self.assembler
    defer { self.assembler = assembler }
    try stepping.read(
      damage: { error in
        // Removed before they were read, or damaged.
        let code: UpdateError.Code = error.code == .offsetOutOfRange ? .gap : .damagedBatch
        _ = try body(
          ModelRecord(
            offset: error.offset ?? 0, content: .refused(UpdateError(code, "\(error)"))))
      }
    ) { record in
      func refused(_ error: UpdateError) -> ModelRecord {
        var error = error
        // Whose update it was to be, the record's key says at least.
        error.subject = error.subject ?? record.modelNamedByKey
        return ModelRecord(offset: record.offset, content: .refused(error))
      }
      do {
        let result = try assembler.take(record.value) { _ = try body(refused($0)) }
        switch result {
        case .incomplete: return true
        case .update(let update):
          return try body(ModelRecord(offset: record.offset, content: .update(update)))
        case .withheld(let withheld):
          return try body(ModelRecord(offset: record.offset, content: .withheld(withheld)))
        }
      } catch let error as UpdateError { return try body(refused(error)) }
    }
  }
}

extension RecordView {
  /// The model that the key of a record on `models` names: `pipeline/model`.
  fileprivate var modelNamedByKey: UpdateError.Subject? {
    guard let key, let text = String(validating: key, as: UTF8.self),
      let reference = ModelReference(text)
    else { return nil }
    return .init(pipeline: reference.pipeline, model: reference.model)
  }
}
