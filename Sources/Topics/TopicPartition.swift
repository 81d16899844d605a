/// One partition of a topic: the unit that is ordered, and that has offsets of its own.
public struct TopicPartition: Hashable, Sendable, CustomStringConvertible {
  /// The topic's name: 1 to 200 letters, digits, `.`, `_` or `-`. Checked where it is used.
  public var topic: String
  /// The partition's number, from 0.
  public var partition: Int

  /// Names a partition; nothing is checked or opened until it is used.
  public init(_ topic: String, partition: Int = 0) {
    self.topic = topic
    self.partition = partition
  }

  /// `topic/partition`, as in messages.
  public var description: String { "\(topic)/\(partition)" }
}
