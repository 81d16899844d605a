import Features
import Topics

/// What was refused on a log, and what became of it: looked at, replayed or dropped.
///
/// The dead letters themselves never change. What became of them is state of the producers, kept in
/// the transaction that puts the bytes back on their topic: so a refused record is replayed once at
/// most, however many pipelines refused it, however often somebody asks, and whenever the process
/// is killed.
public struct DeadLetters {
  /// What became of a dead letter.
  public enum Status: Sendable, Equatable {
    /// Nothing yet.
    case waiting
    /// Its bytes are on their topic once more.
    case replayed
    /// Somebody has decided that it may stay refused.
    case dropped

    /// The word for it.
    public var word: String {
      switch self {
      case .waiting: "waiting"
      case .replayed: "replayed"
      case .dropped: "dropped"
      }
    }
  }

  /// Names a dead letter: who refused it, and its offset among that one's.
  public struct Reference: Sendable, Hashable, CustomStringConvertible {
    /// The role that wrote it.
    public var role: WriterRole
    /// On the role's `dead-letters`.
    public var offset: UInt64

    /// Reads `scorer-card-fraud/17`; nil if `text` is no reference.
    public init?(_ text: String) {
      let halves = text.split(separator: "/", omittingEmptySubsequences: false)
      guard halves.count == 2, !halves[0].isEmpty, let offset = UInt64(halves[1]) else {
        return nil
      }
      role = WriterRole(String(halves[0]))
      self.offset = offset
    }

    init(_ role: WriterRole, _ offset: UInt64) {
      self.role = role
      self.offset = offset
    }

    /// `scorer-card-fraud/17`.
    public var description: String { "\(role.name)/\(offset)" }
  }

  /// A dead letter as it is found on the log.
  public struct Found: Sendable {
    /// Names it.
    public var reference: Reference
    /// What was refused and why.
    public var letter: DeadLetter
    /// The key of the record that was refused.
    public var key: [UInt8]?
    /// The timestamp of the record that was refused, ms since 1970.
    public var timestamp: Int64
    /// What became of it.
    public var status: Status

    /// Whether putting its bytes back can help: they came from a topic that producers write, and
    /// not a second time.
    public var isReplayable: Bool {
      guard case .record(let partition, _) = letter.source else { return false }
      return [PipelineTopics.events, PipelineTopics.labels].contains(partition)
        && letter.kind != Rejection.duplicate(id: "").kind
    }
  }

  /// Which dead letters are meant; what is nil is not looked at.
  public struct Filter: Sendable {
    /// These only; nil: all.
    public var references: Set<Reference>?
    /// The topic it was refused from.
    public var topic: String?
    /// The kind of refusal.
    public var kind: String?
    /// The role that refused it.
    public var role: String?
    /// Refused at this time or later, ms since 1970.
    public var since: Int64?
    /// Refused before this time, ms since 1970.
    public var until: Int64?
    /// What became of it.
    public var status: Status?

    /// All dead letters.
    public init() {}

    func accepts(_ found: Found) -> Bool {
      if let references, !references.contains(found.reference) { return false }
      if let topic {
        guard case .record(let partition, _) = found.letter.source, partition.topic == topic else {
          return false
        }
      }
      return kind ?? found.letter.kind == found.letter.kind
        && role ?? found.reference.role.name == found.reference.role.name
        && found.letter.time >= since ?? .min && found.letter.time < until ?? .max
        && status ?? found.status == found.status
    }
  }

  /// A dead letter that cannot be put back.
  public struct ReplayError: Error, CustomStringConvertible {
    /// Which and why.
    public let description: String
  }

  private let log: any TopicLog
  private static let prefix = "dead-letters/"
  /// Dead letters handled in a transaction.
  private static let atOnce = 500

  /// The dead letters of a log; nothing is read yet.
  public init(log: any TopicLog) { self.log = log }

