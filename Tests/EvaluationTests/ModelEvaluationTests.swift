import Evaluation
import Testing

@Suite("Figures over days, weeks, versions and selections")
struct ModelEvaluationTests {
  /// Scores that say something, on days that rise, some of them missing.
  private func sample(
    seed: UInt64, count: Int = 3_000, days: ClosedRange<Int32> = 17_622...17_650
  ) -> (table: EvaluationTable, scores: [Float], labels: [Bool], days: [Int32]) {
    var generator = SeededGenerator(seed: seed)
    let labels = (0..<count).map { _ in Int.random(in: 0..<12, using: &generator) == 0 }
    let scores = labels.map { label -> Float in
      let draw = Float.random(in: 0...1, using: &generator)
      if draw > 0.99 { return .nan }
      return label ? draw.squareRoot() : draw * draw
    }
    let days = (0..<count).map { _ in Int32.random(in: days, using: &generator) }.sorted()
    return (table(scores, labels, days: days), scores, labels, days)
  }

  @Test("Card Precision@k as the Handbook's definition written with pandas")
  func cardPrecision() {
    let golden = GoldenFigures.cards
    let table = table(golden.scores, golden.labels.map { $0 == 1 }, days: golden.days)
    var options = FigureOptions()
    options.cards = .init(entities: golden.cards, k: [5, 20])
    let result = table.evaluate(model: 0, options: options)
    for (index, expected) in [golden.precision5, golden.precision20].enumerated() {
      #expect(result.byDay.map { $0.figures.cardPrecision[index].value } == expected)
      let mean = expected.reduce(0, +) / Double(expected.count)
      #expect(isClose(result.overall.cardPrecision[index].value, mean))
    }
    #expect(result.overall[.cardPrecision(20)] == result.overall.cardPrecision[1].value)
  }

  @Test("rows without an entity or a score take no part in Card Precision")
  func cardsWithout() {
    let table = table(
      [0.9, .nan, 0.5, 0.4, .nan], [true, true, true, false, true],
      days: [1, 1, 1, 2, 3])
    var options = FigureOptions()
    options.cards = .init(entities: [.max, 0, 1, 0, 2], k: [1])
    let result = table.evaluate(model: 0, options: options)
    #expect(result.byDay.map { $0.figures.cardPrecision[0].value } == [1, 0, nil])
    #expect(result.overall.cardPrecision[0].value == 0.5)
  }

