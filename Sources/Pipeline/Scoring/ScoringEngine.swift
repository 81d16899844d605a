import Features
import Files
import Learners
import LinearAlgebra
import ModelLog
import StateCoding

/// Scores blocks of events with the parameters it was given last: features, scores, decisions.
/// No input or output: a scorer service and a replay run the same engine.
public struct ScoringEngine {
  /// What is scored, and how decisions are made.
  public let pipeline: Pipeline
  /// What is served, one a model; nil before its first parameters.
  public private(set) var served: [ServedModel?]

  /// The features of the block scored last.
  private(set) var features: Matrix
  private var memory: FeatureMemory
  /// Labels that windows are to know of at their time.
  private var labels = DueQueue<WindowLabel>()
  private var scores: [[Float]]
  private var outcomes: [ScoredBlock.Outcome]
  private var versions: [ScoredBlock.Version]
  /// The model that decides: the first of the policy's list that has parameters.
  private var deciding: Int?
  private var decisions: DecisionWriter
  /// Event time as of the block scored last.
  private var clock = EventClock()
  private var late: [Bool]

  /// An engine without parameters.
  /// - Parameter capacity: the most events a block has.
  public init(pipeline: Pipeline, capacity: Int = 256) {
    self.pipeline = pipeline
    let models = pipeline.models.count
    served = Array(repeating: nil, count: models)
    features = Matrix(columns: pipeline.plan.count, capacity: capacity)
    memory = FeatureMemory(pipeline.plan, capacity: capacity)
    scores = Array(repeating: Array(repeating: .nan, count: capacity), count: models)
    outcomes = Array(repeating: .none, count: capacity)
    late = Array(repeating: false, count: capacity)
    versions = Array(repeating: .init(epoch: 0, version: 0, digest: nil), count: models)
    decisions = DecisionWriter(pipeline: pipeline)
  }

  /// Applies an update; takes effect with the next block.
  /// - Throws: `UpdateError` when the update is refused; what is served stays.
  public mutating func apply(_ update: ParameterUpdate) throws(UpdateError) {
    guard update.header.pipeline == pipeline.name,
      let model = pipeline.modelIndex(update.header.model),
      let next = try pipeline.applying(update, to: served[model])
    else { return }
    try serve(next)
  }

  /// Serves a version from the next block on, whatever was served before.
  /// - Throws: `UpdateError` if the version does not fit the pipeline; what is served stays.
  public mutating func serve(_ next: ServedModel) throws(UpdateError) {
    try pipeline.check(next)
    guard let model = pipeline.modelIndex(next.header.model) else { return }
    served[model] = next
    versions[model] = .init(
      epoch: next.header.epoch, version: next.header.version, digest: next.digest)
    deciding = pipeline.deciding(served)
    decisions.swap(model: model, to: next, threshold: pipeline.threshold(model, served))
  }

  /// Computes the features of a block's events, scores them and decides.
  /// - Parameter readThrough: offsets behind what was read of `events` and `labels`; goes into the
  ///   scored block.
  public mutating func score(
    _ block: EventBlock, readThrough: (events: UInt64, labels: UInt64) = (0, 0)
  ) -> ScoredBlock {
    remember(block)
    let rows = block.count
    for model in served.indices {
      served[model]?.parameters.score(features, into: &scores[model])
    }
    if let deciding, let threshold = pipeline.threshold(deciding, served) {
      for row in 0..<rows { outcomes[row] = scores[deciding][row] >= threshold ? .alert : .pass }
    } else {
      let outcome: ScoredBlock.Outcome = deciding == nil ? .none : .pass
      for row in 0..<rows { outcomes[row] = outcome }
    }
    return ScoredBlock(
      events: block, features: features, fingerprint: pipeline.fingerprint, versions: versions,
      scores: scores, outcomes: outcomes, readThrough: readThrough)
  }