  /// Calls `body` for each dead letter that the filter accepts, role by role, oldest first, until
  /// it returns false.
  /// - Parameter damage: gets what cannot be read; it is stepped over.
  public func forEach(
    _ filter: Filter = .init(), damage: (TopicError) -> Void = { _ in },
    _ body: (Found) throws -> Bool
  ) throws {
    let settled = try settled()
    var goesOn = true
    for partition in try log.describe() where partition.partition == PipelineTopics.deadLetters {
      var reader = SteppingReader(
        try log.reader(partition.partition, of: partition.role), from: partition.startOffset)
      try reader.read(damage: damage) { record in
        guard goesOn else { return false }
        guard let letter = DeadLetter(json: Array(record.value)) else {
          damage(
            TopicError(
              .corrupt, "not a dead letter", partition: partition.partition, offset: record.offset))
          return true
        }
        let reference = Reference(partition.role, record.offset)
        let status: Status =
          settled.contains(Self.key(replayed: letter, reference))
          ? .replayed : settled.contains(Self.key(dropped: reference)) ? .dropped : .waiting
        let found = Found(
          reference: reference, letter: letter, key: record.key.map(Array.init),
          timestamp: record.timestamp, status: status)
        if filter.accepts(found) { goesOn = try body(found) }
        return goesOn
      }
    }
  }

  /// Puts the bytes of waiting dead letters back on the topics they came from.
  /// - Parameter value: takes the place of their bytes; nil: as they came.
  /// - Returns: which were put back; those that others settled meanwhile are not among them.
  /// - Throws: `ReplayError` for one that came from a file or a topic that producers do not write,
  ///   unless there is a `value`; what was put back before stays.
  @discardableResult
  public func replay(_ letters: [Found], value: [UInt8]? = nil) throws -> [Reference] {
    try settle(letters, key: { Self.key(replayed: $0.letter, $0.reference) }) {
      transaction, found in
      let topic: TopicPartition
      switch found.letter.source {
      case .record(let partition, _)
      where [PipelineTopics.events, PipelineTopics.labels].contains(partition):
        topic = partition
      case .row where value != nil: topic = PipelineTopics.events
      case let source:
        throw ReplayError(
          description: "\(found.reference) came from \(source), where it cannot be put back as it "
            + "is: say with --value what to put on 'events' instead")
      }
      var batch = RecordBatch()
      batch.append(
        key: found.key, value: value ?? found.letter.value, timestamp: found.timestamp)
      try transaction.append(batch, to: topic)
    }
  }

  /// Marks waiting dead letters as dropped; their bytes stay on the log.
  /// - Returns: which were dropped; those that others settled meanwhile are not among them.
  @discardableResult
  public func drop(_ letters: [Found]) throws -> [Reference] {
    try settle(letters, key: { Self.key(dropped: $0.reference) }) { _, _ in }
  }

  private func settle(
    _ letters: [Found], key: (Found) -> String,
    _ body: (any TopicTransaction, Found) throws -> Void
  ) throws -> [Reference] {
    let writer = try log.writer(PipelineTopics.producers, exclusive: false)
    var settled: [Reference] = []
    var rest = letters[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Self.atOnce)
      rest = rest.dropFirst(Self.atOnce)
      settled += try writer.transact { transaction in
        var done: [Reference] = []
        for found in piece {
          let keys = [
            Self.key(replayed: found.letter, found.reference), Self.key(dropped: found.reference),
          ]
          guard try keys.allSatisfy({ try transaction.state($0) == nil }) else { continue }
          try body(transaction, found)
          try transaction.put(state: [], for: key(found))
          done.append(found.reference)
        }
        return done
      }
    }
    return settled
  }

  /// The keys of all that was settled.
  private func settled() throws -> Set<String> {
    Set(try log.stateKeys(prefix: Self.prefix, role: PipelineTopics.producers))
  }

  /// Of the record that was refused: whoever else refused it finds it replayed as well.
  private static func key(replayed letter: DeadLetter, _ reference: Reference) -> String {
    switch letter.source {
    case .record(let partition, let offset): "\(prefix)replayed/\(partition)/\(offset)"
    case .row: "\(prefix)replayed/\(reference)"
    }
  }

  private static func key(dropped reference: Reference) -> String {
    "\(prefix)dropped/\(reference)"
  }
}
