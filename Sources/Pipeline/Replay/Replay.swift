import Evaluation
import Features
import Learners
import ModelLog

/// Runs a history through the engine and evaluates it test-then-train: every event is scored
/// before its label is learnt, and labels come after their delay.
public final class Replay {
  /// What is replayed.
  public let pipeline: Pipeline
  /// Predictions of the labelled events in their order: the models' columns first, then the
  /// baselines', then, named `policy/model`, those of each further policy.
  public var table: EvaluationTable { record.table }
  /// Events scored so far.
  public private(set) var events: UInt64 = 0
  /// Labels that have become known so far.
  public private(set) var labelled: UInt64 = 0
  /// The trainer's side, for its counters.
  public private(set) var training: TrainingEngine
  /// The last version of each model; nil for a model that never got there.
  public private(set) var final: [ServedModel?] = []

  /// The updates that guards kept from being published, in order.
  public private(set) var withheld: [WithheldUpdate] = []

  /// Names of the baselines' columns.
  public let baselines: [String]
  /// The feature that the baseline `rule` scores by; nil: there is no such baseline.
  public var rule: String? { ruleColumn.map { pipeline.plan.names[$0] } }
  /// The name of the baseline that scores by one feature.
  public static let ruleName = "rule"
  private static let baselineNames = ["base-rate", "last-class"]
  /// Names of figures that no model may have.
  static let reservedNames = baselineNames + [ruleName, "policies"]

  /// What windows hold at the end, by name; nil if there are none.
  public private(set) var windows: [(name: String, count: UInt64)]?

  /// Alerts among all events, labelled or not, and the days on which there were events.
  public private(set) var alerts = 0
  /// Days with events.
  public var dayCount: Int { seenDays.count }

  /// Events that lay further behind event time than they may.
  public private(set) var late: UInt64 = 0
  /// The earliest and the latest event time, ms since 1970; nil before the first event.
  public private(set) var times: ClosedRange<Int64>?
  /// How the features were distributed.
  public private(set) var statistics: FeatureStatistics
  /// Alerts by the model that raised them and the feature among its strongest reasons.
  public private(set) var reasons: [Reason: Int] = [:]
  /// When each model's versions were published, in event time, ms since 1970.
  public private(set) var published: [[(version: UInt64, time: Int64)]]

  /// A reason of alerts.
  public struct Reason: Hashable, Sendable {
    /// The deciding model's place in the pipeline.
    public var model: Int
    /// The feature's column.
    public var feature: Int
  }

  /// What it was asked.
  public let options: Options
  private(set) var record: ReplayRecord
  /// Place of the field of Card Precision in the schema's entities.
  let cardField: Int?
  /// Likewise of `leaveOutKnown`.
  let knownField: Int?

  private var seenDays: Set<Int> = []
  private var lastDay: Int?
  private let ruleColumn: Int?
  private var scorers: [PolicyScorer] = []
  private var baseRate = BaseRateBaseline()
  private var lastClass = LastClassBaseline()

  /// A replay that has read nothing.
  /// - Throws: `OptionError` if the options name what the pipeline does not have.
  public init(pipeline: Pipeline, options: Options = .init()) throws {
    self.pipeline = pipeline
    self.options = options
    cardField =
      try options.cardPrecision.map(pipeline.entityIndex)
      ?? (pipeline.schema.entities.isEmpty ? nil : 0)
    knownField = try options.leaveOutKnown.map(pipeline.entityIndex)
    ruleColumn = try pipeline.ruleColumn(options.rule)
    guard
      !options.policies.contains(.frozen) || options.frozenAfter != nil
        || !options.tests.isEmpty
    else {
      throw OptionError(description: "frozen parameters need a time to freeze at or a test window")
    }
    baselines = Self.baselineNames + (ruleColumn == nil ? [] : [Self.ruleName])
    record = ReplayRecord(
      pipeline: pipeline, baselines: baselines, rule: ruleColumn, policies: options.policies,
      entityFields: Set([cardField, knownField].compactMap { $0 }).sorted(),
      amountFields: pipeline.costFields)
    statistics = FeatureStatistics(
      features: pipeline.plan.count, hashed: pipeline.plan.sparseCount,
      filling: pipeline.plan.windowCosts.map(\.horizon).max() ?? 0)
    published = pipeline.models.map { _ in [] }
    // Epoch 1, as for the first trainer on an empty topic.
    training = TrainingEngine(pipeline: pipeline, epoch: 1)
  }

  /// What a caller may follow on the way.
  public struct Hooks {
    /// A block was scored.
    public var progress: (HistoryReader) throws -> Void = { _ in }
    /// A version was published.
    public var published: (ParameterUpdate) throws -> Void = { _ in }
    /// A block was scored: its features, scores and decisions.
    public var scored: (ScoredBlock) throws -> Void = { _ in }
    /// Gets each decision as a JSON object; nil: none are written.
    public var decision: (([UInt8]) throws -> Void)?