  /// Computes the features of a block's events and nothing else: what windows and bins remember is
  /// as if the block had been scored.
  mutating func remember(_ block: EventBlock) {
    if pipeline.plan.usesLabels, let last = block.times.prefix(block.count).last {
      labels.forEachInOrder(dueBy: max(last, clock.time ?? last)) { memory.readAhead($0) }
    }
    for row in 0..<block.count {
      let time = block.times[row]
      late[row] = clock.time.map { time < $0 - pipeline.schema.lateness } ?? false
      clock.follow(time)
      guard pipeline.plan.hasWindows, let now = clock.time else { continue }
      labels.deliver(dueBy: now) { memory.label($0, time: $1) }
      memory.observe(block, row: row, clock: now)
    }
    memory.computeFeatures(block, into: &features)
  }

  /// Windows know of a label from the first event on that is no older than `time`, ms since 1970.
  mutating func label(id: [UInt8], _ label: Label, time: Int64) {
    guard pipeline.plan.usesLabels else { return }
    labels.append(memory.windowLabel(id: id[...], isPositive: label == .positive), time: time)
  }

  /// Takes a label as it is read from a topic, a bounded number ahead of event time. One without a
  /// time, or dated too far ahead to be waited for, is known at once.
  /// - Returns: false if there is no room before event time goes on; the label was not taken then.
  mutating func takeLabel(id: [UInt8], _ label: Label, time: Int64?, timestamp: Int64) -> Bool {
    let now = clock.time
    if labels.count >= Self.labelsAhead {
      // Unless all of them are dated so far ahead that others would come too late behind them.
      let delay = pipeline.labels?.delay ?? 0
      guard let now, let earliest = labels.earliest, earliest > now + delay else { return false }
      labels.deliver(dueBy: nil) { memory.label($0, time: $1) }
    }
    let isAhead = now.flatMap { now in time.map { $0 > now + EventClock.leap } } ?? false
    labels.append(
      memory.windowLabel(id: id[...], isPositive: label == .positive),
      time: isAhead ? now! : time ?? now ?? timestamp)
    return true
  }

  private static let labelsAhead = 65_536

  /// What windows remember; nil if there are none.
  public var windows: WindowMemory? { memory.windows }

  /// What became of events and labels in windows; nil if there are none. Cheaper than ``windows``.
  var windowCounters: WindowMemory.Counters? { memory.windows?.counters }

  /// Appends the decision on one event of the block scored last, as one JSON object.
  public func writeDecision(row: Int, of block: EventBlock, into bytes: inout [UInt8]) {
    decisions.write(
      row: row, block: block, features: features, scores: scores, outcome: outcomes[row],
      isLate: late[row], served: served, into: &bytes)
  }

  /// Event time as of the block scored last; nil before the first event.
  public var eventTime: Int64? { clock.time }

  /// Whether an event of the block scored last lies further behind event time than it may.
  public func isLate(row: Int) -> Bool { late[row] }

  // MARK: State

  /// Whether features remember anything, apart from event time.
  public var remembers: Bool { pipeline.plan.remembers }

  /// What is to be restored beside the parameters, in pieces of a bounded size: event time and labels
  /// that wait, then the memory of the features. A copy of an engine keeps its state while the engine
  /// goes on.
  public var pieceCount: Int { 1 + (remembers ? memory.pieceCount : 0) }

  /// One piece of the state.
  public func encodePiece(_ number: Int) -> [UInt8] {
    if number > 0 { return memory.encodePiece(number - 1) }
    var writer = StateWriter()
    clock.encode(into: &writer)
    let waiting = labels.all
    writer.write(UInt64(waiting.count))
    for (label, time) in waiting {
      writer.write(label.hash)
      writer.write(UInt8(label.isPositive ? 1 : 0))
      writer.write(time)
    }
    return writer.bytes
  }

  /// Goes on from one piece of a saved state.
  /// - Throws: `StateError` for bytes that are none.
  public mutating func restorePiece(_ number: Int, _ bytes: [UInt8]) throws {
    if number > 0 { return try memory.restorePiece(number - 1, bytes) }
    var reader = StateReader(bytes)
    clock = try EventClock(from: &reader)
    labels = DueQueue()
    for _ in 0..<(try reader.readCount(limit: reader.remaining / 17)) {
      let hash = try reader.read(UInt64.self)
      let isPositive = try reader.read(UInt8.self) != 0
      labels.append(
        WindowLabel(hash: hash, isPositive: isPositive), time: try reader.read(Int64.self))
    }
    try reader.finish()
  }
}
