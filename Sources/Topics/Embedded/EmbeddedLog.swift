/// A topic log in a folder, shared by several processes, on LMDB.
///
/// - `<folder>/FORMAT`: the format's name and version.
/// - `<folder>/bell`: what followers sleep on.
/// - `<folder>/retention`: what is kept of each topic, see ``RetentionSettings``; may be missing.
/// - `<folder>/<role>/data.mdb`, `lock.mdb`: the role's environment.
/// - `<folder>/<role>/unfinished`: until the first commit of that.
///
/// Limits. The folder must lie on a local file system. Commits survive the death of any process;
/// ``Durability`` says what they survive beyond that. A role holds at most 1,024 partitions. After
/// a fork, only the parent may go on using the log.
///
/// Damage to a batch or a value is an error. Damage to LMDB's own pages may be found only by a
/// fault in the middle of a call; opening a log installs handlers of SIGSEGV and SIGBUS that name
/// the file then and exit with status 1. Faults elsewhere go where they went before.
///
/// Readers never wait for writers, nor writers for readers, with two exceptions. Opening a
/// partition that another process has created waits for this process's transaction of that role.
/// And when a role's map has to grow, which it does by doubling, this waits for the reads of that
/// role that are under way in the process; a transaction inside of such a read's body cannot grow
/// it.
public final class EmbeddedLog: TopicLog {
  /// What a log is opened for.
  public enum Access: Hashable, Sendable {
    /// Creates the folder if it does not exist.
    case readWrite
    /// Requires the folder to exist, and refuses writers. It still needs permission to write to
    /// the files `bell` and `lock.mdb`, through which readers register, and to `data.mdb`, because
    /// one environment serves all of a process.
    case readOnly
  }

  /// The folder, as given.
  public let folder: String
  /// What the log was opened for.
  public let access: Access

  private let settings: LMDBSettings
  private let bell: Bell
  private let stores = Locked<[WriterRole: RoleStore]>([:])

  /// Opens a log.
  /// - Parameters:
  ///   - folder: The path; with `.readWrite`, folders on the way are created.
  ///   - access: Whether writers can be opened.
  ///   - durability: How long a commit waits for the disk. Logs that share a folder in one process
  ///     share the strictest of theirs.
  ///   - maximumSize: The most bytes a role's data file may take, at least 65,536.
  ///   - initialSize: The bytes of address space, neither memory nor disk, reserved for a role at
  ///     first; it grows by itself. The sizes count for the first to open the folder in a process.
  /// - Throws: `.notFound`, `.formatMismatch`, `.io`, or `.full`.
  public init(
    folder: String, access: Access, durability: Durability = .none, maximumSize: Int = 16 << 40,
    initialSize: Int = 1 << 30
  ) throws(TopicError) {
    guard !folder.isEmpty, !folder.utf8.contains(0), maximumSize >= 1 << 16, initialSize > 0 else {
      throw TopicError(
        .invalid, "a log needs a folder and a maximum size of at least 65,536 bytes",
        folder: folder)
    }
    var path = folder
    while path.count > 1, path.last == "/" { path.removeLast() }
    self.folder = path
    self.access = access
    // Both in whole pages.
    let maximum = maximumSize & ~0xFFFF
    settings = LMDBSettings(
      initialSize: min(max(initialSize, 1 << 16) & ~0xFFFF, maximum), maximumSize: maximum,
      durability: access == .readWrite ? durability : nil)
    try LogFolder.prepare(path, create: access == .readWrite)
    bell = try Bell(file: path + "/bell", folder: path)
  }

  /// See ``TopicLog/describe()``.
  public func describe() throws(TopicError) -> [TopicDescription] {
    var descriptions: [TopicDescription] = []
    for name in try LogFolder.roles(in: folder) {
      let role = WriterRole(name)
      guard (try? Names.check(role)) != nil, let store = try store(role, create: false) else {
        continue
      }
      var found: [TopicDescription] = []
      for name in try store.environment.databaseNames() {
        guard let partition = RoleStore.partition(ofDatabase: name) else { continue }
        let reader = EmbeddedReader(self, partition, role)
        if let description = try reader.describe() { found.append(description) }
      }
      found.sort {
        ($0.partition.topic, $0.partition.partition) < ($1.partition.topic, $1.partition.partition)
      }
      descriptions += found
    }
    return descriptions
  }

  /// See ``TopicLog/reader(_:of:)``.
  public func reader(_ partition: TopicPartition, of role: WriterRole) throws(TopicError)
    -> any TopicReader
  {
    try Names.check(partition)
    try Names.check(role)
    return EmbeddedReader(self, partition, role)
  }

  /// See ``TopicLog/writer(_:exclusive:)``.
  public func writer(_ role: WriterRole, exclusive: Bool) throws(TopicError) -> any TopicWriter {
    try Names.check(role)
    guard access == .readWrite else {
      throw TopicError(.readOnly, "the log was opened for reading only", folder: folder)
    }
    let store = try store(role, create: true)!
    let epoch = try store.prepareForWriting(exclusive: exclusive)
    bell.ring()
    return EmbeddedWriter(store, epoch: epoch, bell: bell)
  }

  /// See ``TopicLog/position(of:group:role:)``.
  public func position(of partition: TopicPartition, group: String, role: WriterRole)
    throws(TopicError) -> UInt64?
  {
    try Names.check(partition)
    try Names.check(group: group)
    let key = RoleStore.positionKey(partition, group: group)
    guard let store = try store(role, create: false),
      let bytes = try store.value(key, in: RoleStore.positions)
    else { return nil }
    return try UInt64(stored: bytes, what: "a position", folder: folder)
  }

  /// See ``TopicLog/state(_:role:)``.
  public func state(_ key: String, role: WriterRole) throws(TopicError) -> [UInt8]? {
    try Names.check(stateKey: key)
    return try store(role, create: false)?.value(key, in: RoleStore.state)
  }

  /// See ``TopicLog/stateKeys(prefix:role:)``.
  public func stateKeys(prefix: String, role: WriterRole) throws(TopicError) -> [String] {
    guard prefix.utf8.count <= 500, let store = try store(role, create: false),
      let database = try store.environment.database(RoleStore.state)
    else { return [] }
    return try store.environment.read { (transaction) throws(TopicError) in
      try transaction.keys(of: database, from: prefix)
    }
  }

  /// See ``TopicLog/changeToken()``.
  public func changeToken() -> ChangeToken { bell.token }

  /// See ``TopicLog/waitForChange(since:timeoutMilliseconds:)``.
  public func waitForChange(since token: ChangeToken, timeoutMilliseconds: Int) -> Bool {
    bell.wait(since: token, timeoutMilliseconds: timeoutMilliseconds)
  }

  /// See ``TopicLog/wake()``.
  public func wake() { bell.ring() }

  /// The role's environment, nil if it does not exist yet and shall not be created.
  func store(_ role: WriterRole, create: Bool) throws(TopicError) -> RoleStore? {
    try Names.check(role)
    if let store = stores.withLock({ $0[role] }) { return store }
    let path = "\(folder)/\(role.name)"
    if create { try RoleFolder.make(path) }
    guard let lease = try LMDBRegistry.open(path, settings, create: create) else {
      return nil
    }
    // Not under the lock: looking into the environment may wait for a transaction, whose body may
    // ask for a role. Two threads that come here at once get two leases on one environment.
    let store = try RoleStore(role: role, lease: lease)
    stores.withLock { $0[role] = store }
    return store
  }
}
