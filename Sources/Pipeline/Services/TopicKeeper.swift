import Logging
import Topics

/// Applies a folder's retention to what one role writes, a bounded piece at a time, and never removes
/// what somebody on the same log has still to read.
public struct TopicKeeper {
  private let keeper: RetentionKeeper
  private let logger: Logger
  private let now: () -> Int64
  /// When a failure was logged last, ms since 1970.
  private var complainedAt: Int64?
  private static let complainEvery: Int64 = 60_000

  /// A keeper for one service or producer.
  /// - Parameter now: the time of day, ms since 1970.
  public init(_ keeper: RetentionKeeper, logger: Logger, now: @escaping () -> Int64) {
    self.keeper = keeper
    self.logger = logger
    self.now = now
  }

  /// Removes what is over the limits; cheap to call between any two transactions.
  /// - Throws: `TopicError` for what the role's own transactions would meet as well. Settings that
  ///   cannot be read are logged, and the last ones hold; so is a full disk, for which whoever has
  ///   something to write knows what to do.
  mutating func tend(_ writer: any TopicWriter, on log: any TopicLog) throws {
    let role = writer.role
    do {
      let trimmed = try keeper.tend(PipelineTopics.written(by: role), of: writer) { partition in
        try PipelineTopics.oldestNeeded(of: partition, writtenBy: role, on: log)
      }
      for piece in trimmed {
        logger.debug(
          "records past their retention removed",
          metadata: ["topic": "\(piece.partition)", "offsets": "\(piece.offsets)"])
      }
    } catch let error as TopicError where [.invalid, .full, .io].contains(error.code) {
      if let complainedAt, now() - complainedAt < Self.complainEvery { return }
      complainedAt = now()
      logger.error("retention cannot be applied", metadata: ["reason": "\(error)"])
    }
  }
}

extension PipelineTopics {
  /// What a role writes.
  static func written(by role: WriterRole) -> [TopicPartition] {
    if role == producers { return [events, labels, deadLetters] }
    guard let topics = PipelineTopics(role: role) else { return [] }
    return role == topics.scorer ? [scored, decisions, deadLetters] : [models, deadLetters]
  }

  /// The offset from which on a partition is needed; nil if nobody on the log has to read it.
  ///
  /// Events are kept until every scorer has scored them, labels and scored blocks until every
  /// trainer has learnt them: all of them as long as there is none. Of `models` the snapshots that
  /// readers start from are kept, and what follows them.
  static func oldestNeeded(
    of partition: TopicPartition, writtenBy role: WriterRole, on log: any TopicLog
  ) throws -> UInt64? {
    switch partition {
    case events:
      try least(
        slowest(of: partition, group: scorerGroup, on: log) { $0.scorer },
        remembered(partition, on: log))
    case labels:
      try least(
        slowest(of: partition, group: trainerGroup, on: log) { $0.trainer },
        remembered(partition, on: log))
    case scored:
      try PipelineTopics(role: role).flatMap { topics in
        try log.position(of: partition, group: trainerGroup, role: topics.trainer).map {
          try least($0, log.position(of: partition, group: memoryGroup, role: topics.scorer))
        }
      } ?? 0
    case models:
      try PipelineTopics(role: role).flatMap { try UpdateIndex(log: log, topics: $0)?.oldest } ?? 0
    default: nil
    }
  }

  private static func least(_ a: UInt64, _ b: UInt64?) -> UInt64 { b.map { min(a, $0) } ?? a }

  /// From where on scorers need a partition to restore what features remember; nil if none does.
  private static func remembered(
    _ partition: TopicPartition, on log: any TopicLog
  ) throws -> UInt64? {
    try log.describe().compactMap { PipelineTopics(role: $0.role)?.scorer }
      .compactMap { try log.position(of: partition, group: memoryGroup, role: $0) }.min()
  }

  /// The least position of all pipelines on the log; 0 if there is none, and where one has not
  /// begun.
  private static func slowest(
    of partition: TopicPartition, group: String, on log: any TopicLog,
    reader: (PipelineTopics) -> WriterRole
  ) throws -> UInt64 {
    let scorers = Set(try log.describe().compactMap { PipelineTopics(role: $0.role)?.scorer })
    var positions: [UInt64] = []
    for topics in scorers.compactMap(PipelineTopics.init(role:)) {
      if partition == labels, try !learnsFromLabels(topics, on: log) { continue }
      positions.append(
        try log.position(of: partition, group: group, role: reader(topics)) ?? 0)
    }
    return positions.min() ?? 0
  }

  private static func learnsFromLabels(
    _ topics: PipelineTopics, on log: any TopicLog
  ) throws -> Bool {
    guard let bytes = try log.state(PipelineMismatch.definitionKey, role: topics.scorer) else {
      return true
    }
    return Pipeline.hasLabels(definition: String(decoding: bytes, as: UTF8.self))
  }
}
