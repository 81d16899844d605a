/// What went wrong with a topic log: what, where, and whether trying again can help.
public struct TopicError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of an error. More kinds may come; compare with the constants.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The kind's name, as in messages.
    public let description: String

    /// Names a kind; for backends.
    public init(_ name: String) { description = name }

    /// A newer exclusive writer has taken over the role; nothing was written.
    public static let fenced = Code("fenced")
    /// Stored bytes are damaged; the error names the partition and the offset.
    public static let corrupt = Code("corrupt")
    /// A folder or log that has to exist does not, or was deleted under the running process.
    public static let notFound = Code("not found")
    /// The operating system refused a read or a write.
    public static let io = Code("i/o error")
    /// The disk, the map or a table is full; nothing was written.
    public static let full = Code("full")
    /// The folder was written by a version of the format that this one does not know.
    public static let formatMismatch = Code("format mismatch")
    /// The call itself is wrong: a name, a size, or a call at a time when it is not allowed.
    public static let invalid = Code("invalid")
    /// A write to a log opened read-only.
    public static let readOnly = Code("read-only")
    /// The offset lies before the partition's first record or past its end.
    public static let offsetOutOfRange = Code("offset out of range")
  }

  /// The kind of the error.
  public let code: Code
  /// What happened, in a sentence.
  public let reason: String
  /// The folder concerned, or what names the log in its backend.
  public var folder: String?
  /// The partition concerned.
  public var partition: TopicPartition?
  /// The offset concerned: of the record asked for, or of the damaged batch's first record.
  public var offset: UInt64?
  /// Whether the same call can succeed later without anybody repairing anything.
  public let isRetriable: Bool

  /// Describes a failure; for backends.
  public init(
    _ code: Code, _ reason: String, folder: String? = nil, partition: TopicPartition? = nil,
    offset: UInt64? = nil, isRetriable: Bool = false
  ) {
    self.code = code
    self.reason = reason
    self.folder = folder
    self.partition = partition
    self.offset = offset
    self.isRetriable = isRetriable
  }

  /// The kind, the reason, and every place that is known.
  public var description: String {
    var places: [String] = []
    if let folder { places.append("folder \(folder)") }
    if let partition { places.append("topic \(partition)") }
    if let offset { places.append("offset \(offset)") }
    let place = places.isEmpty ? "" : " (\(places.joined(separator: ", ")))"
    return "\(code): \(reason)\(place)"
  }

  func at(
    folder: String? = nil, partition: TopicPartition? = nil, offset: UInt64? = nil
  ) -> TopicError {
    var error = self
    error.folder = error.folder ?? folder
    error.partition = error.partition ?? partition
    error.offset = error.offset ?? offset
    return error
  }

  static func outOfRange(_ offset: UInt64, start: UInt64, end: UInt64) -> TopicError {
    TopicError(
      .offsetOutOfRange, "the partition holds offsets \(start)..<\(end)", offset: offset)
  }

  static func corrupt(_ reason: String, offset: UInt64) -> TopicError {
    TopicError(.corrupt, reason, offset: offset)
  }
}
