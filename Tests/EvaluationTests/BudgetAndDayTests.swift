import Evaluation
import Testing

@Suite("Alert budgets, days and decisions")
struct BudgetAndDayTests {
  @Test("how many alerts a budget allows")
  func allowance() {
    #expect(AlertBudget.perDay(5).alerts(amongEvents: 3) == 3)
    #expect(AlertBudget.perDay(0).alerts(amongEvents: 3) == 0)
    #expect(AlertBudget.share(0.1).alerts(amongEvents: 39) == 3)
    #expect(AlertBudget.share(0.001).alerts(amongEvents: 39) == 1)
    #expect(AlertBudget.share(0.001).alerts(amongEvents: 0) == 0)
    #expect(AlertBudget.share(0).alerts(amongEvents: 39) == 0)
    #expect(AlertBudget.share(1).alerts(amongEvents: 39) == 39)
  }

  @Test("of equal scores the earlier event is flagged")
  func ties() {
    let scores: [Float] = [0.5, 0.5, 0.9, 0.5]
    let late = table(scores, [false, false, true, true]).figures(model: 0, budget: .perDay(3))
    #expect(late.atBudget?.truePositives == 1)
    let early = table(scores, [true, false, true, false]).figures(model: 0, budget: .perDay(2))
    #expect(early.atBudget?.truePositives == 2)
    #expect(early.atBudget?.precision == 1 && early.atBudget?.recall == 1)
  }

  @Test("budgets are spent day by day as a full sort would, whatever the order of days")
  func againstSorting() {
    for seed in 1...40 as ClosedRange<UInt64> {
      var generator = SeededGenerator(seed: seed)
      let count = Int.random(in: 1...3_000, using: &generator)
      let scores: [Float] = (0..<count).map { _ in
        let level = Int.random(in: 0...40, using: &generator)
        return level == 0 ? .nan : Float(level) / 41
      }
      let labels = (0..<count).map { _ in Int.random(in: 0..<4, using: &generator) == 0 }
      var days = (0..<count).map { _ in Int32.random(in: -3...5, using: &generator) }
      if seed.isMultiple(of: 2) { days.sort() }
      let table = table(scores, labels, days: days)
      let budget: AlertBudget = seed.isMultiple(of: 3) ? .share(0.07) : .perDay(11)
      var alerts = 0
      var hits = 0
      let byDay = table.figuresByDay(model: 0, budget: budget)
      #expect(byDay.map(\.day) == Set(days).sorted(), "seed \(seed)")
      for day in byDay {
        let rows = (0..<count).filter { days[$0] == day.day }
        let scored = rows.filter { !scores[$0].isNaN }
        let ranked = scored.sorted { (scores[$1], $0) < (scores[$0], $1) }
        let flagged = ranked.prefix(budget.alerts(amongEvents: scored.count))
        let dayHits = flagged.count { labels[$0] }
        #expect(day.figures.atBudget?.alerts == flagged.count, "seed \(seed)")
        #expect(day.figures.atBudget?.truePositives == dayHits, "seed \(seed)")
        #expect(day.figures.unscored == rows.count - scored.count, "seed \(seed)")
        #expect(
          day.figures.areaUnderROC
            == bruteForceAUROC(scored.map { scores[$0] }, scored.map { labels[$0] }),
          "seed \(seed)")
        alerts += flagged.count
        hits += dayHits
      }
      let overall = table.figures(model: 0, budget: budget)
      #expect(overall.atBudget?.alerts == alerts, "seed \(seed)")
      #expect(overall.atBudget?.truePositives == hits, "seed \(seed)")
      #expect(overall.atBudget?.positives == overall.positives, "seed \(seed)")
    }
  }

  @Test("decisions, by day and in all; events without one do not count")
  func decisions() {
    var table = EvaluationTable(models: [])
    let rows: [(DecisionOutcome, Bool, Int32)] = [
      (.none, true, 1), (.alert, true, 2), (.alert, false, 2), (.pass, true, 2), (.pass, false, 3),
      (.alert, true, 3), (.none, false, 3), (.pass, false, 2),
    ]
    for (decision, label, day) in rows {
      table.append(scores: [], decision: decision, label: label, day: day)
    }
    let all = table.decisionFigures()
    #expect(
      all == DetectionFigures(events: 6, positives: 3, alerts: 3, truePositives: 2, days: 2))
    #expect(all.alertsPerDay == 1.5)
    #expect(isClose(all.precision, 2.0 / 3) && isClose(all.recall, 2.0 / 3))
    #expect(isClose(all.f1, 2.0 / 3))
    let byDay = table.decisionFiguresByDay()
    #expect(byDay.map(\.day) == [1, 2, 3])
    #expect(byDay.map(\.figures.alerts) == [0, 2, 1])
    #expect(byDay.map(\.figures.days) == [0, 1, 1])
    #expect(byDay[0].figures.precision == nil && byDay[0].figures.f1 == nil)
  }

  @Test("a block appends what its rows one by one would")
  func blocks() {
    var generator = SeededGenerator(seed: 5)
    let models = [
      ModelColumn(name: "one", isProbability: true), ModelColumn(name: "two", isProbability: false),
    ]
    var single = EvaluationTable(models: models)
    var block = EvaluationTable(models: models)
    block.reserveCapacity(1_000)
    for _ in 0..<20 {
      let count = Int.random(in: 0...64, using: &generator)
      let columns = (0..<2).map { _ in
        (0..<64).map { _ in Float.random(in: 0..<1, using: &generator) }
      }
      let decisions = (0..<64).map { _ in DecisionOutcome.allCases.randomElement(using: &generator)!
      }
      let labels = (0..<64).map { _ in Bool.random(using: &generator) }
      let days = (0..<64).map { _ in Int32.random(in: 0...3, using: &generator) }
      block.append(
        count: count, scores: columns, decisions: decisions, labels: labels, days: days)
      for row in 0..<count {
        single.append(
          scores: columns.map { $0[row] }, decision: decisions[row], label: labels[row],
          day: days[row])
      }
    }
    #expect(single.count == block.count)
    #expect(single.index(ofModel: "two") == 1 && single.index(ofModel: "three") == nil)
    for model in 0..<2 {
      #expect(
        single.figures(model: model, budget: .perDay(9))
          == block.figures(model: model, budget: .perDay(9)))
      #expect(single.figuresByDay(model: model) == block.figuresByDay(model: model))
    }
    #expect(single.decisionFiguresByDay() == block.decisionFiguresByDay())
  }

  @Test("days are UTC, before 1970 too")
  func days() {
    #expect(utcDay(ofMilliseconds: 0) == 0)
    #expect(utcDay(ofMilliseconds: 86_399_999) == 0)
    #expect(utcDay(ofMilliseconds: 86_400_000) == 1)
    #expect(utcDay(ofMilliseconds: -1) == -1)
    #expect(utcDay(ofMilliseconds: -86_400_000) == -1)
    #expect(utcDay(ofMilliseconds: -86_400_001) == -2)
    #expect(utcDay(ofMilliseconds: .min) == .min && utcDay(ofMilliseconds: .max) == .max)
  }
}
