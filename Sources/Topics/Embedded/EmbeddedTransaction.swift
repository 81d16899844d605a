/// The operations of one write transaction on a role's environment.
final class EmbeddedTransaction: TopicTransaction {
  private let handle: LMDBTransaction
  private let environment: LMDBEnvironment
  private var isOpen = true

  /// Whether LMDB has changed a page, so that a commit uses up the transaction's number.
  private(set) var hasChanges = false
  /// The databases opened here; the handles outlive the transaction only if it commits.
  private(set) var opened: [String: LMDBDatabase] = [:]
  /// What the writer may remember if this transaction commits.
  private(set) var memory: WriterMemory

  init(_ handle: LMDBTransaction, _ environment: LMDBEnvironment, _ memory: WriterMemory) {
    self.handle = handle
    self.environment = environment
    self.memory = memory
  }

  func end() { isOpen = false }

  @discardableResult
  func append(_ batch: RecordBatch, to partition: TopicPartition) throws(TopicError) -> UInt64 {
    try checkOpen()
    do throws(TopicError) {
      let remembered = try self.partition(partition)
      var end = WriterMemory.End()
      if let remembered { end = try self.end(of: remembered) }
      guard !batch.isEmpty else { return end.offset }
      let database: LMDBDatabase
      if let remembered { database = remembered.database } else { database = try create(partition) }
      let offset = end.offset
      let tag =
        remembered?.tag ?? BatchFormat.tag(ofDatabase: RoleStore.databaseName(partition))
      end = try write(batch, to: database, tag: tag, at: end)
      memory.partitions[partition] = .init(
        database: database, tag: tag, end: end, verifiedBatch: offset)
      return offset
    } catch {
      throw error.at(folder: environment.folder, partition: partition)
    }
  }

  private func write(
    _ batch: RecordBatch, to database: LMDBDatabase, tag: UInt32, at end: WriterMemory.End
  ) throws(TopicError) -> WriterMemory.End {
    let size = BatchFormat.headerSize + batch.byteCount
    guard size <= BatchFormat.maximumSize, batch.count <= Int(UInt32.max) else {
      throw TopicError(
        .invalid,
        "a batch of \(batch.count) records and \(size) bytes is over the limit of 2³² − 1",
        offset: end.offset)
    }
    let (newEnd, overflow) = end.offset.addingReportingOverflow(UInt64(batch.count))
    guard !overflow else {
      throw TopicError(.full, "the partition has no offsets left", offset: end.offset)
    }
    return try batch.withRecords { (records) throws(TopicError) in
      var first = RecordCursor(records)
      let header = BatchHeader(
        count: batch.count, baseOffset: end.offset, baseTimestamp: first.next()!.timestamp,
        maximumTimestamp: max(end.maximumTimestamp, batch.maximumTimestamp))
      let destination: UnsafeMutableRawBufferPointer
      do throws(TopicError) {
        destination = try handle.appendReserving(database, end.offset, byteCount: size)
      } catch {
        throw error.at(offset: end.offset)
      }
      hasChanges = true
      BatchFormat.write(header, tag: tag, records: records, to: destination)
      return WriterMemory.End(offset: newEnd, maximumTimestamp: header.maximumTimestamp)
    }
  }

  func commit(position: UInt64, of partition: TopicPartition, group: String) throws(TopicError) {
    try checkOpen()
    try Names.check(partition)
    try Names.check(group: group)
    let key = RoleStore.positionKey(partition, group: group)
    try handle.put(position.littleEndianBytes, for: key, in: memory.positions)
    hasChanges = true
  }

  func position(of partition: TopicPartition, group: String) throws(TopicError) -> UInt64? {
    try checkOpen()
    try Names.check(partition)
    try Names.check(group: group)
    let key = RoleStore.positionKey(partition, group: group)
    guard let bytes = try handle.value(key, in: memory.positions) else { return nil }
    return try UInt64(stored: bytes, what: "a position", folder: environment.folder)
  }

