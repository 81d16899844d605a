import SwiftProtobuf

/// Turns updates and statements of withheld ones into records.
public enum UpdateChunks {
  /// The largest body of a record, bytes: below the usual limit of a megabyte a record.
  public static let largestBody = 900_000

  /// The records of an update, in order; all are appended in one batch.
  public static func split(_ update: ParameterUpdate, largestBody: Int = largestBody) -> [[UInt8]] {
    let bytes = update.encode()
    let count = max(1, (bytes.count + largestBody - 1) / largestBody)
    let checksum = blake2b(bytes, count: 16)
    return (0..<count).map { index in
      var chunk = Weir_V1_UpdateChunk()
      chunk.pipeline = update.header.pipeline
      chunk.model = update.header.model
      chunk.epoch = update.header.epoch
      chunk.version = update.header.version
      chunk.index = UInt32(index)
      chunk.count = UInt32(count)
      chunk.checksum = .init(checksum)
      chunk.body = .init(bytes[index * largestBody..<min(bytes.count, (index + 1) * largestBody)])
      // No required fields, the only thing that could fail.
      return try! chunk.serializedBytes()
    }
  }

  /// The record of a withheld update.
  public static func record(of withheld: WithheldUpdate) -> [UInt8] {
    var chunk = Weir_V1_UpdateChunk()
    chunk.pipeline = withheld.pipeline
    chunk.model = withheld.model
    chunk.epoch = withheld.epoch
    chunk.withheld = withheld.message
    // No required fields, the only thing that could fail.
    return try! chunk.serializedBytes()
  }
}

/// Puts the chunks of updates together as they come off the topic.
public struct UpdateAssembler {
  /// What a record led to.
  public enum Result: Sendable {
    /// It is a piece of an update whose other pieces are to come.
    case incomplete
    /// It completes an update.
    case update(ParameterUpdate)
    /// It says that an update was withheld.
    case withheld(WithheldUpdate)

    /// The update that is complete now, if one is.
    public var update: ParameterUpdate? {
      if case .update(let update) = self { update } else { nil }
    }
  }

  private struct Pending {
    var epoch: UInt64
    var version: UInt64
    var count: UInt32
    var checksum: [UInt8]
    var bodies: [[UInt8]]
  }

  /// The update that is half here, by pipeline and model.
  private var pending: [String: Pending] = [:]

  /// An assembler that holds no piece yet. It may start anywhere on the topic.
  public init() {}

  /// Takes the next record; gives an update once all its chunks are there. A withheld update's
  /// record may stand anywhere, also between them.
  /// - Throws: `UpdateError` for a record that is not a chunk, does not continue the update before
  ///   it, or completes one that does not match its checksum. The assembler goes on with the next.
  public mutating func take(_ record: UnsafeRawBufferPointer) throws -> Result {
    let chunk: Weir_V1_UpdateChunk
    do { chunk = try Weir_V1_UpdateChunk(serializedBytes: [UInt8](record)) } catch {
      throw UpdateError(.corrupt, "not a piece of an update")
    }
    let key = "\(chunk.pipeline)/\(chunk.model)"
    if chunk.hasWithheld {
      guard chunk.count == 0, chunk.body.isEmpty else {
        throw UpdateError(.corrupt, "\(key)@\(chunk.version): a piece and a withheld update")
      }
      return .withheld(try WithheldUpdate(chunk.withheld))
    }
    guard chunk.count > 0, chunk.index < chunk.count else {
      pending[key] = nil
      throw UpdateError(.corrupt, "\(key)@\(chunk.version): piece \(chunk.index) of \(chunk.count)")
    }
    var update: Pending
    if chunk.index == 0 {
      update = Pending(
        epoch: chunk.epoch, version: chunk.version, count: chunk.count,
        checksum: [UInt8](chunk.checksum), bodies: [])
    } else {
      guard let begun = pending.removeValue(forKey: key), begun.epoch == chunk.epoch,
        begun.version == chunk.version, begun.count == chunk.count,
        begun.checksum == [UInt8](chunk.checksum), begun.bodies.count == chunk.index
      else {
        throw UpdateError(
          .corrupt, "\(key)@\(chunk.version): piece \(chunk.index) without the ones before it")
      }
      update = begun
    }
    update.bodies.append([UInt8](chunk.body))
    guard update.bodies.count == update.count else {
      pending[key] = update
      return .incomplete
    }
    pending[key] = nil
    let bytes = update.bodies.count == 1 ? update.bodies[0] : Array(update.bodies.joined())
    guard blake2b(bytes, count: 16) == update.checksum else {
      throw UpdateError(.corrupt, "\(key)@\(chunk.version): does not match its checksum")
    }
    return .update(try ParameterUpdate(bytes: bytes))
  }
}
