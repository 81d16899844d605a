/// Writes as one role; used by one thread at a time.
public protocol TopicWriter: AnyObject {
  /// The role written as.
  var role: WriterRole { get }

  /// The epoch this writer holds: 1 for the role's first exclusive writer, rising by one with each;
  /// 0 for a shared writer.
  var epoch: UInt64 { get }

  /// Runs `body` in a transaction: everything in it becomes visible at once or not at all, and a
  /// throw aborts it. Wakes followers after the commit. Transactions of one role wait for each
  /// other, also across processes, so keep slow work outside.
  ///
  /// `body` may run more than once, each time from the start: what an earlier run wrote is undone
  /// first, as when a log on disk has to be given more room. It must not keep effects outside the
  /// transaction that a further run would double.
  ///
  /// - Throws: What `body` throws; ``TopicError`` `.fenced` before `body` runs if a newer exclusive
  ///   writer exists; `.invalid` inside a transaction of the same role on the same thread.
  @discardableResult
  func transact<T>(_ body: (any TopicTransaction) throws -> T) throws -> T
}

/// The operations of a transaction; valid only inside the body it was passed to. It sees its own
/// writes.
public protocol TopicTransaction: AnyObject {
  /// Appends the batch and returns its first offset; an empty batch changes nothing and returns the
  /// end offset.
  @discardableResult
  func append(_ batch: RecordBatch, to partition: TopicPartition) throws(TopicError) -> UInt64

  /// Removes whole batches from the start of a partition, as far as all their records lie before
  /// `offset`: at most `limit` of them, and never the last batch, by which the end is remembered.
  /// Damaged batches go like others. Readers whose position lies before the new start are told so
  /// by `.offsetOutOfRange`.
  ///
  /// The bytes are used again for what is appended later; a file on disk does not become smaller.
  /// - Returns: The offset of the first record kept; 0 for an empty partition.
  @discardableResult
  func trim(_ partition: TopicPartition, before offset: UInt64, limit: Int) throws(TopicError)
    -> UInt64

  /// Removes batches as ``trim(_:before:limit:)`` does, as far as `retention` says.
  /// - Parameters:
  ///   - keepingFrom: The position of the slowest reader: what lies at or behind it is kept.
  ///   - now: The time of day, ms since 1970.
  ///   - limit: The most batches to look at and to remove.
  /// - Returns: The offset of the first record kept; 0 for an empty partition.
  @discardableResult
  func retain(
    _ partition: TopicPartition, by retention: Retention, keepingFrom: UInt64?, now: Int64,
    limit: Int
  ) throws(TopicError) -> UInt64

  /// Keeps `position`, the offset to go on from, for a group on a partition of any role.
  func commit(position: UInt64, of partition: TopicPartition, group: String) throws(TopicError)

  /// The position kept for a group on a partition; nil if never committed.
  func position(of partition: TopicPartition, group: String) throws(TopicError) -> UInt64?

  /// Keeps a state value under a key of 1 to 500 UTF-8 bytes without NUL, replacing what was there.
  func put(state: [UInt8], for key: String) throws(TopicError)

  /// Removes a state value; not an error if there is none.
  func removeState(_ key: String) throws(TopicError)

  /// The state value for a key; nil if there is none.
  func state(_ key: String) throws(TopicError) -> [UInt8]?
}