  @Test("a selection has the figures of a table of just its rows")
  func selections() {
    for seed in 1...8 as ClosedRange<UInt64> {
      let sample = sample(seed: seed)
      var generator = SeededGenerator(seed: seed + 100)
      let rows = sample.scores.indices.filter { _ in Bool.random(using: &generator) }
      let range = 500..<1_700
      for (selection, chosen) in [
        (RowSelection.rows(rows.map(UInt32.init)), rows), (.range(range), Array(range)),
        (.all, Array(sample.scores.indices)),
      ] {
        let part = table(
          chosen.map { sample.scores[$0] }, chosen.map { sample.labels[$0] },
          days: chosen.map { sample.days[$0] })
        let options = FigureOptions(budget: .perDay(4))
        #expect(
          sample.table.evaluate(model: 0, rows: selection, options: options)
            == part.evaluate(model: 0, options: options), "seed \(seed)")
      }
    }
  }

  @Test("a week's figures are those of its rows; weeks begin on Mondays")
  func weeks() {
    let sample = sample(seed: 3)
    let weeks = sample.table.evaluate(model: 0, options: .init(budget: .perDay(5))).byWeek
    // 2018-04-02, day 17,623, was a Monday.
    #expect(weeks.map(\.monday) == [17_616, 17_623, 17_630, 17_637, 17_644])
    for week in weeks {
      let rows = sample.days.indices.filter {
        (week.monday..<week.monday + 7).contains(sample.days[$0])
      }
      let part = table(
        rows.map { sample.scores[$0] }, rows.map { sample.labels[$0] },
        days: rows.map { sample.days[$0] })
      let figures = part.figures(model: 0, budget: .perDay(5))
      #expect(isClose(week.figures.logLoss, figures.logLoss))
      #expect(week.figures.areaUnderROC == figures.areaUnderROC)
      #expect(week.figures.atBudget == figures.atBudget)
      #expect(week.figures.calibrationError == figures.calibrationError)
    }
  }

  @Test("each score is held against the threshold that was served then")
  func thresholds() {
    var table = table([0.5, 0.6], [false, true], days: [1, 1])
    #expect(table.figures(model: 0).atThreshold == nil)
    let first = ServedVersion(epoch: 1, version: 1, time: 5, threshold: nil)
    let second = ServedVersion(epoch: 1, version: 2, time: 6, threshold: 0.7)
    let third = ServedVersion(epoch: 1, version: 3, time: 7, threshold: 0.2)
    table.serve(first, model: 0)
    table.append(scores: [0.9], decision: .none, label: true, day: 1)
    table.serve(second, model: 0, fromRow: 3)
    for (score, label) in [(0.9, true), (0.6, true), (0.7, false)] as [(Float, Bool)] {
      table.append(scores: [score], decision: .none, label: label, day: 2)
    }
    table.serve(third, model: 0)
    table.append(scores: [0.3], decision: .none, label: false, day: 3)
    let result = table.evaluate(model: 0, options: .init())
    #expect(
      result.overall.atThreshold
        == DetectionFigures(events: 4, positives: 2, alerts: 3, truePositives: 1, days: 2))
    #expect(result.byDay.map { $0.figures.atThreshold?.alerts } == [0, 2, 1])
    let versions = table.figuresByVersion(model: 0, options: .init())
    #expect(versions.map(\.version) == [first, second, third])
    #expect(versions.map(\.figures.events) == [1, 3, 1])
    #expect(versions[1].figures.atThreshold?.truePositives == 1)
  }

  @Test("costs: alerts, missed positives by amount, savings")
  func costs() {
    var table = table([], [])
    table.serve(.init(epoch: 1, version: 1, time: 0, threshold: 0.5), model: 0)
    let rows: [(Float, Bool, DecisionOutcome)] = [
      (0.9, true, .alert), (0.9, false, .pass), (0.1, true, .pass), (0.2, true, .alert),
      (0.1, false, .pass), (.nan, true, .none),
    ]
    for row in rows { table.append(scores: [row.0], decision: row.2, label: row.1, day: 0) }
    var options = FigureOptions()
    options.costs = EventCosts(
      alert: 5, missed: .column([10, 20, 30, 40, 50, 60]), caught: .constant(2))
    let result = table.evaluate(model: 0, options: options)
    // Two alerts, one of them right; the third and the fourth are missed.
    #expect(result.overall.cost == 78.0)
    let decided = table.decisionCost(options.costs!)
    #expect(decided.total == 36.0)
    #expect(decided.alerts == 10 && decided.missed == 30)
  }

  @Test("curves end where they must and bins hold every event")
  func curves() throws {
    var options = FigureOptions()
    options.curves = true
    for seed in 1...6 as ClosedRange<UInt64> {
      let sample = sample(seed: seed)
      let result = sample.table.evaluate(model: 0, options: options)
      let curves = try #require(result.curves)
      #expect(curves.roc.count <= 200 && curves.precisionRecall.count <= 200, "seed \(seed)")
      #expect(curves.roc.first?.x == 0 && curves.roc.last?.x == 1 && curves.roc.last?.y == 1)
      #expect(curves.precisionRecall.last?.x == 1)
      var area = 0.0
      for (one, next) in zip(curves.roc, curves.roc.dropFirst()) {
        #expect(next.x >= one.x && next.y >= one.y)
        area += (next.x - one.x) * (one.y + next.y) / 2
      }
      #expect(isClose(area, result.overall.areaUnderROC, within: 0.01), "seed \(seed)")
      let events = result.overall.events
      #expect(curves.calibration.count == 20)
      #expect(curves.calibration.reduce(0) { $0 + $1.events } == events)
      #expect(curves.histogram.edges.count == curves.histogram.negatives.count + 1)
      let counted = (curves.histogram.negatives + curves.histogram.positives).reduce(0, +)
      #expect(counted == events, "seed \(seed)")
    }
    let anomalies = try #require(
      table([3, 4, 8], [false, true, true], isProbability: false)
        .evaluate(model: 0, options: options).curves)
    #expect(anomalies.calibration.isEmpty)
    #expect(anomalies.histogram.edges.first == 3 && anomalies.histogram.edges.last == 8)
    #expect(anomalies.histogram.positives.last == 1)
  }

  @Test("a constant probability is off by its distance from the base rate")
  func calibrationOfAConstant() {
    let labels = (0..<100).map { $0 % 4 == 0 }
    let figures = table(Array(repeating: 0.75, count: 100), labels).figures(model: 0)
    #expect(isClose(figures.calibrationError, 0.5))
  }
}
