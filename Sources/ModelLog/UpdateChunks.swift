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
