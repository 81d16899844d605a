import Features
import Logging
import ModelLog
import StateCoding
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
    /// What became of updates.
    public var updates = UpdateCounters()
  }

  /// What became of the records on `models` since a scorer started.
  public struct UpdateCounters: Sendable, Equatable {
    /// Updates that changed what is served.
    public var applied: UInt64 = 0
    /// Updates that were refused, and records that are none.
    public var refused: UInt64 = 0
    /// Those by kind.
    public var refusedByCode: [UpdateError.Code: UInt64] = [:]
    /// Updates that could not be applied because of others that were refused before.
    public var skipped: UInt64 = 0
    /// Updates that came again.
    public var doubled: UInt64 = 0
  }

  /// Counted up with each committed block.
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
  private let updates: UpdateFeed
  /// Refusals of updates that are to be saved.
  private var refusals: UpdateRefusals?
  private let decoder: EventDecoder
  private var identifiers: RecentIdentifiers
  private let labels: any TopicReader
  private var labelDecoder = LabelDecoder()
  /// Where the next label is read, for features that labels feed.
  private var labelPosition: UInt64
  /// Nil if features remember nothing.
  private var checkpoint: MemoryCheckpoint?
  private var hasSaidCrowded = false
  private var engine: ScoringEngine
  private var block: EventBlock
  private var scored = RecordBatch()
  private var decisions = RecordBatch()
  private var deadLetters = RecordBatch()
  private var decision: [UInt8] = []

  /// Under which key the engine's state is kept.
  private static let stateKey = "engine"
  private static let labelsAtOnce = 4096
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
    updates = try UpdateFeed(pipeline: pipeline, log: log, logger: logger, now: now)
    try PipelineMismatch.check(pipeline, againstScorerOf: log)
    writer = try log.writer(topics.scorer, exclusive: true)
    events = try log.reader(PipelineTopics.events, of: PipelineTopics.producers)
    labels = try log.reader(PipelineTopics.labels, of: PipelineTopics.producers)
    let scored = try log.reader(PipelineTopics.scored, of: topics.scorer)
    let start = try events.startOffset()
    let head = try Self.checkpointHead(pipeline, log, topics.scorer, events, labels, scored)
    labelPosition = try max(head?.labels ?? 0, labels.startOffset())
    position = try writer.transact { transaction in
      try transaction.put(
        state: Array(pipeline.definition.utf8), for: PipelineMismatch.definitionKey)
      let position = try transaction.position(
        of: PipelineTopics.events, group: PipelineTopics.scorerGroup)
      // From now on nothing is removed that this scorer has not scored.
      try transaction.commit(
        position: position ?? start, of: PipelineTopics.events, group: PipelineTopics.scorerGroup)
      try head?.put(in: transaction)
      return position ?? start
    }
    decoder = EventDecoder(schema: pipeline.schema, readsLabel: false)
    identifiers = try RecentIdentifiers(
      capacity: pipeline.schema.uniqueWithin, scored: scored,
      decisions: log.reader(PipelineTopics.decisions, of: topics.scorer))
    engine = ScoringEngine(pipeline: pipeline, capacity: Self.blockSize)
    block = EventBlock(schema: pipeline.schema, capacity: Self.blockSize)
    if let head {
      let events = try restoreMemory(from: head, role: topics.scorer, scored)
      checkpoint = MemoryCheckpoint(head: head, events: events)
    } else if let state = try log.state(Self.stateKey, role: topics.scorer) {
      try engine.restorePiece(0, state)
    }
    updates.begin()
    try serveNewest()
    logger.info(
      "scorer ready",
      metadata: [
        "pipeline": "\(pipeline.name)", "position": "\(position)", "epoch": "\(writer.epoch)",
        "models": "\(servedNames)",
      ])
  }

  /// What windows remember; nil if there are none.
  public var windows: WindowMemory? { engine.windows }

  /// Names of the versions that are served.
  public var servedNames: [String] { engine.served.compactMap { $0?.header.name } }

  /// Scores until it is asked to stop or, if `untilEnd`, until no event is left.
  ///
  /// Updates are made ready beside the scoring of events, which does not wait for them. With
  /// `untilEnd` each block is scored by the newest parameters there are.
  /// - Parameter progress: called after each committed block.
  public func run(
    stop: StopSignal, untilEnd: Bool = false, progress: (Counters) -> Void = { _ in }
  ) throws {
    try scoreEvents(stop, untilEnd, progress)
    // What was refused meanwhile is kept on record, too.
    try serveNewest()
    try saveRefusals()
  }

  private func scoreEvents(
    _ stop: StopSignal, _ untilEnd: Bool, _ progress: (Counters) -> Void
  ) throws {
    defer { updates.finish() }
    while !stop.isRequested {
      let token = log.changeToken()
      try updates.look(waits: untilEnd)
      try serveNewest()
      try keeper?.tend(writer, on: log)
      if try scoreBlock() {
        progress(counters)
        continue
      }
      if untilEnd { return }
      try saveRefusals()
      // The timeout is only a net under the wake-up.
      _ = log.waitForChange(since: token, timeoutMilliseconds: 1000)
    }
  }

  /// Swaps in the parameters that are ready.
  private func serveNewest() throws {
    guard let news = try updates.take() else { return }
    for (model, now) in zip(news.served, engine.served) {
      if let model, model.header != now?.header { try engine.serve(model) }
    }
    counters.updates = news.counters
    refusals = news.refusals ?? refusals
  }

  /// Saves what was refused while no block is written.
  private func saveRefusals() throws {
    guard refusals != nil else { return }
    try writer.transact { try putRefusals(in: $0) }
    refusals = nil
  }

  private func putRefusals(in transaction: any TopicTransaction) throws {
    guard let refusals else { return }
    try transaction.put(state: refusals.bytes, for: UpdateRefusals.key)
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
    try readLabels()
    scored.removeAll()
    decisions.removeAll()
    let (alerts, late) = block.isEmpty ? (0, 0) : scoreDecoded(through: next)
    let share = checkpoint?.share(events: block.count)
    let scoredEnd = try writer.transact { transaction in
      let first = try transaction.append(scored, to: PipelineTopics.scored)
      try transaction.append(decisions, to: PipelineTopics.decisions)
      try transaction.append(deadLetters, to: PipelineTopics.deadLetters)
      if pipeline.plan.usesLabels {
        try transaction.commit(
          position: labelPosition, of: PipelineTopics.labels, group: PipelineTopics.readGroup)
      }
      if let share {
        try share.put(in: transaction)
      } else if !block.isEmpty {
        try transaction.put(state: engine.encodePiece(0), for: Self.stateKey)
      }
      try transaction.commit(
        position: next, of: PipelineTopics.events, group: PipelineTopics.scorerGroup)
      try putRefusals(in: transaction)
      return first + UInt64(scored.count)
    }
    refusals = nil
    position = next
    if let share {
      checkpoint?.didPut(share, events: block.count)
      if !block.isEmpty {
        checkpoint?.beginIfDue(
          engine, events: next, labels: pipeline.plan.usesLabels ? labelPosition : nil,
          scored: scoredEnd)
      }
    }
    counters.events += UInt64(block.count)
    counters.alerts += UInt64(alerts)
    counters.late += UInt64(late)
    counters.refused += UInt64(deadLetters.count)
    sayIfCrowded()
    return true
  }

  // MARK: What features remember

  /// Warns once that windows let go of what they should hold.
  private func sayIfCrowded() {
    guard !hasSaidCrowded, let counters = engine.windowCounters, counters.crowded > 0 else {
      return
    }
    hasSaidCrowded = true
    logger.warning(
      "no room in windows for all entities, events or labels: features lack what went early",
      metadata: [
        "crowded_out": "\(counters.crowdedOut)",
        "forgotten": "\(counters.forgotten)",
        "labels_not_kept": "\(counters.labelsNotKept)",
      ])
  }

  /// Reads the labels that are there, a bounded number ahead of event time. What is no label becomes
  /// the trainer's dead letter.
  /// - Parameter end: no label from this offset on.
  private func readLabels(through end: UInt64 = .max) throws {
    guard pipeline.plan.usesLabels, labelPosition < end else { return }
    // The first label that is not taken; reading would go on behind it.
    var stop: UInt64?
    let next = try labels.read(from: labelPosition, limit: Self.labelsAtOnce) { record in
      var isTaken = record.offset < end
      if isTaken {
        do throws(Rejection) {
          let label = try labelDecoder.decode(record.value)
          isTaken = engine.takeLabel(
            id: label.eventID, label.label, time: label.time, timestamp: record.timestamp)
        } catch {
          // The trainer makes a dead letter of it.
        }
      }
      if !isTaken { stop = record.offset }
      return isTaken
    }
    labelPosition = stop ?? next
  }

  /// The newest image's head; where there is none yet, one from which all is taken in that is still
  /// on the topics. Nil if features remember nothing.
  private static func checkpointHead(
    _ pipeline: Pipeline, _ log: any TopicLog, _ role: WriterRole, _ events: any TopicReader,
    _ labels: any TopicReader, _ scored: any TopicReader
  ) throws -> MemoryCheckpoint.Head? {
    guard pipeline.plan.remembers else { return nil }
    if let bytes = try log.state(MemoryCheckpoint.headKey, role: role) {
      return try MemoryCheckpoint.Head(bytes: bytes)
    }
    return MemoryCheckpoint.Head(
      number: 0, events: try events.startOffset(),
      labels: pipeline.plan.usesLabels ? try labels.startOffset() : nil,
      scored: try scored.startOffset(), pieces: 0)
  }

  /// Loads the image and takes in what was scored after it, in the same order as then.
  /// - Returns: the events taken in.
  private func restoreMemory(
    from head: MemoryCheckpoint.Head, role: WriterRole, _ scored: any TopicReader
  ) throws -> Int {
    for piece in 0..<head.pieces {
      guard
        let bytes = try log.state(MemoryCheckpoint.pieceKey(head.number, piece), role: role)
      else { throw StateError.truncated }
      try engine.restorePiece(piece, bytes)
    }
    let start = try events.startOffset()
    var next = max(head.events, start)
    var from = try max(head.scored, scored.startOffset())
    var count = 0
    var gone = 0
    while true {
      let to = try scored.read(from: from, limit: 64) { record in
        let block = try ScoredBlock(bytes: [UInt8](record.value))
        gone += try takeIn(block, from: next)
        next = max(start, block.readThrough.events)
        count += block.rows
        return true
      }
      guard to > from else { break }
      from = to
    }
    if gone > 0 {
      logger.warning(
        "events that were scored are gone: windows that reach back to them are too small",
        metadata: ["events": "\(gone)", "of": "\(count)"])
    }
    logger.info(
      "features remember",
      metadata: [
        "image": "\(head.number)", "events_since": "\(count)",
        "entities": "\(engine.windows?.entityCount ?? 0)",
        "windowed_events": "\(engine.windows?.entryCount ?? 0)",
      ])
    return count
  }

  /// Takes the events of a scored block in again, with the labels known then.
  /// - Returns: how many of them are no more on the topic.
  private func takeIn(_ scored: ScoredBlock, from start: UInt64) throws -> Int {
    let (end, labelEnd) = scored.readThrough
    while labelPosition < labelEnd {
      let before = labelPosition
      try readLabels(through: labelEnd)
      guard labelPosition > before else { break }
    }
    block.removeAll()
    var row = 0
    var gone = 0
    var from = start
    while from < end, row < scored.rows {
      let to = try events.read(from: from, limit: Self.blockSize) { record in
        guard record.offset < end, row < scored.rows else { return false }
        let taken: Void? = try? decoder.decode(
          json: record.value, position: record.offset, timestamp: record.timestamp, into: &block)
        guard taken != nil else { return true }
        let id = block.id(block.count - 1)
        // What was refused then is in no row; and rows before the one that it is in are gone.
        guard let found = (row..<scored.rows).first(where: { scored.hasID(id, row: $0) }) else {
          block.removeLast()
          return true
        }
        gone += found - row
        row = found + 1
        return true
      }
      guard to > from else { break }
      from = to
    }
    engine.remember(block)
    return gone + scored.rows - row
  }

  /// Scores the block and lays its outputs out; gives the numbers of alerts and of late events.
  private func scoreDecoded(through next: UInt64) -> (alerts: Int, late: Int) {
    var (alerts, late) = (0, 0)
    let result = engine.score(block, readThrough: (next, labelPosition))
    // Read once a block: a property of a class is retained each time, and so is all that is in it.
    let (engine, block) = (engine, block)
    for row in 0..<block.count {
      decision.removeAll(keepingCapacity: true)
      engine.writeDecision(row: row, of: block, into: &decision)
      decision.withUnsafeBytes { value in
        block.id(row).withUnsafeBytes { id in
          decisions.append(key: id, value: value, timestamp: block.times[row])
        }
      }
      if result.outcome(row) == .alert { alerts += 1 }
      if engine.isLate(row: row) { late += 1 }
    }
    result.bytes.withUnsafeBytes {
      // Event time, which an event dated far ahead does not move: what is asked by time is found.
      scored.append(key: nil, value: $0, timestamp: engine.eventTime ?? 0)
    }
    return (alerts, late)
  }
}
