/// One version of a model as a file of its own: a snapshot in a frame that shows damage.
///
///     "WEIRMODL"   8 bytes
///     format       UInt32, little-endian: 1
///     length       UInt64, little-endian: bytes of the update
///     checksum     BLAKE2b-256 of the bytes before it and of the update
///     update       a `ParameterUpdate` message (parameter_update.proto), a snapshot
public enum ModelFile {
  /// The newest format this program writes and reads.
  public static let format: UInt32 = 1
  /// The longest file that is read, bytes.
  public static let largestByteCount = headerSize + UpdateAssembler.largestByteCount

  private static let magic = Array("WEIRMODL".utf8)
  private static let checksumStart = 8 + 4 + 8
  private static let headerSize = checksumStart + 32

  /// The bytes of a file that holds `model`.
  public static func encode(_ model: ServedModel) -> [UInt8] {
    let update = model.snapshot.encode()
    var bytes = magic
    withUnsafeBytes(of: format.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt64(update.count).littleEndian) { bytes.append(contentsOf: $0) }
    return bytes + Digest(of: bytes + update).bytes + update
  }

  /// Reads the bytes of a file.
  /// - Throws: `UpdateError` for bytes that are no such file, are damaged or cut off, are of a newer
  ///   format, or hold parameters that do not pass the checks of ``ServedModel``.
  public static func decode(_ bytes: [UInt8]) throws(UpdateError) -> ServedModel {
    guard bytes.starts(with: magic) else {
      throw UpdateError(.corrupt, "not a model version exported by weir")
    }
    guard bytes.count >= headerSize else { throw UpdateError(.corrupt, "ends in its header") }
    let (found, length) = bytes.withUnsafeBytes {
      (
        UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self)),
        UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
      )
    }
    guard found <= format else {
      throw UpdateError(.newerFormat, "format \(found); this program reads up to \(format)")
    }
    let held = bytes.count - headerSize
    guard length == UInt64(held) else {
      throw UpdateError(.corrupt, "holds \(held) bytes of an update of \(length)")
    }
    let update = Array(bytes[headerSize...])
    let checksum = Digest(of: Array(bytes[..<checksumStart]) + update)
    guard checksum.bytes == Array(bytes[checksumStart..<headerSize]) else {
      throw UpdateError(.corrupt, "is damaged: its checksum does not match")
    }
    guard
      case .applied(let model) = try ServedModel.apply(
        try ParameterUpdate(bytes: update), to: nil, fingerprint: nil)
    else { throw UpdateError(.corrupt, "holds no version") }
    return model
  }
}

extension ServedModel {
  /// The version as an update that needs no base.
  public var snapshot: ParameterUpdate {
    var header = header
    header.base = nil
    return ParameterUpdate(
      header: header, definition: definition, features: features, digest: digest,
      partCount: encoded.parts.count,
      parts: encoded.parts.enumerated().map { ($0.offset, $0.element) })
  }
}
