/// Reads a partition out of the role's map. A snapshot is taken at the start of each call and given
/// back at its end.
final class EmbeddedReader: TopicReader {
  let partition: TopicPartition

  private let log: EmbeddedLog
  private let role: WriterRole
  private let tag: UInt32
  /// Present once the partition has been found to exist.
  private var opened: Opened?
  private var isReading = false
  /// The base offsets of the batches verified last. Batches never change, so following a log in
  /// small steps need not verify the same one at each step. The last of the partition is kept apart
  /// because asking for the end looks at it between reads.
  private var verifiedBatch: UInt64?
  private var verifiedLastBatch: UInt64?
  private var resumption: Resumption?

  private struct Opened {
    let lease: LMDBLease
    let database: LMDBDatabase
    let transaction: LMDBTransaction
    let cursor: LMDBCursor
  }

  /// Where in a batch the last read has stopped, so that the next need not step over all before it.
  private struct Resumption {
    let offset: UInt64
    let batch: UInt64
    let position: Int
  }

  init(_ log: EmbeddedLog, _ partition: TopicPartition, _ role: WriterRole) {
    self.log = log
    self.partition = partition
    self.role = role
    tag = BatchFormat.tag(ofDatabase: RoleStore.databaseName(partition))
  }

  deinit {
    if let opened {
      opened.cursor.close()
      opened.transaction.discard()
    }
  }

  func startOffset() throws(TopicError) -> UInt64 {
    try withSnapshot { (snapshot) throws(TopicError) in
      try snapshot.cursor.first()?.integerKey ?? 0
    } ?? 0
  }

  func endOffset() throws(TopicError) -> UInt64 {
    try withSnapshot { (snapshot) throws(TopicError) in
      guard let last = try snapshot.cursor.last() else { return 0 }
      return try verifiedLast(last).endOffset
    } ?? 0
  }

  func batch(atOrAfter offset: UInt64) throws(TopicError) -> UInt64? {
    let batch = try withSnapshot { (snapshot) throws(TopicError) in
      try snapshot.cursor.move(to: LMDBKey(offset))?.integerKey
    }
    if let batch = batch ?? nil { return batch }
    try checkNotReplaced()
    return nil
  }

  func read(from offset: UInt64, limit: Int, _ body: (RecordView) throws -> Bool) throws -> UInt64 {
    guard limit > 0 else { return offset }
    var next = offset
    // What the body throws is passed on as it is, without a folder and a partition put into it.
    var thrown: (any Error)?
    let existed: Void? = try withSnapshot { (snapshot) throws(TopicError) in
      try read(snapshot.cursor, &next, limit) { record in
        do {
          return try body(record)
        } catch {
          thrown = error
          return false
        }
      }
    }
    if let thrown { throw thrown }
    if existed == nil, offset > 0 {
      throw TopicError.outOfRange(offset, start: 0, end: 0)
        .at(folder: log.folder, partition: partition)
    }
    if next == offset { try checkNotReplaced() }
    return next
  }

  /// Somebody who looks again and again at the end shall learn that nothing will come.
  private func checkNotReplaced() throws(TopicError) {
    try opened?.lease.environment.checkNotReplaced()
  }

  private func read(
    _ cursor: LMDBCursor, _ next: inout UInt64, _ limit: Int, _ body: (RecordView) -> Bool
  ) throws(TopicError) {
    guard var entry = try batch(holding: next, cursor) else { return }
    var given = 0
    while true {
      let base = entry.integerKey
      let header = try verified(entry, base)
      if header.isGap { next = header.endOffset }
      let records = BatchFormat.records(of: entry.value)
      var current = base
      var record = RecordCursor(records)
      if let resumption, resumption.offset == next, resumption.batch == base {
        current = next
        record = RecordCursor(records, position: resumption.position)
      }
      while !header.isGap, current < header.endOffset {
        guard let stored = record.next() else {
          throw TopicError.corrupt("a record runs over the end of its batch", offset: base)
        }
        if current >= next {
          next = current + 1
          given += 1
          let goesOn = body(RecordView(offset: current, record: stored))
          if !goesOn || given == limit {
            resumption = Resumption(offset: next, batch: base, position: record.position)
            return
          }
        }
        current += 1
      }
      guard let following = try cursor.next() else { return }
      guard following.integerKey == next else {
        throw TopicError.corrupt(
          "the next batch begins at \(following.integerKey)", offset: next)
      }
      entry = following
    }
  }

  func offset(atOrAfter time: Int64) throws(TopicError) -> UInt64? {
    try withSnapshot { (snapshot) throws(TopicError) -> UInt64? in
      let cursor = snapshot.cursor
      guard let first = try cursor.first()?.integerKey, let last = try cursor.last()?.integerKey
      else { return nil }
      // Base offsets low ... high hold the first batch whose running maximum reaches the time, if
      // there is one. Bisecting offsets instead of batches needs no index of batches.
      var low = first
      var high = last
      while low < high {
        let middle = low + (high - low) / 2
        guard let entry = try cursor.move(to: LMDBKey(middle)) else { break }
        // The batch at or before the middle.
        let probe = entry.integerKey > middle ? try cursor.previous()! : entry
        let header = try verified(probe, probe.integerKey)
        if header.maximumTimestamp >= time {
          high = header.baseOffset
        } else {
          // The middle counts as well, lest a missing batch keep the search in place.
          low = min(max(header.endOffset, middle + 1), high)
        }
      }
      // The record is in the batch found; or in a later one, if it had been removed at the start.
      var entry = try cursor.move(to: LMDBKey(low))
      while let batch = entry {
        let header = try verified(batch, batch.integerKey)
        if header.maximumTimestamp < time { return nil }
        var records = RecordCursor(BatchFormat.records(of: batch.value))
        var offset = header.baseOffset
        while let record = records.next() {
          if record.timestamp >= time { return offset }
          offset += 1
        }
        entry = try cursor.next()
      }
      return nil
    } ?? nil
  }

