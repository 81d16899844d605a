/// Steps over encoded records, checking every length against the bytes there are.
struct RecordCursor {
  private let bytes: UnsafeRawBufferPointer
  /// The byte position of the next record.
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer, position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  var isAtEnd: Bool { position == bytes.count }

  /// The next record, nil if what follows is not a whole one.
  @inline(__always)
  mutating func next() -> StoredRecord? {
    let remaining = bytes.count &- position
    guard remaining >= BatchFormat.recordHeaderSize, let start = bytes.baseAddress else {
      return nil
    }
    let record = start + position
    let keyLength = UInt32(littleEndian: record.loadUnaligned(as: UInt32.self))
    let valueLength = Int(
      UInt32(littleEndian: record.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
    let hasKey = keyLength != BatchFormat.noKey
    let keyCount = hasKey ? Int(keyLength) : 0
    // Two 32-bit lengths cannot overflow an Int.
    let size = BatchFormat.recordHeaderSize &+ keyCount &+ valueLength
    guard size <= remaining else { return nil }
    position &+= size
    let payload = record + BatchFormat.recordHeaderSize
    return StoredRecord(
      timestamp: Int64(littleEndian: record.loadUnaligned(fromByteOffset: 8, as: Int64.self)),
      key: hasKey ? UnsafeRawBufferPointer(start: payload, count: keyCount) : nil,
      value: UnsafeRawBufferPointer(start: payload + keyCount, count: valueLength))
  }
}

/// A record without its offset, which follows from its place.
struct StoredRecord {
  let timestamp: Int64
  let key: UnsafeRawBufferPointer?
  let value: UnsafeRawBufferPointer
}
