/// Collects records to be appended as one batch to one partition. Reusable: it keeps its storage on
/// ``removeAll()``. A value: a copy is independent.
///
/// The records lie in it as they will in the log (see `BatchFormat`), so that appending is one copy.
public struct RecordBatch: Sendable {
  private var storage = RecordStorage()

  /// The number of records.
  public private(set) var count = 0

  /// The greatest timestamp in the batch; meaningless while it is empty.
  private(set) var maximumTimestamp = Int64.min

  /// Makes an empty batch.
  public init() {}

  /// Whether there is no record.
  public var isEmpty: Bool { count == 0 }

  /// The bytes the records take in the log, with 16 bytes for each record's lengths and timestamp,
  /// without the batch's header.
  public var byteCount: Int { storage.count }

  /// Adds a record; the bytes are copied. A batch that grows past 4 GiB or 2³² − 1 records is
  /// refused when it is appended to a partition.
  /// - Parameter timestamp: Milliseconds since 1970.
  public mutating func append(
    key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer, timestamp: Int64
  ) {
    if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
    storage.append(key: key, value: value, timestamp: timestamp)
    count += 1
    maximumTimestamp = max(maximumTimestamp, timestamp)
  }

  /// Adds a record; the bytes are copied.
  /// - Parameter timestamp: Milliseconds since 1970.
  public mutating func append(key: [UInt8]?, value: [UInt8], timestamp: Int64) {
    value.withUnsafeBytes { value in
      if let key {
        key.withUnsafeBytes { append(key: $0, value: value, timestamp: timestamp) }
      } else {
        append(key: nil, value: value, timestamp: timestamp)
      }
    }
  }

  /// Removes all records and keeps the storage.
  public mutating func removeAll() {
    if isKnownUniquelyReferenced(&storage) {
      storage.removeAll()
    } else {
      storage = RecordStorage(capacity: storage.capacity)
    }
    count = 0
    maximumTimestamp = .min
  }

  func withRecords<T, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> T
  ) throws(Failure) -> T {
    try storage.withBytes(body)
  }

  /// A copy without spare capacity, for keeping.
  func compacted() -> RecordBatch {
    var copy = self
    copy.storage = storage.copy(capacity: storage.count)
    return copy
  }
}
