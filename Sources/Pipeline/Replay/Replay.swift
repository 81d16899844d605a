import Evaluation
import Features
import Learners
import ModelLog

/// Runs a history through the engine and evaluates it test-then-train: every event is scored
/// before its label is learnt, and labels come after their delay.
public final class Replay {
  /// How a replay differs from the pipeline file.
  public struct Options: Sendable {
    /// From an event to its label, ms; nil: the pipeline file's delay.
    public var labelDelay: Int64?
    /// Versions that score the whole history, one a model: nothing is learnt or published then.
    /// Empty: the replay learns, and scores with what it learns.
    public var models: [ServedModel]

    /// Options, each with its default.
    public init(labelDelay: Int64? = nil, models: [ServedModel] = []) {
      self.labelDelay = labelDelay
      self.models = models
    }
  }

  /// What is replayed.
  public let pipeline: Pipeline
  /// Predictions in event order, the models' columns first, then the baselines'.
  public private(set) var table: EvaluationTable
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
  public static let baselines = ["base-rate", "last-class"]

  /// Alerts among all events, labelled or not, and the days on which there were events.
  public private(set) var alerts = 0
  /// Days with events.
  public var dayCount: Int { seenDays.count }

  private var seenDays: Set<Int> = []
  private var lastDay: Int?
  private let options: Options
  // Filled block by block, so that nothing is allocated per event.
  private var columns: [[Float]]
  private var outcomes: [DecisionOutcome] = []
  private var truths: [Bool] = []
  private var days: [Int32] = []
  private var baseRate = BaseRateBaseline()
  private var lastClass = LastClassBaseline()

  /// A replay that has read nothing.
  public init(pipeline: Pipeline, options: Options = .init()) {
    self.pipeline = pipeline
    self.options = options
    columns = Array(repeating: [], count: pipeline.models.count + Self.baselines.count)
    // Epoch 1, as for the first trainer on an empty topic.
    training = TrainingEngine(pipeline: pipeline, epoch: 1)
    table = EvaluationTable(
      models: pipeline.models.map {
        ModelColumn(name: $0.name, isProbability: $0.learner.kind.scoreScale == .probability)
      } + Self.baselines.map { ModelColumn(name: $0, isProbability: true) })
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
        try hooks.published(update)
      }
    }
    try driver.run(
      &history, training: &training,
      scored: { block, events, scoring in
        try hooks.scored(block)
        self.evaluate(block, events)
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
        self.evaluate(block, events)
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

  /// Enters the labelled events of a block into the table.
  private func evaluate(_ block: ScoredBlock, _ events: EventBlock) {
    self.events += UInt64(block.rows)
    for column in columns.indices { columns[column].removeAll(keepingCapacity: true) }
    outcomes.removeAll(keepingCapacity: true)
    truths.removeAll(keepingCapacity: true)
    days.removeAll(keepingCapacity: true)
    let models = pipeline.models.count
    for row in 0..<block.rows {
      let day = EventTime.day(events.times[row])
      if day != lastDay {
        seenDays.insert(day)
        lastDay = day
      }
      if block.outcome(row) == .alert { alerts += 1 }
      guard events.labels[row] >= 0 else { continue }
      for model in 0..<models { columns[model].append(block.score(model: model, row: row)) }
      columns[models].append(Float(baseRate.probability))
      columns[models + 1].append(Float(lastClass.probability))
      switch block.outcome(row) {
      case .alert: outcomes.append(.alert)
      case .pass: outcomes.append(.pass)
      case .none: outcomes.append(.none)
      }
      truths.append(events.labels[row] == 1)
      days.append(Int32(day))
    }
    table.append(
      count: truths.count, scores: columns, decisions: outcomes, labels: truths, days: days)
  }
}
