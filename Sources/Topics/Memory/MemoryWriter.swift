/// Writes as one role into a log in memory.
final class MemoryWriter: TopicWriter {
  let epoch: UInt64
  var role: WriterRole { store.role }
  private let store: MemoryRole
  private let bell: Bell

  init(_ store: MemoryRole, epoch: UInt64, bell: Bell) {
    self.store = store
    self.epoch = epoch
    self.bell = bell
  }

  @discardableResult
  func transact<T>(_ body: (any TopicTransaction) throws -> T) throws -> T {
    try store.lock.lock(
      else: "a transaction of the role '\(role)' was begun inside another on the same thread")
    defer { store.lock.unlock() }
    let current = store.epoch
    guard epoch == 0 || epoch == current else {
      throw TopicError(
        .fenced, "the writer of '\(role)' holds epoch \(epoch), a newer one holds \(current)")
    }
    let transaction = MemoryTransaction(store)
    defer { transaction.end() }
    let result = try body(transaction)
    if !transaction.changes.isEmpty {
      store.apply(transaction.changes)
      bell.ring()
    }
    return result
  }
}

/// The operations of one transaction; its writes wait here until it commits.
final class MemoryTransaction: TopicTransaction {
  private(set) var changes = MemoryChanges()
  private let store: MemoryRole
  private var isOpen = true

  init(_ store: MemoryRole) { self.store = store }

  func end() { isOpen = false }

  @discardableResult
  func append(_ batch: RecordBatch, to partition: TopicPartition) throws(TopicError) -> UInt64 {
    try checkOpen()
    try Names.check(partition)
    var (offset, maximumTimestamp) = store.end(of: partition)
    if let last = changes.appended[partition]?.last {
      (offset, maximumTimestamp) = (last.endOffset, last.maximumTimestamp)
    }
    if batch.isEmpty { return offset }
    changes.appended[partition, default: []].append(
      MemoryBatch(
        records: batch.compacted(), baseOffset: offset,
        maximumTimestamp: max(maximumTimestamp, batch.maximumTimestamp)))
    return offset
  }

  @discardableResult
  func trim(_ partition: TopicPartition, before offset: UInt64, limit: Int) throws(TopicError)
    -> UInt64
  {
    let batches = try batches(of: partition)
    guard let last = batches.indices.last else { return 0 }
    let count = batches.prefix(max(limit, 0)).prefix { $0.endOffset <= offset }.count
    let start = batches[min(count, last)].baseOffset
    if count > 0, start > batches[0].baseOffset { changes.starts[partition] = start }
    return start
  }

  @discardableResult
  func retain(
    _ partition: TopicPartition, by retention: Retention, keepingFrom: UInt64?, now: Int64,
    limit: Int
  ) throws(TopicError) -> UInt64 {
    let batches = try batches(of: partition)
    guard let first = batches.first else { return 0 }
    var rule = RetentionRule(
      retention,
      newest: batches.suffix(RetentionRule.newestBatches).map {
        ($0.firstTimestamp!, $0.maximumTimestamp)
      }, bytes: batches.reduce(0) { $0 + $1.byteCount }, keepingFrom: keepingFrom, now: now)
    var goal = first.baseOffset
    for batch in batches.dropLast().prefix(max(limit, 0)) {
      let verdict = rule.verdict(
        end: batch.endOffset, bytes: batch.byteCount, runningMaximum: batch.maximumTimestamp
      ) {
        batch.records.withRecords { RetentionRule.maximumTimestamp(of: $0) }
      }
      guard case .remove = verdict else { break }
      goal = batch.endOffset
    }
    return try trim(partition, before: goal, limit: limit)
  }

  /// What this transaction sees of a partition.
  private func batches(of partition: TopicPartition) throws(TopicError) -> [MemoryBatch] {
    try checkOpen()
    try Names.check(partition)
    let batches = store.batches(of: partition) + (changes.appended[partition] ?? [])
    let start = changes.starts[partition] ?? 0
    return Array(batches[batches.firstIndex(passing: { $0.baseOffset >= start })...])
  }

  func commit(position: UInt64, of partition: TopicPartition, group: String) throws(TopicError) {
    changes.positions[try positionKey(partition, group)] = position
  }

  func position(of partition: TopicPartition, group: String) throws(TopicError) -> UInt64? {
    let key = try positionKey(partition, group)
    return changes.positions[key] ?? store.position(key)
  }

  func put(state: [UInt8], for key: String) throws(TopicError) {
    changes.state[try stateKey(key)] = .some(state)
  }

  func removeState(_ key: String) throws(TopicError) {
    changes.state[try stateKey(key)] = .some(nil)
  }

  func state(_ key: String) throws(TopicError) -> [UInt8]? {
    let key = try stateKey(key)
    if let change = changes.state[key] { return change }
    return store.state(key)
  }

  private func positionKey(_ partition: TopicPartition, _ group: String) throws(TopicError)
    -> MemoryPositionKey
  {
    try checkOpen()
    try Names.check(partition)
    try Names.check(group: group)
    return MemoryPositionKey(group: group, partition: partition)
  }

  private func stateKey(_ key: String) throws(TopicError) -> [UInt8] {
    try checkOpen()
    try Names.check(stateKey: key)
    return Array(key.utf8)
  }

  private func checkOpen() throws(TopicError) {
    guard isOpen else { throw TopicError(.invalid, "a transaction was used after its end") }
  }
}
