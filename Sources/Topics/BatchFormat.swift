import CZlib

/// How a batch of records is stored: version 2. All numbers are little-endian; nothing is aligned.
///
/// | at | type   | field |
/// | -: | ------ | ----- |
/// |  0 | UInt32 | magic, the bytes `WBAT` |
/// |  4 | UInt32 | CRC-32 (as in gzip) of bytes 0 ..< 4 and 8 ..< end |
/// |  8 | UInt16 | format version, 2 |
/// | 10 | UInt16 | flags; a reader refuses a batch with one it does not know. Bit 0: a gap |
/// | 12 | UInt32 | number of records, at least 1; of a gap, the offsets it stands for |
/// | 16 | UInt64 | base offset: the first record's; the others follow without gaps |
/// | 24 | Int64  | base timestamp: the first record's, in milliseconds since 1970 |
/// | 32 | Int64  | running maximum: the greatest timestamp in this batch and all before it |
/// | 40 | UInt64 | bytes of the records that follow; 56 more is the size of the whole |
/// | 48 | UInt32 | partition tag: CRC-32 of the database's name, below, in UTF-8 |
/// | 52 | UInt32 | reserved, 0 |
/// | 56 |        | the records, one after the other; a gap has none |
///
/// A gap stands for records that were lost. Its base timestamp is the running maximum before it, as
/// its maximum is. Readers go on behind it.
///
/// Each record:
///
/// | at | type   | field |
/// | -: | ------ | ----- |
/// |  0 | UInt32 | key length, 0xFFFFFFFF for no key |
/// |  4 | UInt32 | value length |
/// |  8 | Int64  | timestamp, in milliseconds since 1970 |
/// | 16 |        | the key's bytes, then the value's |
///
/// On the embedded log a batch is one LMDB value, under its base offset as an integer key, in the
/// database `topic/<topic>/<partition>`. A change to any of this needs a new version here, and a
/// reader for the old one.
enum BatchFormat {
  static let magic: UInt32 = 0x5441_4257
  static let version: UInt16 = 2
  static let headerSize = 56
  static let recordHeaderSize = 16
  static let noKey = UInt32.max
  private static let gapFlag: UInt16 = 1
  /// LMDB keeps the size of a value in 32 bits.
  static let maximumSize = Int(UInt32.max)

  /// Fills `destination`, of exactly `headerSize + records.count` bytes.
  static func write(
    _ header: BatchHeader, tag: UInt32, records: UnsafeRawBufferPointer,
    to destination: UnsafeMutableRawBufferPointer
  ) {
    store(magic, destination, 0)
    store(version, destination, 8)
    store(header.isGap ? gapFlag : 0, destination, 10)
    store(UInt32(header.count), destination, 12)
    store(header.baseOffset, destination, 16)
    store(header.baseTimestamp, destination, 24)
    store(header.maximumTimestamp, destination, 32)
    store(UInt64(records.count), destination, 40)
    store(tag, destination, 48)
    store(UInt32(0), destination, 52)
    UnsafeMutableRawBufferPointer(rebasing: destination[headerSize...]).copyMemory(from: records)
    store(checksum(UnsafeRawBufferPointer(destination)), destination, 4)
  }

  /// A whole batch that stands for lost records.
  /// - Parameter maximumTimestamp: The running maximum before it.
  static func gap(count: Int, baseOffset: UInt64, maximumTimestamp: Int64, tag: UInt32) -> [UInt8] {
    let header = BatchHeader(
      count: count, baseOffset: baseOffset, baseTimestamp: maximumTimestamp,
      maximumTimestamp: maximumTimestamp, isGap: true)
    var batch = [UInt8](repeating: 0, count: headerSize)
    batch.withUnsafeMutableBytes {
      write(header, tag: tag, records: UnsafeRawBufferPointer(start: nil, count: 0), to: $0)
    }
    return batch
  }

