extension EvaluationTable {
  /// The decisions over all events that one was made for.
  /// - Parameter outcomes: what else might have been decided, one a row; nil: what was.
  public func decisionFigures(_ outcomes: [DecisionOutcome]? = nil) -> DetectionFigures {
    decisionFiguresByDay(outcomes).reduce(.none) { $0 + $1.figures }
  }

  /// The decisions day by day, in the order of days; only days with an event appear. The parameter
  /// is that of ``decisionFigures(_:)``.
  public func decisionFiguresByDay(_ outcomes: [DecisionOutcome]? = nil) -> [DayDecisionFigures] {
    let grouping = DayGrouping(days)
    return grouping.days.enumerated().map { position, day in
      var events = 0
      var positives = 0
      var alerts = 0
      var truePositives = 0
      for place in grouping.places(ofDayAt: position) {
        let row = grouping.row(at: place)
        let outcome = outcomes.map { $0[row].rawValue } ?? marks[row] >> 1
        guard outcome != DecisionOutcome.none.rawValue else { continue }
        let positive = isPositive(row: row) ? 1 : 0
        events += 1
        positives += positive
        if outcome == DecisionOutcome.alert.rawValue {
          alerts += 1
          truePositives += positive
        }
      }
      let figures = DetectionFigures(
        events: events, positives: positives, alerts: alerts, truePositives: truePositives,
        days: events == 0 ? 0 : 1)
      return DayDecisionFigures(day: day, figures: figures)
    }
  }

  /// What the decisions cost, over the events that one was made for.
  /// - Returns: the total, and of it the alerts, right or wrong, and the missed positives.
  public func decisionCost(
    _ costs: EventCosts
  ) -> (total: Double, alerts: Double, missed: Double) {
    var total = 0.0
    var alerts = 0.0
    var missed = 0.0
    for row in 0..<count where marks[row] >> 1 != DecisionOutcome.none.rawValue {
      let flagged = marks[row] >> 1 == DecisionOutcome.alert.rawValue
      let cost = costs.cost(flagged: flagged, isPositive: isPositive(row: row), row: row)
      total += cost
      if flagged { alerts += costs.alert } else { missed += cost }
    }
    return (total, alerts, missed)
  }

  /// Whether a row's event turned out positive.
  public func isPositive(row: Int) -> Bool { marks[row] & 1 != 0 }
}
