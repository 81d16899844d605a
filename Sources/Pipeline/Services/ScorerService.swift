import Features
import Logging
import ModelLog
import Topics

/// Follows `events` and `models`: scores whatever is there, without waiting for a block to fill,
/// and swaps parameters between two blocks. Each block's outputs (`scored`, `decisions`,
/// `dead-letters`) and the position in `events` become visible in one transaction, so an event has
/// exactly one decision however often the process is killed.
public final class ScorerService {
  /// What a scorer did since it started.
  public struct Counters: Sendable, Equatable {
    /// Events scored and decided.
    public var events: UInt64 = 0
    /// Those of them that lie further behind event time than the pipeline allows.
    public var late: UInt64 = 0
    /// Those of them whose outcome is an alert.
    public var alerts: UInt64 = 0
    /// Records that became dead letters.
    public var refused: UInt64 = 0
    /// Updates that changed what is served.
    public var updatesApplied: UInt64 = 0
    /// Updates that were refused, and records on `models` that are none.
    public var updatesRefused: UInt64 = 0
    /// Those by kind.
    public var refusedByCode: [UpdateError.Code: UInt64] = [:]
    /// Updates that could not be applied because of others that were refused before.
    public var updatesSkipped: UInt64 = 0
    /// Updates that came again.
    public var updatesDoubled: UInt64 = 0
  }

  /// Counted up with each block; a block whose commit fails is counted too.
  public private(set) var counters = Counters()
  /// Where the next event is read.
  public private(set) var position: UInt64

  private let pipeline: Pipeline
  private let log: any TopicLog
  private let logger: Logger
  private let now: @Sendable () -> Int64
  private var keeper: TopicKeeper?
  private let writer: any TopicWriter
  private let events: any TopicReader
  private var updates: UpdateFollower
  private let decoder: EventDecoder
  private var identifiers: RecentIdentifiers
  private var engine: ScoringEngine
  private var block: EventBlock
  private var scored = RecordBatch()
  private var decisions = RecordBatch()
  private var deadLetters = RecordBatch()
  private var decision: [UInt8] = []

  /// Under which key the engine's state is kept.
  private static let stateKey = "engine"
  /// The most events scored at once.
  static let blockSize = 256

  /// Opens the topics, takes over from an older scorer of the pipeline, and loads the newest
  /// parameters.
  /// - Parameters:
  ///   - now: the time of day, ms since 1970.
  ///   - keeper: applies retention to what the service writes; nil: everything is kept.
  /// - Throws: `TopicError`, or `PipelineMismatch` if the parameters on `models` were made by
  ///   another pipeline file; nothing is consumed then.
  public init(
    pipeline: Pipeline, log: any TopicLog, logger: Logger, now: @escaping @Sendable () -> Int64,
    keeper: TopicKeeper? = nil
  ) throws {
    let topics = PipelineTopics(pipeline: pipeline.name)
    self.pipeline = pipeline
    self.log = log
    self.logger = logger
    self.now = now
    self.keeper = keeper
    updates = try UpdateFollower(pipeline: pipeline, log: log, logger: logger, now: now)
    try PipelineMismatch.check(pipeline, againstScorerOf: log)
    writer = try log.writer(topics.scorer, exclusive: true)
    events = try log.reader(PipelineTopics.events, of: PipelineTopics.producers)
    let start = try events.startOffset()
    position = try writer.transact { transaction in
      try transaction.put(
        state: Array(pipeline.definition.utf8), for: PipelineMismatch.definitionKey)
      let position = try transaction.position(
        of: PipelineTopics.events, group: PipelineTopics.scorerGroup)
      // From now on nothing is removed that this scorer has not scored.
      try transaction.commit(
        position: position ?? start, of: PipelineTopics.events, group: PipelineTopics.scorerGroup)
      return position ?? start
    }
    decoder = EventDecoder(schema: pipeline.schema, readsLabel: false)
    identifiers = try Self.recentIdentifiers(
      on: log.reader(PipelineTopics.scored, of: topics.scorer),
      capacity: pipeline.schema.uniqueWithin)
    engine = ScoringEngine(pipeline: pipeline, capacity: Self.blockSize)
    block = EventBlock(schema: pipeline.schema, capacity: Self.blockSize)
    if let state = try log.state(Self.stateKey, role: topics.scorer) {
      try engine.restore(state: state)
    }
    try updates.begin(&engine, &counters)
    logger.info(
      "scorer ready",
      metadata: [
        "pipeline": "\(pipeline.name)", "position": "\(position)", "epoch": "\(writer.epoch)",
        "models": "\(servedNames)",
      ])
  }

