/// Reads a partition of a log in memory.
final class MemoryReader: TopicReader {
  let partition: TopicPartition
  private let store: MemoryRole
  private var isReading = false

  init(_ partition: TopicPartition, _ store: MemoryRole) {
    self.partition = partition
    self.store = store
  }

  func startOffset() throws(TopicError) -> UInt64 {
    try checkNotReading()
    return store.start(of: partition)
  }

  func endOffset() throws(TopicError) -> UInt64 {
    try checkNotReading()
    return store.end(of: partition).offset
  }

  func batch(atOrAfter offset: UInt64) throws(TopicError) -> UInt64? {
    try checkNotReading()
    return store.batch(from: offset, of: partition)?.baseOffset
  }

  func read(from offset: UInt64, limit: Int, _ body: (RecordView) throws -> Bool) throws -> UInt64 {
    try checkNotReading()
    guard limit > 0 else { return offset }
    isReading = true
    defer { isReading = false }
    let start = store.start(of: partition)
    let end = store.end(of: partition).offset
    guard offset >= start, offset <= end else {
      throw TopicError.outOfRange(offset, start: start, end: end).at(partition: partition)
    }
    var next = offset
    var given = 0
    // What is trimmed meanwhile ends the read; the next one says so.
    while next < end, let batch = store.batch(holding: next, of: partition),
      batch.baseOffset <= next
    {
      let goesOn = try batch.records.withRecords { bytes in
        var records = RecordCursor(bytes)
        for offset in batch.baseOffset..<batch.endOffset {
          guard let record = records.next() else { break }
          guard offset >= next else { continue }
          next = offset + 1
          given += 1
          guard try body(RecordView(offset: offset, record: record)), given < limit else {
            return false
          }
        }
        return true
      }
      if !goesOn { break }
    }
    return next
  }

  func offset(atOrAfter time: Int64) throws(TopicError) -> UInt64? {
    try checkNotReading()
    // The record is in the first batch that reaches the time; or in a later one, if it was trimmed.
    var next = store.batch(reaching: time, of: partition)
    while let batch = next {
      let found: UInt64? = batch.records.withRecords { bytes in
        var records = RecordCursor(bytes)
        var offset = batch.baseOffset
        while let record = records.next() {
          if record.timestamp >= time { return offset }
          offset += 1
        }
        return nil
      }
      if let found { return found }
      next = store.batch(from: batch.endOffset, of: partition)
    }
    return nil
  }

  private func checkNotReading() throws(TopicError) {
    guard !isReading else {
      throw TopicError(
        .invalid, "a reader was called from within its own read", partition: partition)
    }
  }
}
