import Glibc

/// A growing buffer of encoded records. An array would do, but costs a capacity check and a
/// uniqueness check for each of a record's five fields.
///
/// `@unchecked Sendable`: it is private to `RecordBatch` and `MemoryLog`, which mutate it only
/// through a reference just shown to be the only one; a shared one is therefore immutable, as the
/// buffer of an array is.
final class RecordStorage: @unchecked Sendable {
  private var bytes: UnsafeMutableRawPointer
  private(set) var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 0) {
    self.capacity = max(capacity, 256)
    bytes = .allocate(byteCount: self.capacity, alignment: 8)
  }

  deinit { bytes.deallocate() }

  func copy(capacity: Int? = nil) -> RecordStorage {
    let copy = RecordStorage(capacity: capacity ?? self.capacity)
    copy.bytes.copyMemory(from: bytes, byteCount: count)
    copy.count = count
    return copy
  }

  func removeAll() { count = 0 }

  func append(key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer, timestamp: Int64) {
    let size = BatchFormat.recordHeaderSize + (key?.count ?? 0) + value.count
    // The source may be this very buffer's old memory only if a view had escaped, which the API
    // forbids, so growing first is safe.
    if capacity - count < size { grow(to: count + size) }
    BatchFormat.writeRecord(key: key, value: value, timestamp: timestamp, to: bytes + count)
    count += size
  }

  func withBytes<T, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> T
  ) throws(Failure) -> T {
    try body(UnsafeRawBufferPointer(start: bytes, count: count))
  }

  private func grow(to needed: Int) {
    let capacity = max(needed, self.capacity * 2)
    let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
    grown.copyMemory(from: bytes, byteCount: count)
    bytes.deallocate()
    bytes = grown
    self.capacity = capacity
  }
}