  /// Describes the partition; nil if it holds nothing.
  func describe() throws(TopicError) -> TopicDescription? {
    try withSnapshot { (snapshot) throws(TopicError) -> TopicDescription? in
      let cursor = snapshot.cursor
      guard let last = try cursor.last() else { return nil }
      let end = try BatchFormat.header(of: last.value, at: last.integerKey, tag: tag)
      let lastRecords = try recordBatch(from: last, then: cursor.previous)
      let first = try cursor.first()!
      let firstRecords = try recordBatch(from: first, then: cursor.next)
      var lastTimestamp: Int64?
      if let lastRecords {
        var records = RecordCursor(BatchFormat.records(of: lastRecords.value))
        while let record = records.next() { lastTimestamp = record.timestamp }
      }
      return TopicDescription(
        partition: partition, role: role, startOffset: first.integerKey,
        endOffset: end.endOffset, firstTimestamp: firstRecords?.header.baseTimestamp,
        lastTimestamp: lastTimestamp,
        maximumTimestamp: firstRecords == nil ? nil : end.maximumTimestamp,
        bytes: try snapshot.transaction.byteCount(of: snapshot.database))
    } ?? nil
  }

  /// The first batch from `entry` on that is not a gap.
  private func recordBatch(
    from entry: LMDBEntry, then step: () throws(TopicError) -> LMDBEntry?
  ) throws(TopicError) -> (header: BatchHeader, value: UnsafeRawBufferPointer)? {
    var entry: LMDBEntry? = entry
    while let found = entry {
      let header = try BatchFormat.header(of: found.value, at: found.integerKey, tag: tag)
      if !header.isGap { return (header, found.value) }
      entry = try step()
    }
    return nil
  }

  // MARK: Batches

  /// Moves to the batch that holds the offset; nil if the offset is the end.
  private func batch(holding offset: UInt64, _ cursor: LMDBCursor) throws(TopicError) -> LMDBEntry?
  {
    var found = try cursor.move(to: LMDBKey(offset))
    if let found, found.integerKey == offset { return found }
    let isLast = found == nil
    found = isLast ? try cursor.last() : try cursor.previous()
    guard let found else {
      if isLast, offset == 0 { return nil }
      let start = try cursor.first()?.integerKey ?? 0
      let end = try cursor.last().map { (last) throws(TopicError) in try verifiedLast(last) }
      throw .outOfRange(offset, start: start, end: end?.endOffset ?? 0)
    }
    let header = isLast ? try verifiedLast(found) : try verified(found, found.integerKey)
    if offset < header.endOffset { return found }
    if !isLast {
      throw .corrupt(
        "no batch holds it; the one at \(header.baseOffset) ends at \(header.endOffset)",
        offset: offset)
    }
    if offset == header.endOffset { return nil }
    throw .outOfRange(
      offset, start: try cursor.first()?.integerKey ?? 0, end: header.endOffset)
  }

  private func verified(_ entry: LMDBEntry, _ base: UInt64) throws(TopicError) -> BatchHeader {
    if verifiedBatch == base || verifiedLastBatch == base {
      return try BatchFormat.header(of: entry.value, at: base, tag: tag)
    }
    let header = try BatchFormat.verifiedHeader(of: entry.value, at: base, tag: tag)
    verifiedBatch = base
    return header
  }

  private func verifiedLast(_ entry: LMDBEntry) throws(TopicError) -> BatchHeader {
    let header = try verified(entry, entry.integerKey)
    verifiedLastBatch = entry.integerKey
    return header
  }

  // MARK: Snapshots

  /// Runs `body` on a new snapshot; nil if the partition does not exist yet. Errors leave with the
  /// folder and the partition named.
  private func withSnapshot<T>(_ body: (Opened) throws(TopicError) -> T) throws(TopicError) -> T? {
    guard !isReading else {
      throw TopicError(
        .invalid, "a reader was called from within its own read", folder: log.folder,
        partition: partition)
    }
    isReading = true
    defer { isReading = false }
    do throws(TopicError) {
      guard let opened = try open() else { return nil }
      defer { opened.transaction.reset() }
      return try body(opened)
    } catch {
      throw error.at(folder: log.folder, partition: partition)
    }
  }

  /// The partition with a snapshot just taken.
  private func open() throws(TopicError) -> Opened? {
    if let opened {
      try opened.transaction.renew()
      do throws(TopicError) {
        try opened.cursor.renew(in: opened.transaction)
      } catch {
        opened.transaction.reset()
        throw error
      }
      return opened
    }
    guard let store = try log.store(role, create: false),
      let database = try store.environment.database(RoleStore.databaseName(partition))
    else { return nil }
    let transaction = try store.environment.beginReading()
    do throws(TopicError) {
      let cursor = try transaction.openCursor(database)
      let opened = Opened(
        lease: store.lease, database: database, transaction: transaction, cursor: cursor)
      self.opened = opened
      return opened
    } catch {
      transaction.abort()
      throw error
    }
  }
}
