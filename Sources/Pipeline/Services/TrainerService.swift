import Features
import Logging
import ModelLog
import StateCoding
import Topics

/// Follows `scored` and `labels`, learns, and publishes to `models`. Updates, the trainer's state
/// and its positions become visible in one transaction: after a restart it goes on exactly where
/// the last one stood, and no version is published twice.
public final class TrainerService {
  /// What learns: for its counters and what it holds.
  public private(set) var engine: TrainingEngine

  private let pipeline: Pipeline
  private let topics: PipelineTopics
  private let log: any TopicLog
  private let logger: Logger
  private let now: @Sendable () -> Int64
  private var keeper: TopicKeeper?
  private let writer: any TopicWriter
  private let scored: any TopicReader
  private let labels: any TopicReader
  private var labelDecoder = LabelDecoder()
  private var scoredPosition: UInt64
  private var labelPosition: UInt64
  /// Labels that are read, but given at a later event time.
  /// Labels that are read but not known yet, and where they were read.
  private var waiting = DueQueue<(label: LabelDecoder.Record, offset: UInt64)>()
  private var deadLetters = RecordBatch()
  /// What the next commit writes: more than its own where one before it failed.
  private let outgoing = TrainerOutput()
  /// Where the updates stand from which readers begin.
  private var updateIndex: UpdateIndex
  /// Events and labels taken in since the last commit, and when that was.
  private var uncommitted = 0
  private var committedAt: Int64
  /// Whether more events wait for their label than are held in memory.
  private var overflows = false
  /// When it was logged that commits fail; nil while they work.
  private var failedAt: Int64?

  private static let historyKey = "history/"
  private static let labelsAtOnce = 4096
  /// Labels that may be read ahead of event time.
  private static let labelsAhead = 65_536
  /// Events and labels, and milliseconds, after which state and positions are saved if there was
  /// nothing to publish. Saving costs as much for one event as for many.
  private static let checkpointEvery = 100_000
  private static let checkpointAfter: Int64 = 5000
  /// Events and labels that may be learnt while the topics take nothing, for instance because the
  /// disk is full. They are learnt again from the last commit if the trainer ends.
  private static let learntUnsaved = 200_000
  private static let complainEvery: Int64 = 10_000
  /// Events and labels that are saved as soon as nothing has come for so many milliseconds.
  private static let worthSavingAtPause = 1000
  private static let pause = 200

  /// Opens the topics, takes over from an older trainer of the pipeline, and restores its state.
  /// - Parameters:
  ///   - now: the time of day, ms since 1970.
  ///   - keeper: applies retention to what the service writes; nil: everything is kept.
  /// - Throws: `TopicError`, `StateError`, or `PipelineMismatch` if the state or the parameters on
  ///   `models` were made by another pipeline file; nothing is consumed then.
  public init(
    pipeline: Pipeline, log: any TopicLog, logger: Logger, now: @escaping @Sendable () -> Int64,
    keeper: TopicKeeper? = nil
  ) throws {
    topics = PipelineTopics(pipeline: pipeline.name)
    self.pipeline = pipeline
    self.log = log
    self.logger = logger
    self.now = now
    self.keeper = keeper
    let published = try ModelReader(log: log, topics: topics).readNewest(of: pipeline)
    try PipelineMismatch.check(pipeline, againstScorerOf: log)
    let role = topics.trainer
    let load = { [outgoing] (key: String) throws -> [UInt8]? in
      // What is not committed yet counts as well.
      if let bytes = outgoing.states[key] { return bytes }
      return try log.state(key, role: role)
    }
    // Whether the state fits is found out before the epoch rises and fences a sound trainer; the
    // state is read after that, when nobody changes it any more.
    try TrainingEngine.checkState(pipeline: pipeline, load: load)
    writer = try log.writer(role, exclusive: true)
    scored = try log.reader(PipelineTopics.scored, of: topics.scorer)
    labels = try log.reader(PipelineTopics.labels, of: PipelineTopics.producers)
    let restored = try TrainingEngine(pipeline: pipeline, epoch: writer.epoch, load: load)
    engine = restored ?? TrainingEngine(pipeline: pipeline, epoch: writer.epoch, load: load)
    updateIndex =
      try UpdateIndex(log: log, topics: topics)
      ?? UpdateIndex(
        begunAt: published.isEmpty
          ? 0 : log.reader(PipelineTopics.models, of: role).endOffset())
    scoredPosition =
      try log.position(of: PipelineTopics.scored, group: PipelineTopics.trainerGroup, role: role)
      ?? scored.startOffset()
    let saved = try log.state(LabelPosition.key, role: role).map(LabelPosition.init(bytes:))
    let committed = try log.position(
      of: PipelineTopics.labels, group: PipelineTopics.trainerGroup, role: role)
    let labelStart = try saved ?? LabelPosition(next: committed ?? labels.startOffset())
    labelPosition = labelStart.next
    committedAt = now()
    try findWaiting(labelStart)
    try goOn(behind: published)
    logger.info(
      "trainer ready",
      metadata: [
        "pipeline": "\(pipeline.name)", "epoch": "\(writer.epoch)",
        "resumed": "\(restored != nil)", "scored": "\(scoredPosition)",
        "labels": "\(labelPosition)",
      ])
  }

