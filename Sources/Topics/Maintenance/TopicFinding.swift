/// Something that is not as it was written.
public struct TopicFinding: Hashable, Sendable, CustomStringConvertible {
  /// Whose environment; nil for the folder's own files.
  public var role: WriterRole?
  /// The partition concerned; nil for other things of the role.
  public var partition: TopicPartition?
  /// The first offset concerned, nil if no offset is.
  public var firstOffset: UInt64?
  /// The offset behind the last one concerned; nil if that is not known, or no offset is.
  public var endOffset: UInt64?
  /// The key of a position, a state value or a description of the role, after its database's name:
  /// `state engine`.
  public var key: String?
  /// What is wrong, in a sentence without a full stop.
  public var reason: String

  /// Describes a finding.
  public init(
    role: WriterRole? = nil, partition: TopicPartition? = nil, firstOffset: UInt64? = nil,
    endOffset: UInt64? = nil, key: String? = nil, reason: String
  ) {
    self.role = role
    self.partition = partition
    self.firstOffset = firstOffset
    self.endOffset = endOffset
    self.key = key
    self.reason = reason
  }

  /// The places that are known, then the reason.
  public var description: String {
    var places: [String] = []
    if let role { places.append("role \(role)") }
    if let partition { places.append("topic \(partition)") }
    if let firstOffset {
      places.append("offsets \(firstOffset)..<\(endOffset.map(String.init) ?? "?")")
    }
    if let key { places.append(key) }
    return (places.isEmpty ? "folder" : places.joined(separator: ", ")) + ": " + reason
  }
}

/// What one role's environment holds, and what is wrong with it.
public struct RoleReport: Sendable {
  /// A partition, as far as it is sound.
  public struct Partition: Sendable {
    /// Which one.
    public var partition: TopicPartition
    /// The first offset there is.
    public var startOffset: UInt64 = 0
    /// The offset behind the last one there is.
    public var endOffset: UInt64 = 0
    /// Sound batches, without those that stand for lost records.
    public var batches = 0
    /// Records in them.
    public var records = 0
    /// Bytes of them.
    public var bytes = 0
    /// Offsets whose records were lost at an earlier repair.
    public var gaps: [Range<UInt64>] = []
  }

  /// A position that the role has committed.
  public struct Position: Hashable, Sendable {
    /// The name it is kept under.
    public var group: String
    /// The partition that was read; which role writes it is not kept.
    public var partition: TopicPartition
    /// The offset of the first record not read yet.
    public var offset: UInt64
  }

  /// Whose environment.
  public let role: WriterRole
  /// What is damaged; empty if all is as it was written.
  public internal(set) var findings: [TopicFinding] = []
  /// Records that are as they were written, and wrong all the same.
  public internal(set) var badRecords: [TopicFinding] = []
  /// All partitions, by name.
  public internal(set) var partitions: [Partition] = []
  /// All positions that are sound.
  public internal(set) var positions: [Position] = []
  /// The keys of the state values that are sound.
  public internal(set) var stateKeys: [String] = []
  /// The epoch; nil if it is damaged, 0 if there never was an exclusive writer.
  public internal(set) var epoch: UInt64?
  /// The size of the data file.
  public internal(set) var fileBytes: UInt64 = 0
  /// Pages that hold nothing and will be used again.
  public internal(set) var freePages = 0
  /// Pages that neither hold anything nor will be used again; harmless, and gone once compacted.
  public internal(set) var forgottenPages = 0
}