  func put(state: [UInt8], for key: String) throws(TopicError) {
    try checkOpen()
    try Names.check(stateKey: key)
    guard state.count <= StoredValue.maximumSize else {
      throw TopicError(.invalid, "a state value is at most \(StoredValue.maximumSize) bytes")
    }
    try handle.put(state, for: key, in: memory.state)
    hasChanges = true
  }

  func removeState(_ key: String) throws(TopicError) {
    try checkOpen()
    try Names.check(stateKey: key)
    if try handle.remove(memory.state, LMDBKey(key)) { hasChanges = true }
  }

  func state(_ key: String) throws(TopicError) -> [UInt8]? {
    try checkOpen()
    try Names.check(stateKey: key)
    return try handle.value(key, in: memory.state).map { [UInt8]($0) }
  }

  // MARK: Partitions

  /// Runs `body` with a partition's database, its tag and a cursor; 0 if there is no partition.
  func withBatches(
    of partition: TopicPartition,
    _ body: (LMDBDatabase, UInt32, LMDBCursor) throws(TopicError) -> UInt64
  ) throws(TopicError) -> UInt64 {
    try checkOpen()
    do throws(TopicError) {
      guard let known = try self.partition(partition) else { return 0 }
      let cursor = try handle.openCursor(known.database)
      defer { cursor.close() }
      return try body(known.database, known.tag, cursor)
    } catch {
      throw error.at(folder: environment.folder, partition: partition)
    }
  }

  func remove(_ key: LMDBKey, from database: LMDBDatabase) throws(TopicError) {
    if try handle.remove(database, key) { hasChanges = true }
  }

  func byteCount(of database: LMDBDatabase) throws(TopicError) -> Int {
    try handle.byteCount(of: database)
  }

  /// What is known of a partition, nil if it does not exist.
  private func partition(_ partition: TopicPartition) throws(TopicError)
    -> WriterMemory.Partition?
  {
    if let remembered = memory.partitions[partition] { return remembered }
    try Names.check(partition)
    let name = RoleStore.databaseName(partition)
    // Another writer or reader of this process may have opened it; the lock that both need was
    // taken before this transaction began, so the handle is valid here.
    var database = environment.knownDatabase(name)
    if database == nil { database = try open(name) }
    guard let database else { return nil }
    let found = WriterMemory.Partition(
      database: database, tag: BatchFormat.tag(ofDatabase: name))
    memory.partitions[partition] = found
    return found
  }

  private func open(_ name: String) throws(TopicError) -> LMDBDatabase? {
    guard let database = try handle.openDatabase(name, flags: 0) else { return nil }
    opened[name] = database
    return database
  }

  private func create(_ partition: TopicPartition) throws(TopicError) -> LMDBDatabase {
    let name = RoleStore.databaseName(partition)
    let database = try handle.openOrCreate(name, integerKeys: true)
    opened[name] = database
    hasChanges = true
    return database
  }

  /// Looks up where a partition ends. The last batch is verified, unless this writer has written
  /// it, because a wrong count in it would give a wrong offset to all that follows.
  private func end(of known: WriterMemory.Partition) throws(TopicError) -> WriterMemory.End {
    if let end = known.end { return end }
    let cursor = try handle.openCursor(known.database)
    defer { cursor.close() }
    guard let last = try cursor.last() else { return WriterMemory.End() }
    let base = last.integerKey
    let header =
      known.verifiedBatch == base
      ? try BatchFormat.header(of: last.value, at: base, tag: known.tag)
      : try BatchFormat.verifiedHeader(of: last.value, at: base, tag: known.tag)
    return WriterMemory.End(
      offset: header.endOffset, maximumTimestamp: header.maximumTimestamp)
  }

  private func checkOpen() throws(TopicError) {
    guard isOpen else {
      throw TopicError(
        .invalid, "a transaction was used after its end", folder: environment.folder)
    }
  }
}
