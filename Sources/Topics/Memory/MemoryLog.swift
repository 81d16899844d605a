/// A topic log in memory, for tests and for replay in one process. It behaves as ``EmbeddedLog``
/// does, except that it lives and ends with the object.
public final class MemoryLog: TopicLog {
  private let bell = Bell()
  private let roles = Locked<[WriterRole: MemoryRole]>([:])

  /// Makes an empty log.
  public init() {}

  /// See ``TopicLog/describe()``.
  public func describe() throws(TopicError) -> [TopicDescription] {
    let roles = roles.withLock { $0.values.sorted { $0.role.name < $1.role.name } }
    return roles.flatMap { $0.describe() }
  }

  /// See ``TopicLog/reader(_:of:)``.
  public func reader(_ partition: TopicPartition, of role: WriterRole) throws(TopicError)
    -> any TopicReader
  {
    try Names.check(partition)
    return MemoryReader(partition, try store(role))
  }

  /// See ``TopicLog/writer(_:exclusive:)``.
  public func writer(_ role: WriterRole, exclusive: Bool) throws(TopicError) -> any TopicWriter {
    let store = try store(role)
    try store.lock.lock(else: "a writer cannot be opened inside a transaction of its role")
    defer { store.lock.unlock() }
    let epoch = exclusive ? store.raiseEpoch() : 0
    bell.ring()
    return MemoryWriter(store, epoch: epoch, bell: bell)
  }

  /// See ``TopicLog/position(of:group:role:)``.
  public func position(of partition: TopicPartition, group: String, role: WriterRole)
    throws(TopicError) -> UInt64?
  {
    try Names.check(partition)
    try Names.check(group: group)
    return try store(role).position(MemoryPositionKey(group: group, partition: partition))
  }

  /// See ``TopicLog/state(_:role:)``.
  public func state(_ key: String, role: WriterRole) throws(TopicError) -> [UInt8]? {
    try Names.check(stateKey: key)
    return try store(role).state(Array(key.utf8))
  }

  /// See ``TopicLog/stateKeys(prefix:role:)``.
  public func stateKeys(prefix: String, role: WriterRole) throws(TopicError) -> [String] {
    try store(role).stateKeys(prefix: Array(prefix.utf8))
  }

  /// See ``TopicLog/changeToken()``.
  public func changeToken() -> ChangeToken { bell.token }

  /// See ``TopicLog/waitForChange(since:timeoutMilliseconds:)``.
  public func waitForChange(since token: ChangeToken, timeoutMilliseconds: Int) -> Bool {
    bell.wait(since: token, timeoutMilliseconds: timeoutMilliseconds)
  }

  /// See ``TopicLog/wake()``.
  public func wake() { bell.ring() }

  private func store(_ role: WriterRole) throws(TopicError) -> MemoryRole {
    try Names.check(role)
    return roles.withLock { roles in
      if let store = roles[role] { return store }
      let store = MemoryRole(role)
      roles[role] = store
      return store
    }
  }
}