  /// Names of the versions that are served.
  public var servedNames: [String] { engine.served.compactMap { $0?.header.name } }

  /// Scores until it is asked to stop or, if `untilEnd`, until no event is left.
  /// - Parameter progress: called after each committed block.
  public func run(
    stop: StopSignal, untilEnd: Bool = false, progress: (Counters) -> Void = { _ in }
  ) throws {
    while !stop.isRequested {
      let token = log.changeToken()
      try updates.follow(&engine, &counters)
      try keeper?.tend(writer, on: log)
      if try scoreBlock() {
        progress(counters)
        continue
      }
      try saveRefusals()
      if untilEnd { return }
      // The timeout is only a net under the wake-up.
      _ = log.waitForChange(since: token, timeoutMilliseconds: 1000)
    }
  }

  /// Saves what was refused while no block is written.
  private func saveRefusals() throws {
    guard updates.hasUnsaved else { return }
    try writer.transact { try putRefusals(in: $0) }
    updates.didSave()
  }

  private func putRefusals(in transaction: any TopicTransaction) throws {
    guard updates.hasUnsaved else { return }
    try transaction.put(state: updates.refusals.bytes, for: UpdateRefusals.key)
  }

  /// Scores the events that are there, up to a block; false if there are none.
  private func scoreBlock() throws -> Bool {
    block.removeAll()
    deadLetters.removeAll()
    let next = try events.read(from: position, limit: Self.blockSize) { record in
      do throws(Rejection) {
        try decoder.decode(
          json: record.value, position: record.offset, timestamp: record.timestamp, into: &block)
        try block.checkLastIsNew(&identifiers)
      } catch {
        DeadLetter.append(
          record, of: PipelineTopics.events, refused: error, time: now(), to: &deadLetters)
      }
      return true
    }
    guard next > position else { return false }
    scored.removeAll()
    decisions.removeAll()
    let alerts = block.isEmpty ? 0 : scoreDecoded()
    try writer.transact { transaction in
      try transaction.append(scored, to: PipelineTopics.scored)
      try transaction.append(decisions, to: PipelineTopics.decisions)
      try transaction.append(deadLetters, to: PipelineTopics.deadLetters)
      if !block.isEmpty { try transaction.put(state: engine.encodeState(), for: Self.stateKey) }
      try transaction.commit(
        position: next, of: PipelineTopics.events, group: PipelineTopics.scorerGroup)
      try putRefusals(in: transaction)
    }
    updates.didSave()
    position = next
    counters.events += UInt64(block.count)
    counters.alerts += UInt64(alerts)
    counters.refused += UInt64(deadLetters.count)
    return true
  }

  /// The identifiers of the events scored last, which must not be scored again.
  private static func recentIdentifiers(
    on scored: any TopicReader, capacity: Int
  ) throws -> RecentIdentifiers {
    var identifiers = RecentIdentifiers(capacity: capacity)
    guard capacity > 0 else { return identifiers }
    // How many events a block has is only known by reading it, so pieces of the topic are read from
    // its end backwards until there are enough.
    let start = try scored.startOffset()
    var from = try scored.endOffset()
    var pieces: [[UInt64]] = []
    var events = 0
    while from > start, events < capacity {
      let end = from
      from -= min(1024, from - start)
      var piece: [UInt64] = []
      _ = try scored.read(from: from, limit: Int(end - from)) { record in
        // Where records were lost, what follows is read in the piece after it.
        guard record.offset < end else { return false }
        try ScoredBlock.forEachIdentifier(in: record.value) {
          piece.append(RecentIdentifiers.hash($0))
        }
        return true
      }
      events += piece.count
      pieces.append(piece)
    }
    for hash in pieces.reversed().joined() { _ = identifiers.insert(hash: hash) }
    return identifiers
  }

  /// Scores the block and lays its outputs out; gives the number of alerts.
  private func scoreDecoded() -> Int {
    var alerts = 0
    let result = engine.score(block)
    for row in 0..<block.count {
      decision.removeAll(keepingCapacity: true)
      engine.writeDecision(row: row, of: block, into: &decision)
      decision.withUnsafeBytes { value in
        block.id(row).withUnsafeBytes { id in
          decisions.append(key: id, value: value, timestamp: block.times[row])
        }
      }
      if result.outcome(row) == .alert { alerts += 1 }
      if engine.isLate(row: row) { counters.late += 1 }
    }
    result.bytes.withUnsafeBytes {
      // Event time, which an event dated far ahead does not move: what is asked by time is found.
      scored.append(key: nil, value: $0, timestamp: engine.eventTime ?? 0)
    }
    return alerts
  }
}