    /// Hooks that do nothing.
    public init() {}
  }

  /// Runs the history to its end. Called once.
  /// - Throws: `PipelineMismatch` if a version that is to score was made by another pipeline file.
  public func run(_ history: inout HistoryReader, hooks: Hooks = .init()) throws {
    guard options.models.isEmpty else { return try score(&history, hooks) }
    var driver = HistoryDriver(pipeline: pipeline, delay: options.labelDelay)
    // Taken out while the driver changes it.
    var training = self.training
    let publish = { (training: inout TrainingEngine, driver: inout HistoryDriver) in
      guard training.hasUpdates else { return }
      self.withheld += training.takeWithheld(time: training.eventTime ?? 0)
      for update in training.takeUpdates(time: training.eventTime ?? 0, positions: []) {
        try driver.apply(update)
        if let model = self.pipeline.modelIndex(update.header.model) {
          self.published[model].append((update.header.version, training.eventTime ?? 0))
        }
        try hooks.published(update)
      }
    }
    try driver.run(
      &history, training: &training,
      scored: { block, events, scoring in
        try hooks.scored(block)
        self.add(block, events, scoring)
        try self.write(block, events, scoring, hooks)
      },
      labelled: learnBaselines,
      step: { training, driver, history in
        try publish(&training, &driver)
        try hooks.progress(history)
        return true
      })
    training.finish()
    try publish(&training, &driver)
    self.training = training
    final = driver.scoring.served
    windows = driver.scoring.windows?.tallies
  }

  /// Scores the history with the given versions.
  private func score(_ history: inout HistoryReader, _ hooks: Hooks) throws {
    var driver = HistoryDriver(pipeline: pipeline, delay: options.labelDelay)
    for model in options.models {
      guard model.header.fingerprint == pipeline.fingerprint else {
        throw PipelineMismatch(
          pipeline: pipeline, found: model.definition, where: "the version \(model.header.name)")
      }
      try driver.serve(model)
    }
    var frozen = FrozenParameters()
    try driver.run(
      &history, training: &frozen,
      scored: { block, events, scoring in
        try hooks.scored(block)
        self.add(block, events, scoring)
        try self.write(block, events, scoring, hooks)
      },
      labelled: learnBaselines,
      step: { _, _, history in
        try hooks.progress(history)
        return true
      })
    final = driver.scoring.served
  }

  private func learnBaselines(_ label: Label) {
    baseRate.learn(label == .positive)
    lastClass.learn(label == .positive)
    labelled += 1
  }

  /// Hands out the decisions on a block.
  private func write(
    _ block: ScoredBlock, _ events: EventBlock, _ scoring: ScoringEngine, _ hooks: Hooks
  ) throws {
    guard let write = hooks.decision else { return }
    var decision: [UInt8] = []
    for row in 0..<block.rows {
      decision.removeAll(keepingCapacity: true)
      scoring.writeDecision(row: row, of: events, into: &decision)
      decision.append(UInt8(ascii: "\n"))
      try write(decision)
    }
  }

  /// Enters a block.
  private func add(_ block: ScoredBlock, _ events: EventBlock, _ scoring: ScoringEngine) {
    if self.events == 0 { begin(events.times[0]) }
    self.events += UInt64(block.rows)
    for index in scorers.indices { scorers[index].score(events, block, by: scoring) }
    for row in 0..<block.rows {
      let time = events.times[row]
      let day = EventTime.day(time)
      if day != lastDay {
        seenDays.insert(day)
        lastDay = day
      }
      times = times.map { min($0.lowerBound, time)...max($0.upperBound, time) } ?? time...time
      if scoring.isLate(row: row) { late += 1 }
      if block.outcome(row) == .alert {
        alerts += 1
        explain(row, scoring)
      }
    }
    statistics.add(scoring.features, times: events.times)
    record.add(
      block, events, scoring,
      baselines: [Float(baseRate.probability), Float(lastClass.probability)], policies: scorers)
  }

  /// Sets the policies' boundaries.
  private func begin(_ first: Int64) {
    scorers = options.policies.map { policy in
      var anchor = options.tests.map(\.from).min()
      if policy == .frozen {
        switch options.frozenAfter {
        case .time(let time)?: anchor = time
        case .duration(let duration)?: anchor = first + duration
        case nil: break
        }
      }
      return PolicyScorer(policy, pipeline: pipeline, anchor: anchor)
    }
  }

  /// Counts the reasons of an alert.
  private func explain(_ row: Int, _ scoring: ScoringEngine) {
    guard let model = pipeline.deciding(scoring.served), let version = scoring.served[model] else {
      return
    }
    for reason in DecisionWriter.reasons(of: version, row: row, scoring.features) {
      reasons[Reason(model: model, feature: reason.feature), default: 0] += 1
    }
  }
}
