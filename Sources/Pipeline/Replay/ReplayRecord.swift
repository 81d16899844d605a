import Evaluation
import Features
import LinearAlgebra
import ModelLog

/// What a replay remembers of the labelled events, column by column, to be evaluated at the end.
struct ReplayRecord {
  /// The models' columns first, then the baselines', then those of each further policy.
  private(set) var table: EvaluationTable
  /// Event times, one a row of the table.
  private(set) var times: [Int64] = []
  /// By field of the schema's entities; empty where it is not asked for.
  private(set) var entities: [[UInt32]]
  /// What each further policy decided, one a row of the table.
  private(set) var policyOutcomes: [[DecisionOutcome]]
  /// By number field of the schema; empty where no cost follows from it.
  private(set) var amounts: [[Float]]
  /// Entities numbered so far, by field.
  private(set) var numbers: [EntityNumbers]

  private let models: Int
  private let rule: Int?
  private let policies: Int
  private let entityFields: [Int]
  private let amountFields: [Int]
  // Filled block by block, so that nothing is allocated per event.
  private var rows: [Int] = []
  private var columns: [[Float]]
  private var outcomes: [DecisionOutcome] = []
  private var truths: [Bool] = []
  private var days: [Int32] = []
  /// The versions that the newest rows were scored with.
  private var versions: [UInt64?]

  init(
    pipeline: Pipeline, baselines: [String], rule: Int?, policies: [LearningPolicy],
    entityFields: [Int], amountFields: [Int]
  ) {
    models = pipeline.models.count
    self.rule = rule
    self.policies = policies.count
    policyOutcomes = policies.map { _ in [] }
    self.entityFields = entityFields
    self.amountFields = amountFields
    entities = pipeline.schema.entities.map { _ in [] }
    numbers = pipeline.schema.entities.map { _ in EntityNumbers() }
    amounts = pipeline.schema.values.filter { $0.type == .number }.map { _ in [] }
    func columns(_ prefix: String) -> [ModelColumn] {
      pipeline.models.map {
        ModelColumn(
          name: prefix + $0.name, isProbability: $0.learner.kind.scoreScale == .probability)
      }
    }
    table = EvaluationTable(
      models: columns("")
        + baselines.map { ModelColumn(name: $0, isProbability: $0 != Replay.ruleName) }
        + policies.flatMap { columns("\($0.rawValue)/") })
    self.columns = table.models.map { _ in [] }
    versions = Array(repeating: nil, count: models)
  }

  /// Enters the labelled events of a block.
  mutating func add(
    _ block: ScoredBlock, _ events: EventBlock, _ scoring: ScoringEngine,
    baselines: [Float], policies scorers: [PolicyScorer]
  ) {
    let start = table.count
    note(scoring, events, scorers, from: start)
    for column in columns.indices { columns[column].removeAll(keepingCapacity: true) }
    outcomes.removeAll(keepingCapacity: true)
    truths.removeAll(keepingCapacity: true)
    days.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    for row in 0..<block.rows where events.labels[row] >= 0 { rows.append(row) }
    for model in 0..<models {
      for row in rows { columns[model].append(block.score(model: model, row: row)) }
    }
    var column = models
    for score in baselines {
      columns[column].append(contentsOf: repeatElement(score, count: rows.count))
      column += 1
    }
    if let rule {
      for row in rows { columns[column].append(Float(scoring.features[row, rule])) }
      column += 1
    }
    for (index, scorer) in scorers.enumerated() {
      for row in rows { policyOutcomes[index].append(DecisionOutcome(scorer.outcomes[row])) }
      for model in 0..<models {
        for row in rows { columns[column].append(scorer.scores[model][row]) }
        column += 1
      }
    }
    for row in rows {
      outcomes.append(DecisionOutcome(block.outcome(row)))
      truths.append(events.labels[row] == 1)
      days.append(Int32(EventTime.day(events.times[row])))
      times.append(events.times[row])
    }
    for field in entityFields {
      for row in rows { entities[field].append(numbers[field].number(events.entity(field, row))) }
    }
    for field in amountFields {
      for row in rows {
        amounts[field].append(Float(events.numbers[field * events.capacity + row]))
      }
    }
    table.append(
      count: truths.count, scores: columns, decisions: outcomes, labels: truths, days: days)
  }

  /// Notes which versions score from which row on.
  private mutating func note(
    _ scoring: ScoringEngine, _ events: EventBlock, _ scorers: [PolicyScorer], from start: Int
  ) {
    for model in 0..<models {
      guard let served = scoring.served[model], served.header.version != versions[model] else {
        continue
      }
      versions[model] = served.header.version
      table.serve(
        ServedVersion(
          served, time: events.times[0],
          threshold: scoring.pipeline.threshold(model, scoring.served)),
        model: model)
    }
    for (index, scorer) in scorers.enumerated() {
      let first = table.models.count - (policies - index) * models
      for swap in scorer.swaps {
        let labelled = (0..<swap.row).count { events.labels[$0] >= 0 }
        table.serve(swap.version, model: first + swap.model, fromRow: start + labelled)
      }
    }
  }
}

extension DecisionOutcome {
  init(_ outcome: ScoredBlock.Outcome) {
    switch outcome {
    case .alert: self = .alert
    case .pass: self = .pass
    case .none: self = .none
    }
  }
}
