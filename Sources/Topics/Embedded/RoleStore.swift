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
/// Integer keys are in the machine's byte order; LMDB's files cannot be moved to another anyway.
struct RoleStore: Sendable {
  let role: WriterRole
  let lease: LMDBLease
  var environment: LMDBEnvironment { lease.environment }

  static let meta = "meta"
  static let positions = "positions"
  static let state = "state"

  static func databaseName(_ partition: TopicPartition) -> String {
    "topic/\(partition.topic)/\(partition.partition)"
  }

  static func partition(ofDatabase name: String) -> TopicPartition? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "topic", let number = Int(parts[2]) else { return nil }
    return TopicPartition(String(parts[1]), partition: number)
  }

  static func positionKey(_ partition: TopicPartition, group: String) -> LMDBKey {
    LMDBKey("\(group)\0\(partition.topic)\0\(partition.partition)")
  }

  /// Checks that the environment is this role's and of a known format; one that no writer has
  /// prepared yet passes.
  init(role: WriterRole, lease: LMDBLease) throws(TopicError) {
    self.role = role
    self.lease = lease
    guard let format = try value("format", in: Self.meta) else { return }
    let found = String(decoding: format, as: UTF8.self)
    guard found == LogFolder.format else {
      throw LogFolder.mismatch(found: found, folder: environment.folder)
    }
    let owner = String(decoding: try value("role", in: Self.meta) ?? [], as: UTF8.self)
    guard owner == role.name else {
      throw TopicError(
        .formatMismatch, "the folder of the role '\(role)' was written by the role '\(owner)'",
        folder: environment.folder)
    }
  }

  /// Creates what a writer needs, and raises the epoch for an exclusive one, in one transaction.
  /// - Returns: The epoch taken, 0 for a shared writer.
  func prepareForWriting(exclusive: Bool) throws(TopicError) -> UInt64 {
    try environment.lock.lock(else: "a writer cannot be opened inside a transaction of its role")
    defer { environment.lock.unlock() }
    let transaction = try environment.beginWriting()
    var opened: [String: LMDBDatabase] = [:]
    var epoch: UInt64 = 0
    do throws(TopicError) {
      let meta = try transaction.openOrCreate(Self.meta)
      opened[Self.meta] = meta
      opened[Self.positions] = try transaction.openOrCreate(Self.positions)
      opened[Self.state] = try transaction.openOrCreate(Self.state)
      if try transaction.get(meta, LMDBKey("format")) == nil {
        try transaction.put(meta, LMDBKey("format"), Array(LogFolder.format.utf8))
        try transaction.put(meta, LMDBKey("role"), Array(role.name.utf8))
      }
      if exclusive {
        epoch = try transaction.epoch(meta) + 1
        try transaction.put(meta, LMDBKey("epoch"), epoch.littleEndianBytes)
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
    try value(LMDBKey(key), in: database)
  }

  func value(_ key: LMDBKey, in database: String) throws(TopicError) -> [UInt8]? {
    guard let database = try environment.database(database) else { return nil }
    return try environment.read { (transaction) throws(TopicError) in
      try transaction.get(database, key).map { [UInt8]($0) }
    }
  }
}

extension LMDBTransaction {
  /// The role's epoch; 0 if there never was an exclusive writer.
  func epoch(_ meta: LMDBDatabase) throws(TopicError) -> UInt64 {
    guard let bytes = try get(meta, LMDBKey("epoch")) else { return 0 }
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
