extension EvaluationTable {
  /// The figures of one model over all events.
  ///
  /// - Parameters:
  ///   - model: the column's position.
  ///   - budget: what ``Figures/atBudget`` is asked for; it is spent day by day.
  /// - Precondition: there is such a column.
  public func figures(model: Int, budget: AlertBudget? = nil) -> Figures {
    var summary = ScoreSummary(isProbability: models[model].isProbability)
    for row in 0..<count { summary.add(scores[model][row], isPositive: isPositive(row)) }
    let atBudget = budget.map { budget in
      figuresByDay(model: model, budget: budget).reduce(
        into: DetectionFigures(events: 0, positives: 0, alerts: 0, truePositives: 0, days: 0)
      ) { total, day in
        if let figures = day.figures.atBudget { total = total + figures }
      }
    }
    summary.rank()
    return summary.figures(atBudget: atBudget)
  }

  /// The figures of one model, day by day, in the order of days; only days with an event appear.
  ///
  /// Parameters are those of ``figures(model:budget:)``.
  public func figuresByDay(model: Int, budget: AlertBudget? = nil) -> [DayFigures] {
    let column = scores[model]
    let grouping = DayGrouping(days)
    var summary = ScoreSummary(isProbability: models[model].isProbability)
    var result: [DayFigures] = []
    result.reserveCapacity(grouping.days.count)
    for (position, day) in grouping.days.enumerated() {
      let places = grouping.places(ofDayAt: position)
      summary.removeAll()
      for place in places {
        let row = grouping.row(at: place)
        summary.add(column[row], isPositive: isPositive(row))
      }
      summary.rank()
      let atBudget = budget.map { budget in
        detections(column, grouping, places, summary, budget)
      }
      result.append(
        DayFigures(day: day, figures: summary.figures(atBudget: atBudget)))
    }
    return result
  }

  /// The decisions over all events that one was made for.
  public func decisionFigures() -> DetectionFigures {
    var tally = DecisionTally()
    for row in 0..<count { tally.add(marks[row]) }
    let decidedDays = DayGrouping(days).days(where: {
      marks[$0] >> 1 != DecisionOutcome.none.rawValue
    })
    return tally.figures(days: decidedDays)
  }

  /// The decisions day by day, in the order of days; only days with an event appear.
  public func decisionFiguresByDay() -> [DayDecisionFigures] {
    let grouping = DayGrouping(days)
    return grouping.days.enumerated().map { position, day in
      var tally = DecisionTally()
      for place in grouping.places(ofDayAt: position) { tally.add(marks[grouping.row(at: place)]) }
      return DayDecisionFigures(day: day, figures: tally.figures(days: tally.events == 0 ? 0 : 1))
    }
  }

  @inline(__always)
  private func isPositive(_ row: Int) -> Bool { marks[row] & 1 != 0 }

  private func detections(
    _ column: [Float], _ grouping: DayGrouping, _ places: Range<Int>, _ summary: ScoreSummary,
    _ budget: AlertBudget
  ) -> DetectionFigures {
    let alerts = budget.alerts(amongEvents: summary.events)
    var hits = 0
    if let cut = summary.cut(alerts: alerts) {
      hits = cut.positivesAbove
      var remaining = alerts - cut.eventsAbove
      for place in places where remaining > 0 {
        let row = grouping.row(at: place)
        if !column[row].isNaN && ScoreKey.key(column[row]) == cut.key {
          remaining -= 1
          if isPositive(row) { hits += 1 }
        }
      }
    }
    return DetectionFigures(
      events: summary.events, positives: summary.positives, alerts: alerts, truePositives: hits,
      days: summary.events == 0 ? 0 : 1)
  }
}

private struct DecisionTally {
  private(set) var events = 0
  private var positives = 0
  private var alerts = 0
  private var truePositives = 0

  mutating func add(_ mark: UInt8) {
    let decision = mark >> 1
    if decision == DecisionOutcome.none.rawValue { return }
    let positive = Int(mark & 1)
    events += 1
    positives += positive
    if decision == DecisionOutcome.alert.rawValue {
      alerts += 1
      truePositives += positive
    }
  }

  func figures(days: Int) -> DetectionFigures {
    DetectionFigures(
      events: events, positives: positives, alerts: alerts, truePositives: truePositives, days: days
    )
  }
}
