/// One role's environment and the names of the databases in it.
///
/// | database | key | value |
/// | --- | --- | --- |
/// | `topic/<topic>/<partition>` | base offset, integer | a batch, see `BatchFormat` |
/// | `positions` | group, NUL, topic, NUL, partition | UInt64, little-endian |
/// | `state` | the state's key | its bytes |
/// | `meta` | `format`, `role` | text |
/// | `meta` | `epoch` | UInt64, little-endian |
///
/// The values of the last three carry a checksum, see `StoredValue`.
///
/// Integer keys are in the machine's byte order; LMDB's files cannot be moved to another anyway.
struct RoleStore: Sendable {
  let role: WriterRole
  let lease: LMDBLease
  var environment: LMDBEnvironment { lease.environment }

  static let meta = "meta"
  static let positions = "positions"
  static let state = "state"
  /// The databases that hold no partition.
  static let ownDatabases = [meta, positions, state]

  static let formatKey = "format"
  static let ownerKey = "role"
  static let epochKey = "epoch"

  static func databaseName(_ partition: TopicPartition) -> String {
    "topic/\(partition.topic)/\(partition.partition)"
  }

  /// The partition whose database has this name; nil if none can have it.
  static func partition(ofDatabase name: String) -> TopicPartition? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, let number = Int(parts[2]) else { return nil }
    let partition = TopicPartition(String(parts[1]), partition: number)
    // A number can be written in several ways, of which one is the name.
    guard (try? Names.check(partition)) != nil, databaseName(partition) == name else { return nil }
    return partition
  }

  static func positionKey(_ partition: TopicPartition, group: String) -> String {
    "\(group)\0\(partition.topic)\0\(partition.partition)"
  }

  /// The position that is kept under this key; nil if none can be.
  static func position(ofKey key: String) -> (partition: TopicPartition, group: String)? {
    let parts = key.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let number = Int(parts[2]) else { return nil }
    let partition = TopicPartition(parts[1], partition: number)
    guard (try? Names.check(partition)) != nil, (try? Names.check(group: parts[0])) != nil,
      positionKey(partition, group: parts[0]) == key
    else { return nil }
    return (partition, parts[0])
  }

  /// Checks that the environment is this role's and of a known format; one that no writer has
  /// prepared yet passes.
  init(role: WriterRole, lease: LMDBLease) throws(TopicError) {
    self.role = role
    self.lease = lease
    guard let format = try value(Self.formatKey, in: Self.meta) else { return }
    let found = String(decoding: format, as: UTF8.self)
    guard found == LogFolder.format else {
      throw LogFolder.mismatch(found: found, folder: environment.folder)
    }
    let owner = String(decoding: try value(Self.ownerKey, in: Self.meta) ?? [], as: UTF8.self)
    guard owner == role.name else {
      throw TopicError(
        .formatMismatch, "the folder of the role '\(role)' was written by the role '\(owner)'",
        folder: environment.folder)
    }
  }

  /// Creates what a writer needs, and raises the epoch for an exclusive one, in one transaction.
  /// - Returns: The epoch taken, 0 for a shared writer.
  func prepareForWriting(exclusive: Bool) throws(TopicError) -> UInt64 {
    while true {
      try environment.lock.lock(
        else: "a writer cannot be opened inside a transaction of its role")
      do throws(TopicError) {
        let epoch = try prepare(exclusive: exclusive)
        environment.lock.unlock()
        RoleFolder.finish(environment.folder)
        return epoch
      } catch {
        guard try environment.unlockGrowingMap() else { throw error }
      }
    }
  }

  private func prepare(exclusive: Bool) throws(TopicError) -> UInt64 {
    let transaction = try environment.beginWriting()
    var opened: [String: LMDBDatabase] = [:]
    var epoch: UInt64 = 0
    do throws(TopicError) {
      let meta = try transaction.openOrCreate(Self.meta)
      opened[Self.meta] = meta
      opened[Self.positions] = try transaction.openOrCreate(Self.positions)
      opened[Self.state] = try transaction.openOrCreate(Self.state)
      if try transaction.value(Self.formatKey, in: meta) == nil {
        try transaction.put(Array(LogFolder.format.utf8), for: Self.formatKey, in: meta)
        try transaction.put(Array(role.name.utf8), for: Self.ownerKey, in: meta)
      }
      if exclusive {
        let (next, overflow) = try transaction.epoch(meta).addingReportingOverflow(1)
        guard !overflow else {
          throw TopicError(.full, "the role has no epochs left", folder: environment.folder)
        }
        epoch = next
        try transaction.put(epoch.littleEndianBytes, for: Self.epochKey, in: meta)
      }
    } catch {
      transaction.abort()
      throw error
    }
    try transaction.commit()
    environment.remember(opened)
    return epoch
  }

  /// The committed bytes under a key, nil if there are none or the database is not there yet.
  func value(_ key: String, in database: String) throws(TopicError) -> [UInt8]? {
    guard let database = try environment.database(database) else { return nil }
    return try environment.read { (transaction) throws(TopicError) in
      try transaction.value(key, in: database).map { [UInt8]($0) }
    }
  }
}

extension LMDBTransaction {
  /// The value stored under a key, verified; nil if there is none.
  func value(_ key: String, in database: LMDBDatabase) throws(TopicError)
    -> UnsafeRawBufferPointer?
  {
    guard let stored = try get(database, LMDBKey(key)) else { return nil }
    do throws(TopicError) {
      return try StoredValue.decode(stored, key: key)
    } catch {
      throw error.at(folder: folder)
    }
  }

  func put(_ value: [UInt8], for key: String, in database: LMDBDatabase) throws(TopicError) {
    try put(database, LMDBKey(key), StoredValue.encode(key: key, value: value))
  }

  /// The role's epoch; 0 if there never was an exclusive writer.
  func epoch(_ meta: LMDBDatabase) throws(TopicError) -> UInt64 {
    guard let bytes = try value(RoleStore.epochKey, in: meta) else { return 0 }
    return try UInt64(stored: bytes, what: "the role's epoch", folder: folder)
  }
}

extension UInt64 {
  var littleEndianBytes: [UInt8] {
    withUnsafeBytes(of: littleEndian) { [UInt8]($0) }
  }

  init(
    stored bytes: some BidirectionalCollection<UInt8>, what: String, folder: String
  ) throws(TopicError) {
    guard bytes.count == 8 else {
      throw TopicError(.corrupt, "\(what) has \(bytes.count) bytes instead of 8", folder: folder)
    }
    self = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
