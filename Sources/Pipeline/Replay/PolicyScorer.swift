import Evaluation
import Features
import LinearAlgebra
import ModelLog

/// Scores the blocks that a scoring engine scores once more, with parameters that change by a
/// policy: the features are the engine's, the versions are those it serves at the policy's
/// boundaries.
struct PolicyScorer {
  /// The columns of the block scored last, as in the engine.
  private(set) var scores: [[Float]]
  private(set) var outcomes: [ScoredBlock.Outcome]
  /// What began to serve within that block, and with which row.
  private(set) var swaps: [(row: Int, model: Int, version: ServedVersion)] = []

  private let pipeline: Pipeline
  private let policy: LearningPolicy
  /// One of the boundaries; nil until the first event's day is known.
  private var anchor: Int64?
  /// The next boundary.
  private var boundary: Int64?
  private var clock = EventClock()
  private var served: [ServedModel?]

  /// - Parameter anchor: a boundary, ms since 1970; nil: the beginning of the first event's day.
  init(_ policy: LearningPolicy, pipeline: Pipeline, anchor: Int64?) {
    self.policy = policy
    self.pipeline = pipeline
    self.anchor = anchor
    served = Array(repeating: nil, count: pipeline.models.count)
    scores = Array(repeating: [], count: pipeline.models.count)
    outcomes = []
  }

  /// Scores the block that the engine has just scored.
  mutating func score(_ events: EventBlock, _ online: ScoredBlock, by engine: ScoringEngine) {
    swaps.removeAll(keepingCapacity: true)
    // Frozen parameters follow the engine's until they freeze.
    let follows = policy == .frozen && (clock.time ?? .min) < (anchor ?? .max)
    let turn = follow(events.times[..<events.count])
    let from = follows ? 0 : turn ?? online.rows
    if from > 0 { score(online, engine, 0..<from) }
    if from < online.rows {
      adopt(engine.served, row: from, time: clock.time ?? 0)
      score(online, engine, from..<online.rows)
    }
  }

  /// The row at which the block passes a boundary, if it does.
  private mutating func follow(_ times: ArraySlice<Int64>) -> Int? {
    var turn: Int?
    for (row, time) in times.enumerated() {
      clock.follow(time)
      guard let period = policy.period, let now = clock.time else { continue }
      let anchor = anchor ?? Int64(EventTime.day(now)) * EventTime.millisecondsPerDay
      self.anchor = anchor
      guard now >= boundary ?? .min else { continue }
      if boundary != nil, turn == nil { turn = row }
      let (periods, rest) = (now - anchor).quotientAndRemainder(dividingBy: period)
      boundary = anchor + (rest < 0 ? periods : periods + 1) * period
    }
    return turn
  }

  private mutating func adopt(_ next: [ServedModel?], row: Int, time: Int64) {
    for model in served.indices {
      guard let version = next[model], version.header.version != served[model]?.header.version
      else { continue }
      served[model] = version
      swaps.append(
        (
          row, model,
          ServedVersion(version, time: time, threshold: pipeline.threshold(model, next))
        ))
    }
  }

  private mutating func score(_ online: ScoredBlock, _ engine: ScoringEngine, _ rows: Range<Int>) {
    for model in served.indices {
      if scores[model].count < online.rows {
        scores[model] = Array(repeating: .nan, count: max(256, online.rows))
      }
      if served[model]?.header.version == engine.served[model]?.header.version {
        for row in rows { scores[model][row] = online.score(model: model, row: row) }
      } else if let version = served[model] {
        // The whole block; what follows the range is written over afterwards.
        version.parameters.score(engine.features, into: &scores[model])
      } else {
        for row in rows { scores[model][row] = .nan }
      }
    }
    if outcomes.count < online.rows {
      outcomes = Array(repeating: .none, count: max(256, online.rows))
    }
    let deciding = pipeline.deciding(served)
    let threshold = deciding.flatMap { pipeline.threshold($0, served) }
    for row in rows {
      if let deciding, let threshold {
        outcomes[row] = scores[deciding][row] >= threshold ? .alert : .pass
      } else {
        outcomes[row] = deciding == nil ? .none : .pass
      }
    }
  }
}

extension ServedVersion {
  init(_ model: ServedModel, time: Int64, threshold: Float?) {
    self.init(
      epoch: model.header.epoch, version: model.header.version, time: time, threshold: threshold)
  }
}
