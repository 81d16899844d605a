/// Reads one partition; used by one thread at a time. Keeps no position but the one passed in.
public protocol TopicReader: AnyObject {
  /// The partition read.
  var partition: TopicPartition { get }

  /// The offset of the first record kept; 0 for an empty partition.
  func startOffset() throws(TopicError) -> UInt64

  /// The offset the next record will get; 0 for an empty partition.
  func endOffset() throws(TopicError) -> UInt64

  /// Calls `body` for each record from `offset` on, in order, until `limit` records were given, the
  /// end (as of the call's start) is reached, or `body` returns false; that record counts as given.
  ///
  /// A batch's checksum and lengths are verified before its first record is given; a bad batch
  /// throws `.corrupt` with the offset of the batch's first record, after the records before it
  /// were given. `body` must not call this reader. What `body` throws is passed on. Offsets whose
  /// records were lost, where the log was repaired, are stepped over.
  ///
  /// - Returns: The offset to go on from.
  /// - Throws: ``TopicError`` `.offsetOutOfRange` if `offset` lies before the start or past the end.
  func read(from offset: UInt64, limit: Int, _ body: (RecordView) throws -> Bool) throws -> UInt64

  /// The first offset whose record has a timestamp of `time` (milliseconds since 1970) or later,
  /// nil if there is none. Exact also for timestamps out of order: each batch carries the running
  /// maximum of the partition, which never falls, so this is a binary search over batches and then
  /// a look into one. Every batch looked at is verified.
  func offset(atOrAfter time: Int64) throws(TopicError) -> UInt64?

  /// The first offset of the first batch that begins at `offset` or after it, nil if there is none.
  /// Does not look into batches.
  func batch(atOrAfter offset: UInt64) throws(TopicError) -> UInt64?
}

extension TopicReader {
  /// The first offset of the first batch that begins after `offset`, nil if there is none. A damaged
  /// batch can be stepped over when somebody asks for it: go on from
  /// `nextBatch(after: error.offset)`.
  public func nextBatch(after offset: UInt64) throws(TopicError) -> UInt64? {
    offset < .max ? try batch(atOrAfter: offset + 1) : nil
  }
}
