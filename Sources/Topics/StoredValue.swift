import CZlib

/// How the values of the databases `positions`, `state` and `meta` are stored: a CRC-32 (as in
/// gzip, little-endian) of the key's bytes and the value's, then the value's bytes. With the key in
/// it, a value that has come under another key is noticed as well.
enum StoredValue {
  static let checksumSize = 4
  /// The most bytes of a value, so that LMDB can keep its size.
  static let maximumSize = BatchFormat.maximumSize - checksumSize

  static func encode(key: String, value: [UInt8]) -> [UInt8] {
    value.withUnsafeBytes { value in
      [UInt8](unsafeUninitializedCapacity: checksumSize + value.count) { stored, count in
        let stored = UnsafeMutableRawBufferPointer(stored)
        stored.storeBytes(of: checksum(key, value).littleEndian, as: UInt32.self)
        UnsafeMutableRawBufferPointer(rebasing: stored[checksumSize...]).copyMemory(from: value)
        count = checksumSize + value.count
      }
    }
  }

  /// The value's bytes, inside of those stored.
  /// - Throws: `.corrupt`, naming the key.
  static func decode(_ stored: UnsafeRawBufferPointer, key: String) throws(TopicError)
    -> UnsafeRawBufferPointer
  {
    if stored.count >= checksumSize {
      let value = UnsafeRawBufferPointer(rebasing: stored[checksumSize...])
      if BatchFormat.load(UInt32.self, stored, 0) == checksum(key, value) { return value }
    }
    throw TopicError(
      .corrupt, "the value of '\(printable(key))' is damaged: its checksum does not match")
  }

  /// The parts of a position's key are separated by NUL.
  private static func printable(_ key: String) -> String {
    String(key.map { $0 == "\0" ? " " : $0 })
  }

  private static func checksum(_ key: String, _ value: UnsafeRawBufferPointer) -> UInt32 {
    var key = key
    let first = key.withUTF8 { crc32_z(0, $0.baseAddress, $0.count) }
    // crc32_z of no bytes at a null address is the start value, not the sum so far.
    guard let start = value.baseAddress, !value.isEmpty else {
      return UInt32(truncatingIfNeeded: first)
    }
    return UInt32(
      truncatingIfNeeded: crc32_z(first, start.assumingMemoryBound(to: UInt8.self), value.count))
  }
}
