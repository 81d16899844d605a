import Synchronization
import Topics

/// A log in memory whose role can be made to refuse commits, as a full disk does.
final class FailingLog: TopicLog {
  let inner = MemoryLog()
  let role: WriterRole
  /// Commits of the role that are still to fail.
  let failures = Atomic(0)

  init(role: WriterRole) { self.role = role }

  func describe() throws(TopicError) -> [TopicDescription] { try inner.describe() }

  func reader(
    _ partition: TopicPartition, of role: WriterRole
  ) throws(TopicError) -> any TopicReader {
    try inner.reader(partition, of: role)
  }

  func writer(_ role: WriterRole, exclusive: Bool) throws(TopicError) -> any TopicWriter {
    let writer = try inner.writer(role, exclusive: exclusive)
    return role == self.role ? Writer(self, writer) : writer
  }

  func position(
    of partition: TopicPartition, group: String, role: WriterRole
  ) throws(TopicError) -> UInt64? {
    try inner.position(of: partition, group: group, role: role)
  }

  func state(_ key: String, role: WriterRole) throws(TopicError) -> [UInt8]? {
    try inner.state(key, role: role)
  }

  func stateKeys(prefix: String, role: WriterRole) throws(TopicError) -> [String] {
    try inner.stateKeys(prefix: prefix, role: role)
  }

  func changeToken() -> ChangeToken { inner.changeToken() }

  func waitForChange(since token: ChangeToken, timeoutMilliseconds: Int) -> Bool {
    inner.waitForChange(since: token, timeoutMilliseconds: timeoutMilliseconds)
  }

  func wake() { inner.wake() }

  private final class Writer: TopicWriter {
    private let log: FailingLog
    private let inner: any TopicWriter
    var role: WriterRole { inner.role }
    var epoch: UInt64 { inner.epoch }

    init(_ log: FailingLog, _ inner: any TopicWriter) {
      self.log = log
      self.inner = inner
    }

    func transact<T>(_ body: (any TopicTransaction) throws -> T) throws -> T {
      try inner.transact { transaction in
        let result = try body(transaction)
        // At the end, as a commit fails: everything before it is undone.
        if log.failures.load(ordering: .relaxed) > 0 {
          log.failures.subtract(1, ordering: .relaxed)
          throw TopicError(.full, "the disk is full")
        }
        return result
      }
    }
  }
}
