/// A set of topics that several processes write and follow.
///
/// Ordering and atomicity: the records of a partition have one order, the order of their commits.
/// What one transaction appends, commits and puts becomes visible at once or not at all, to every
/// reader. Transactions of different roles are not ordered against each other.
public protocol TopicLog: AnyObject, Sendable {
  /// All partitions that hold records, ordered by role, topic and partition. Reads the first and
  /// the last batch of each and does not verify checksums.
  func describe() throws(TopicError) -> [TopicDescription]

  /// Opens a partition for reading. A partition nobody has written yet is empty (start = end = 0),
  /// also if the role does not exist yet; it becomes readable when it appears.
  func reader(_ partition: TopicPartition, of role: WriterRole) throws(TopicError)
    -> any TopicReader

  /// Opens a role for writing.
  ///
  /// An `exclusive` writer raises the role's epoch in one transaction, and fences every older
  /// exclusive writer: its next transaction throws `.fenced` before its body runs. A shared writer
  /// (producers) takes no epoch and is never fenced.
  func writer(_ role: WriterRole, exclusive: Bool) throws(TopicError) -> any TopicWriter

  /// The committed position of a group on a partition, as kept by `role`: the role that reads the
  /// partition and commits, not the one that writes it. Nil if never committed.
  func position(of partition: TopicPartition, group: String, role: WriterRole) throws(TopicError)
    -> UInt64?

  /// The committed state value of a role for a key; nil if there is none.
  func state(_ key: String, role: WriterRole) throws(TopicError) -> [UInt8]?

  /// The keys of a role's state that begin with `prefix`, in the order of their UTF-8 bytes.
  func stateKeys(prefix: String, role: WriterRole) throws(TopicError) -> [String]

  /// The present moment of the log. Any commit by any process to any topic changes it.
  func changeToken() -> ChangeToken

  /// Returns true as soon as the log has changed since `token` or ``wake()`` was called since, and
  /// false after the timeout; a timeout of 0 or less only looks. Sleeps in the kernel meanwhile.
  ///
  /// True is a hint: the change may lie in another topic. Use a finite timeout: a process killed
  /// between its commit and its signal leaves followers asleep until the next commit.
  func waitForChange(since token: ChangeToken, timeoutMilliseconds: Int) -> Bool

  /// Ends all waits, in all processes, as if the log had changed. Callable from any thread, but not
  /// from within a signal handler.
  func wake()
}