  /// Reads the labels again that were waiting for their time.
  private func findWaiting(_ saved: LabelPosition) throws {
    for range in saved.waiting {
      _ = try labels.read(from: range.lowerBound, limit: range.count) { record in
        guard range.contains(record.offset) else { return false }
        do throws(Rejection) {
          let label = try labelDecoder.decode(record.value)
          waiting.append((label, record.offset), time: label.time ?? record.timestamp)
        } catch {
          throw TopicError(
            .corrupt, "a label that was readable is so no more: \(error)",
            partition: PipelineTopics.labels, offset: record.offset)
        }
        return true
      }
    }
  }

  /// Numbers go on behind every version that stands on the topic or has scored: after a loss of the
  /// state they must not be used again.
  private func goOn(behind published: [ServedModel]) throws {
    for model in published {
      engine.goOn(behind: model.header.version, of: model.header.model)
    }
    let end = try scored.endOffset()
    guard end > (try scored.startOffset()) else { return }
    _ = try scored.read(from: end - 1, limit: 1) { record in
      let block = try ScoredBlock(bytes: [UInt8](record.value))
      guard block.versions.count == pipeline.models.count else { return false }
      for (model, version) in zip(pipeline.models, block.versions) {
        engine.goOn(behind: version.version, of: model.name)
      }
      return false
    }
  }

  /// Learns until it is asked to stop or, if `untilEnd`, until nothing is left to read.
  /// - Parameter progress: called after each commit with the versions published in it.
  public func run(
    stop: StopSignal, untilEnd: Bool = false, progress: ([ParameterUpdate]) -> Void = { _ in }
  ) throws {
    while !stop.isRequested {
      let token = log.changeToken()
      try keeper?.tend(writer, on: log)
      let read = try readNext()
      uncommitted += read
      let age = now() - committedAt
      if engine.hasUpdates
        || uncommitted >= (failedAt == nil ? Self.checkpointEvery : Self.learntUnsaved)
        || (uncommitted > 0 && age >= Self.checkpointAfter)
      {
        progress(try commit(&engine))
      }
      guard read == 0 else { continue }
      if untilEnd {
        learnLabels(dueBy: nil)
        engine.finish()
        break
      }
      try pause(since: token, progress)
    }
    if uncommitted > 0 || engine.hasUpdates { progress(try commit(&engine, mustSucceed: true)) }
  }

  /// Waits for something to read. If nothing comes, the stream of events is idle, and labels go by
  /// the time of day instead of event time; and what has been learnt is saved.
  private func pause(
    since token: ChangeToken, _ progress: ([ParameterUpdate]) -> Void
  ) throws {
    let idle = uncommitted >= Self.worthSavingAtPause || !waiting.isEmpty
    if log.waitForChange(since: token, timeoutMilliseconds: idle ? Self.pause : 1000) { return }
    let before = waiting.count
    learnLabels(dueBy: now())
    uncommitted += before - waiting.count
    if idle, uncommitted > 0 { progress(try commit(&engine)) }
  }

