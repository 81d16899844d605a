/// What a partition holds, as found by ``TopicLog/describe()``.
public struct TopicDescription: Hashable, Sendable {
  /// The partition described.
  public let partition: TopicPartition
  /// The role that writes it.
  public let role: WriterRole
  /// The offset of the first record that is kept.
  public let startOffset: UInt64
  /// The offset the next record will get.
  public let endOffset: UInt64
  /// The first record's timestamp, in milliseconds since 1970; nil if there is no record.
  public let firstTimestamp: Int64?
  /// The last record's timestamp, in milliseconds since 1970; nil if there is no record.
  public let lastTimestamp: Int64?
  /// The greatest timestamp ever appended, in milliseconds since 1970; nil if there is no record.
  public let maximumTimestamp: Int64?
  /// The bytes the partition takes in its backend; on the embedded log, whole pages.
  public let bytes: Int

  /// The number of offsets that are kept; lost records, where the log was repaired, count as well.
  public var recordCount: UInt64 { endOffset - startOffset }

  /// Describes a partition; for backends.
  public init(
    partition: TopicPartition, role: WriterRole, startOffset: UInt64, endOffset: UInt64,
    firstTimestamp: Int64?, lastTimestamp: Int64?, maximumTimestamp: Int64?, bytes: Int
  ) {
    self.partition = partition
    self.role = role
    self.startOffset = startOffset
    self.endOffset = endOffset
    self.firstTimestamp = firstTimestamp
    self.lastTimestamp = lastTimestamp
    self.maximumTimestamp = maximumTimestamp
    self.bytes = bytes
  }
}
