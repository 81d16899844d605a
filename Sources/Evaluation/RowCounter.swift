/// Counts rows of one column into tallies.
final class RowCounter {
  private let table: EvaluationTable
  private let column: [Float]
  private let isProbability: Bool
  private let costs: EventCosts?
  private let segments: [(row: Int, version: ServedVersion)]
  /// The segment that the last row lay in, where the search for the next one begins.
  private var segment = 0
  /// Counts of the day so far by the served thresholds.
  private var events = 0
  private var positives = 0
  private var alerts = 0
  private var hits = 0

  /// Whether a threshold was served at any time.
  let hasThreshold: Bool

  init(_ table: EvaluationTable, model: Int, options: FigureOptions) {
    self.table = table
    column = table.scores[model]
    isProbability = table.models[model].isProbability
    costs = options.costs
    segments = table.served[model]
    hasThreshold = segments.contains { $0.version.threshold != nil }
  }

  /// Counts a row.
  @inline(__always)
  func add(_ row: Int, to tally: inout DayTally) {
    let score = column[row]
    guard !score.isNaN else {
      tally.unscored += 1
      return
    }
    let isPositive = table.isPositive(row: row)
    tally.events += 1
    if isPositive { tally.positives += 1 }
    if isProbability {
      let loss = ProbabilityLoss(Double(score), isPositive: isPositive)
      tally.logLoss += loss.logLoss
      tally.squaredError += loss.squaredError
      if (score >= 0.5) == isPositive { tally.correct += 1 }
    }
    let threshold = hasThreshold ? self.threshold(row) : nil
    let flagged = threshold.map { score >= $0 } ?? false
    if threshold != nil {
      events += 1
      if isPositive { positives += 1 }
      if flagged {
        alerts += 1
        if isPositive { hits += 1 }
      }
    }
    if let costs { tally.cost += costs.cost(flagged: flagged, isPositive: isPositive, row: row) }
  }

  /// Ends a day.
  func finish(_ tally: inout DayTally) {
    tally.atThreshold = DetectionFigures(
      events: events, positives: positives, alerts: alerts, truePositives: hits,
      days: events == 0 ? 0 : 1)
    (events, positives, alerts, hits) = (0, 0, 0, 0)
  }

  /// The threshold that was served when a row was scored.
  private func threshold(_ row: Int) -> Float? {
    while segment + 1 < segments.count && segments[segment + 1].row <= row { segment += 1 }
    while segment > 0 && segments[segment].row > row { segment -= 1 }
    return segments[segment].row <= row ? segments[segment].version.threshold : nil
  }

  /// A day's alerts and hits by its budget.
  func detections(
    _ grouping: DayGrouping, _ places: Range<Int>, _ ranking: ScoreRanking, _ budget: AlertBudget
  ) -> DetectionFigures {
    let alerts = budget.alerts(amongEvents: ranking.events)
    var hits = 0
    if let cut = ranking.cut(alerts: alerts) {
      hits = cut.positivesAbove
      var remaining = alerts - cut.eventsAbove
      for place in places where remaining > 0 {
        let row = grouping.row(at: place)
        if !column[row].isNaN && ScoreKey.key(column[row]) == cut.key {
          remaining -= 1
          if table.isPositive(row: row) { hits += 1 }
        }
      }
    }
    return DetectionFigures(
      events: ranking.events, positives: ranking.positives, alerts: alerts, truePositives: hits,
      days: ranking.events == 0 ? 0 : 1)
  }
}