  /// Takes in the next block of scored events and labels that are there, and learns the labels that
  /// are known by its time. So labels meet event time in order however far behind the trainer
  /// is, and no event matures while its label stands on the topic.
  /// - Returns: how many events and labels were read.
  private func readNext() throws -> Int {
    // Events first: they set the clock that labels go by.
    let events = try readScored()
    let labels = try readLabels()
    if let time = engine.eventTime { learnLabels(dueBy: time) }
    return events + labels
  }

  private func learnLabels(dueBy time: Int64?) {
    waiting.deliver(dueBy: time) { engine.label(id: $0.label.eventID, $0.label.given(at: $1)) }
  }

  private func readScored() throws -> Int {
    var events = 0
    scoredPosition = try scored.read(from: scoredPosition, limit: 1) { record in
      let block = try ScoredBlock(bytes: [UInt8](record.value))
      guard block.fingerprint == pipeline.fingerprint, block.features == pipeline.plan.count,
        block.versions.count == pipeline.models.count
      else {
        throw TopicError(
          .invalid, "scored by another pipeline file than '\(pipeline.name)' is now",
          partition: PipelineTopics.scored, offset: record.offset)
      }
      engine.observe(block)
      events += block.rows
      return true
    }
    return events
  }

  /// Reads labels, a bounded number ahead of event time. One without a time of its own is known
  /// at once, and so is one that is dated too far ahead to be waited for.
  private func readLabels() throws -> Int {
    guard let policy = pipeline.labels else { return 0 }
    if waiting.count >= Self.labelsAhead {
      // Room comes as event time goes on, unless all of them are dated so far ahead that events
      // would mature before, their labels unread behind these.
      guard let time = engine.eventTime, let earliest = waiting.earliest,
        earliest > time + policy.delay
      else { return 0 }
      learnLabels(dueBy: nil)
    }
    var count = 0
    labelPosition = try labels.read(from: labelPosition, limit: Self.labelsAtOnce) { record in
      count += 1
      do throws(Rejection) {
        let label = try labelDecoder.decode(record.value)
        guard let time = label.time else {
          engine.label(id: label.eventID, label.given(at: record.timestamp))
          return true
        }
        if let now = engine.eventTime, time > now + EventClock.leap {
          // Given now: dated so far ahead, nothing could ever correct it.
          engine.label(id: label.eventID, label.given(at: now))
        } else {
          waiting.append((label, record.offset), time: time)
        }
      } catch {
        DeadLetter.append(
          record, of: PipelineTopics.labels, refused: error, time: now(), to: &deadLetters)
      }
      return true
    }
    return count
  }

  /// Publishes and saves in one transaction; gives the published updates.
  ///
  /// While the topics take nothing, learning goes on within a bound, and the next commit writes this
  /// one's share as well; past the bound the failure is thrown, and at once where the caller cannot
  /// go on without it (`mustSucceed`). Nothing is lost: whoever takes over goes on from the last
  /// commit.
  private func commit(
    _ engine: inout TrainingEngine, history: (key: String, progress: HistoryProgress)? = nil,
    mustSucceed: Bool = false
  ) throws -> [ParameterUpdate] {
    if let failure = engine.storeFailure { throw failure }
    let labels = LabelPosition(next: labelPosition, waiting: waiting.all.map(\.element.offset))
    let updates = engine.takeUpdates(
      time: now(),
      positions: [
        .init(topic: PipelineTopics.scored.topic, partition: 0, offset: scoredPosition),
        .init(topic: PipelineTopics.labels.topic, partition: 0, offset: labels.start),
      ])
    let withheld = engine.takeWithheld(time: now())
    for statement in withheld { logger.warning("update withheld", metadata: .init(statement)) }
    outgoing.add(updates, withheld, engine.takeStateChanges())
    if let history { outgoing.states[history.key] = .some(history.progress.bytes) }
    committedAt = now()
    var index = updateIndex
    do {
      try writer.transact { transaction in
        let first = try transaction.append(outgoing.records, to: PipelineTopics.models)
        if !outgoing.records.isEmpty {
          index = outgoing.index(
            updateIndex, from: first, models: pipeline.models.lazy.map(\.name))
          try transaction.put(state: index.bytes, for: UpdateIndex.key)
        }
        try transaction.append(deadLetters, to: PipelineTopics.deadLetters)
        for (key, bytes) in outgoing.states {
          if let bytes {
            try transaction.put(state: bytes, for: key)
          } else {
            try transaction.removeState(key)
          }
        }
        try transaction.commit(
          position: scoredPosition, of: PipelineTopics.scored, group: PipelineTopics.trainerGroup)
        if pipeline.labels != nil {
          try transaction.put(state: labels.bytes, for: LabelPosition.key)
          // What somebody may remove from the topic: all before it is learnt.
          try transaction.commit(
            position: labels.start, of: PipelineTopics.labels, group: PipelineTopics.trainerGroup)
          try transaction.commit(
            position: labels.next, of: PipelineTopics.labels, group: PipelineTopics.readGroup)
        }
      }
    } catch let error as TopicError where error.code == .full || error.code == .io {
      guard !mustSucceed, uncommitted < Self.learntUnsaved else { throw error }
      if failedAt.map({ committedAt - $0 >= Self.complainEvery }) ?? true {
        failedAt = committedAt
        logger.error(
          "cannot publish, learning on within a bound",
          metadata: [
            "reason": "\(error)", "unsaved": "\(uncommitted)", "bound": "\(Self.learntUnsaved)",
          ])
      }
      return []
    }
    if failedAt != nil {
      failedAt = nil
      logger.notice("publishing again", metadata: ["versions": "\(outgoing.updates.count)"])
    }
    defer { outgoing.removeAll() }
    updateIndex = index
    deadLetters.removeAll()
    uncommitted = 0
    noteOverflow(of: engine)
    return outgoing.updates
  }