  /// What tells a batch of one partition from a batch of another.
  static func tag(ofDatabase name: String) -> UInt32 {
    var name = name
    return name.withUTF8 { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
  }

  @inline(__always)
  static func writeRecord(
    key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer, timestamp: Int64,
    to destination: UnsafeMutableRawPointer
  ) {
    // A length over 32 bits cannot be right here, but then the batch is over its limit as well, and
    // is refused before it is stored.
    let keyLength = key.map { UInt32(truncatingIfNeeded: $0.count) } ?? noKey
    destination.storeBytes(of: keyLength.littleEndian, as: UInt32.self)
    destination.storeBytes(
      of: UInt32(truncatingIfNeeded: value.count).littleEndian, toByteOffset: 4, as: UInt32.self)
    destination.storeBytes(of: timestamp.littleEndian, toByteOffset: 8, as: Int64.self)
    var end = destination + recordHeaderSize
    if let key, let start = key.baseAddress {
      end.copyMemory(from: start, byteCount: key.count)
      end += key.count
    }
    if let start = value.baseAddress { end.copyMemory(from: start, byteCount: value.count) }
  }

  /// Reads the header of the batch stored under `offset` in the partition with that tag, and checks
  /// all of it that can be checked without the checksum.
  static func header(of batch: UnsafeRawBufferPointer, at offset: UInt64, tag: UInt32)
    throws(TopicError) -> BatchHeader
  {
    guard batch.count >= headerSize else {
      throw .corrupt("a batch of \(batch.count) bytes is shorter than its header", offset: offset)
    }
    guard load(UInt32.self, batch, 0) == magic else {
      throw .corrupt("the batch does not begin with its magic number", offset: offset)
    }
    let found = load(UInt16.self, batch, 8)
    let flags = load(UInt16.self, batch, 10)
    let reserved = load(UInt32.self, batch, 52)
    guard found == version, flags & ~gapFlag == 0, reserved == 0 else {
      // Only an intact batch is evidence of a newer writer; otherwise these bytes are the damage.
      try verifyChecksum(of: batch, at: offset)
      throw TopicError(
        .formatMismatch,
        "the batch has format version \(found) with flags \(flags) and \(reserved), known is "
          + "\(version) with 0 or 1 and 0", offset: offset)
    }
    guard load(UInt32.self, batch, 48) == tag else {
      try verifyChecksum(of: batch, at: offset)
      throw .corrupt("the batch belongs to another partition", offset: offset)
    }
    let header = BatchHeader(
      count: Int(load(UInt32.self, batch, 12)), baseOffset: load(UInt64.self, batch, 16),
      baseTimestamp: load(Int64.self, batch, 24), maximumTimestamp: load(Int64.self, batch, 32),
      isGap: flags & gapFlag != 0)
    guard header.baseOffset == offset else {
      throw .corrupt("the batch names \(header.baseOffset) as its first offset", offset: offset)
    }
    guard load(UInt64.self, batch, 40) == UInt64(batch.count - headerSize) else {
      throw .corrupt(
        "the batch names \(load(UInt64.self, batch, 40)) bytes of records and has "
          + "\(batch.count - headerSize)", offset: offset)
    }
    let most = (batch.count - headerSize) / recordHeaderSize
    guard header.count > 0, header.isGap ? most == 0 : header.count <= most,
      !offset.addingReportingOverflow(UInt64(header.count)).overflow
    else {
      throw .corrupt("the batch names \(header.count) records", offset: offset)
    }
    return header
  }

  /// Reads the header as `header(of:at:tag:)` does, then verifies the checksum and every length.
  static func verifiedHeader(of batch: UnsafeRawBufferPointer, at offset: UInt64, tag: UInt32)
    throws(TopicError) -> BatchHeader
  {
    let header = try header(of: batch, at: offset, tag: tag)
    try verifyChecksum(of: batch, at: offset)
    // The checksum only proves that the bytes are those written, not that they were right.
    var records = RecordCursor(records(of: batch))
    if header.isGap, records.isAtEnd { return header }
    for index in 0..<header.count where records.next() == nil {
      throw .corrupt(
        "record \(index) of \(header.count) runs over the end of its batch", offset: offset)
    }
    guard records.isAtEnd else {
      throw .corrupt("bytes follow the last of \(header.count) records", offset: offset)
    }
    return header
  }

  static func records(of batch: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: batch[headerSize...])
  }

  private static func verifyChecksum(of batch: UnsafeRawBufferPointer, at offset: UInt64)
    throws(TopicError)
  {
    guard load(UInt32.self, batch, 4) == checksum(batch) else {
      throw .corrupt("the batch's checksum does not match", offset: offset)
    }
  }

  private static func checksum(_ batch: UnsafeRawBufferPointer) -> UInt32 {
    let start = batch.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let magic = crc32_z(0, start, 4)
    return UInt32(truncatingIfNeeded: crc32_z(magic, start + 8, batch.count - 8))
  }

  private static func store<T: FixedWidthInteger>(
    _ value: T, _ buffer: UnsafeMutableRawBufferPointer, _ position: Int
  ) {
    buffer.storeBytes(of: value.littleEndian, toByteOffset: position, as: T.self)
  }

  @inline(__always)
  static func load<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ buffer: UnsafeRawBufferPointer, _ position: Int
  ) -> T {
    T(littleEndian: buffer.loadUnaligned(fromByteOffset: position, as: T.self))
  }
}

/// The variable fields of a batch's header.
struct BatchHeader {
  var count: Int
  var baseOffset: UInt64
  var baseTimestamp: Int64
  var maximumTimestamp: Int64
  /// Whether it stands for records that were lost.
  var isGap = false

  var endOffset: UInt64 { baseOffset + UInt64(count) }
}
