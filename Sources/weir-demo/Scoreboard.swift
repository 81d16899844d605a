import Evaluation
import Foundation
import ModelLog
import Pipeline
import Topics

/// Follows `decisions`, `labels` and `models` and joins decisions with the labels that come later.
/// A payment's identifier is its number, from 0.
struct Scoreboard {
  private(set) var decided = 0
  private(set) var alerts = 0
  /// Alerts whose label is known, and those among them that were fraud.
  private(set) var answeredAlerts = 0
  private(set) var rightAlerts = 0
  private(set) var labelled = 0
  /// Event time of the newest decision, ms since 1970.
  private(set) var time: Int64 = 0
  /// The newest version of each model that was published, and the one that scored last.
  private(set) var published: [String: ParameterUpdate] = [:]
  private(set) var inUse: [String: UInt64] = [:]

  private let pipeline: Pipeline
  private let decisions: any TopicReader
  private let labels: any TopicReader
  private let models: ModelReader
  private let json = JSONDecoder()
  private var nextDecision: UInt64 = 0
  private var nextLabel: UInt64 = 0

  private var outcomes: [DecisionOutcome?]
  private var isFraud: [Bool?]
  private var days: [Int32]
  private var offsets: [UInt64]
  /// One array a model, NaN where there was no version yet.
  private var scores: [[Float]]

  private struct LabelRecord: Decodable { var label: Int }

  init(log: any TopicLog, pipeline: Pipeline, payments: Int) throws {
    self.pipeline = pipeline
    let topics = PipelineTopics(pipeline: pipeline.name)
    decisions = try log.reader(PipelineTopics.decisions, of: topics.scorer)
    labels = try log.reader(PipelineTopics.labels, of: PipelineTopics.producers)
    models = try ModelReader(log: log, topics: topics)
    outcomes = Array(repeating: nil, count: payments)
    isFraud = Array(repeating: nil, count: payments)
    days = Array(repeating: 0, count: payments)
    offsets = Array(repeating: 0, count: payments)
    scores = pipeline.models.map { _ in Array(repeating: .nan, count: payments) }
  }

  /// Takes in what is new on the topics.
  /// - Throws: `Failure` for a second decision on a payment or a version that does not follow the
  ///   one before it.
  mutating func read() throws {
    nextDecision = try decisions.read(from: nextDecision, limit: .max) { record in
      try take(decision: record)
      return true
    }
    nextLabel = try labels.read(from: nextLabel, limit: .max) { record in
      try take(label: record)
      return true
    }
    try models.readNew { record in
      guard let update = try record.get() else { return }
      let before = published[update.header.model]?.header.version ?? 0
      guard update.header.version == before + 1 else {
        throw Failure("\(update.header.name) was published after version \(before)")
      }
      published[update.header.model] = update
    }
  }

  private mutating func take(decision record: RecordView) throws {
    let payment = try number(record)
    guard outcomes[payment] == nil else { throw Failure("payment \(payment) was decided twice") }
    let decision = try json.decode(Decision.self, from: Data(record.value))
    switch decision.outcome {
    case .alert: outcomes[payment] = .alert
    case .pass: outcomes[payment] = .pass
    case .none: outcomes[payment] = DecisionOutcome.none
    }
    for (index, model) in pipeline.models.enumerated() {
      guard let score = decision.scores[model.name] else { continue }
      scores[index][payment] = score.score
      inUse[model.name] = score.version
    }
    days[payment] = utcDay(ofMilliseconds: record.timestamp)
    offsets[payment] = record.offset
    time = record.timestamp
    decided += 1
    if decision.outcome == .alert { alerts += 1 }
    join(payment)
  }

  private mutating func take(label record: RecordView) throws {
    let payment = try number(record)
    guard isFraud[payment] == nil else { throw Failure("payment \(payment) got two labels") }
    isFraud[payment] = try json.decode(LabelRecord.self, from: Data(record.value)).label == 1
    labelled += 1
    join(payment)
  }

  /// Called when a payment's decision or its label has come: counts once both are there.
  private mutating func join(_ payment: Int) {
    guard outcomes[payment] == .alert, let fraud = isFraud[payment] else { return }
    answeredAlerts += 1
    if fraud { rightAlerts += 1 }
  }

  private func number(_ record: RecordView) throws -> Int {
    let text = record.key.map { String(decoding: $0, as: UTF8.self) } ?? ""
    guard let number = Int(text), outcomes.indices.contains(number) else {
      throw Failure("there is no payment '\(text)'")
    }
    return number
  }

  /// Rises with every decision and every version: a measure of whether the programs still work.
  var progress: UInt64 { nextDecision + published.values.reduce(0) { $0 + $1.header.version } }

  /// All payments with their scores, decisions and labels.
  func table() -> EvaluationTable {
    var table = EvaluationTable(
      models: pipeline.models.map {
        ModelColumn(name: $0.name, isProbability: $0.learner.kind == .logisticRegression)
      })
    for payment in outcomes.indices {
      guard let outcome = outcomes[payment], let fraud = isFraud[payment] else { continue }
      table.append(
        scores: scores.map { $0[payment] }, decision: outcome, label: fraud, day: days[payment])
    }
    return table
  }

  /// Of the payments in `candidates`, the flagged fraud that `model` scored highest.
  func clearestCase(of candidates: some Sequence<Int>, by model: String) -> Int? {
    guard let index = pipeline.modelIndex(model) else { return nil }
    return candidates.filter {
      outcomes[$0] == .alert && isFraud[$0] == true && !scores[index][$0].isNaN
    }.max { scores[index][$0] < scores[index][$1] }
  }

  /// The decision on a payment as it stands on the topic.
  func decision(on payment: Int) throws -> Decision {
    var found: Decision?
    _ = try decisions.read(from: offsets[payment], limit: 1) { record in
      found = try json.decode(Decision.self, from: Data(record.value))
      return false
    }
    guard let found else { throw Failure("the decision on payment \(payment) is gone") }
    return found
  }
}