  /// Says when more events begin to wait for their label than are held in memory, and when that ends.
  private func noteOverflow(of engine: TrainingEngine) {
    let held = engine.held
    guard overflows != (held.inStoreOnly > 0 || held.share < 1) else { return }
    overflows.toggle()
    logger.notice(
      overflows
        ? "more events wait for their label than may be held in memory"
        : "all events that wait for their label are in memory again",
      metadata: [
        "waiting": "\(held.events)", "in_store_only": "\(held.inStoreOnly)",
        "share_held": "\(held.share)", "bound": "\(pipeline.labels?.pending ?? 0)",
      ])
  }

  // MARK: History

  /// Learns a file of history through the same engine that scores and trains live, and publishes
  /// on the way. After a restart it goes on behind the last row that was committed.
  public func warmUp(
    _ history: inout HistoryReader, stop: StopSignal,
    progress: (HistoryReader, [ParameterUpdate]) -> Void = { _, _ in }
  ) throws {
    // A history is known by its file's name: one that has grown is learnt from where it ended.
    let key = Self.historyKey + (history.path.split(separator: "/").last ?? "")
    let saved = try log.state(key, role: topics.trainer)
    let resumed = try saved.map(HistoryProgress.init(bytes:)) ?? HistoryProgress()
    if resumed.rows > 0 {
      logger.info(
        "history goes on behind the rows learnt before",
        metadata: ["file": "\(history.path)", "rows": "\(resumed.rows)"])
    }
    var driver = HistoryDriver(pipeline: pipeline, resumingAt: resumed)
    for model in try ModelReader(log: log, topics: topics).readNewest(of: pipeline) {
      try driver.serve(model)
    }
    try driver.run(&history, training: &engine, scored: { _, _, _ in }, labelled: { _ in }) {
      training, driver, history in
      guard training.hasUpdates || stop.isRequested else { return true }
      let updates = try commit(&training, history: (key, driver.progress), mustSucceed: true)
      for update in updates { try driver.apply(update) }
      progress(history, updates)
      return !stop.isRequested
    }
    // A history that was finished before is not finished again: what is gathered since is live.
    guard driver.progress.finished,
      driver.progress.rows > resumed.rows || resumed.labelsThrough != .max
    else { return }
    engine.finish()
    progress(history, try commit(&engine, history: (key, driver.progress), mustSucceed: true))
  }
}

extension Logger.Metadata {
  fileprivate init(_ withheld: WithheldUpdate) {
    self = [
      "model": "\(withheld.pipeline)/\(withheld.model)",
      "served": "\(withheld.servedVersion)", "guard": "\(withheld.code.rawValue)",
      "reason": "\(withheld.reason)", "action": "\(withheld.actionText)",
    ]
  }
}
