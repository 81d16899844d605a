import Evaluation
import Testing

@Suite("Intervals by resampling days")
struct IntervalTests {
  private struct Sample {
    var scores: [Float] = []
    var labels: [Bool] = []
    var days: [Int32] = []

    init(seed: UInt64, days count: Int, events: Int) {
      var generator = SeededGenerator(seed: seed)
      for day in 0..<count {
        // Days differ in how many positives they have and in how well they are told.
        let rate = Double.random(in: 0.02...0.3, using: &generator)
        let strength = Float.random(in: 0...1, using: &generator)
        for _ in 0..<events {
          let label = Double.random(in: 0..<1, using: &generator) < rate
          let draw = Float.random(in: 0..<1, using: &generator)
          scores.append(label ? strength * draw.squareRoot() + (1 - strength) * draw : draw * 0.9)
          labels.append(label)
          days.append(Int32(day))
        }
      }
    }

    func table(_ chosen: [Int]) -> EvaluationTable {
      var table = EvaluationTable(models: [ModelColumn(name: "model", isProbability: true)])
      for (copy, day) in chosen.enumerated() {
        for row in scores.indices where days[row] == Int32(day) {
          table.append(
            scores: [scores[row]], decision: .none, label: labels[row], day: Int32(copy))
        }
      }
      return table
    }
  }

  @Test("agree with resampling whole days of rows", arguments: [(12, 60), (10, 900)])
  func bruteForce(days: Int, events: Int) throws {
    let sample = Sample(seed: 11, days: days, events: events)
    var options = FigureOptions(budget: .perDay(5))
    options.falsePositiveRates = [0.05]
    options.resamples = 1_000
    let table = sample.table(Array(0..<days))
    let overall = table.evaluate(model: 0, options: options).overall
    options.resamples = 0
    var generator = SeededGenerator(seed: 12)
    var values: [FigureName: [Double]] = [:]
    let names: [FigureName] = [
      .areaUnderROC, .averagePrecision, .logLoss, .brierScore, .accuracy, .budgetPrecision,
      .budgetRecall, .recall(0.05),
    ]
    let rounds = 400
    for _ in 0..<rounds {
      let drawn = (0..<days).map { _ in Int.random(in: 0..<days, using: &generator) }
      let figures = sample.table(drawn).evaluate(model: 0, options: options).overall
      for name in names { values[name, default: []].append(try #require(figures[name])) }
    }
    for name in names {
      let sorted = try #require(values[name]).sorted()
      let interval = try #require(overall.intervals[name])
      let width = sorted[rounds * 39 / 40 - 1] - sorted[rounds / 40]
      let low = abs(interval.low - sorted[rounds / 40])
      let high = abs(interval.high - sorted[rounds * 39 / 40 - 1])
      #expect(low <= 0.25 * width && high <= 0.25 * width, "\(name.key): \(interval)")
    }
  }

  @Test("hold the figure, follow from the seed and need two days")
  func properties() throws {
    let sample = Sample(seed: 5, days: 20, events: 80)
    let table = sample.table(Array(0..<20))
    var options = FigureOptions(budget: .perDay(5))
    options.resamples = 200
    let one = table.evaluate(model: 0, options: options)
    #expect(table.evaluate(model: 0, options: options) == one)
    options.seed = 1
    #expect(table.evaluate(model: 0, options: options).overall.intervals != one.overall.intervals)
    #expect(one.overall.intervals.count >= 10)
    for (name, interval) in one.overall.intervals {
      let value = try #require(one.overall[name])
      #expect(interval.low <= interval.high)
      #expect(interval.low <= value && value <= interval.high, "\(name.key)")
    }
    #expect(one.byDay.allSatisfy { $0.figures.intervals.isEmpty })
    let day = sample.table([3]).evaluate(model: 0, options: options)
    #expect(day.overall.intervals.isEmpty)
  }

  @Test("days that are all alike leave no doubt")
  func alike() throws {
    let scores: [Float] = [0.9, 0.8, 0.4, 0.1]
    let labels = [true, false, true, false]
    let table = table(
      (0..<40).map { scores[$0 % 4] }, (0..<40).map { labels[$0 % 4] },
      days: (0..<40).map { Int32($0 / 4) })
    var options = FigureOptions(budget: .perDay(1))
    options.resamples = 50
    let overall = table.evaluate(model: 0, options: options).overall
    for name in [.areaUnderROC, .averagePrecision, .accuracy, .budgetRecall] as [FigureName] {
      let interval = try #require(overall.intervals[name])
      #expect(isClose(interval.low, overall[name], within: 1e-6))
      #expect(isClose(interval.high, overall[name], within: 1e-6))
    }
  }

  @Test("two runs over the same days are compared day by day")
  func pairs() throws {
    var generator = SeededGenerator(seed: 8)
    var first: [String: Double] = [:]
    var second: [String: Double] = [:]
    for day in 0..<100 {
      let level = Double.random(in: 0.5...0.9, using: &generator)
      first["\(day)"] = level
      second["\(day)"] = level + 0.02 + Double.random(in: -0.01...0.01, using: &generator)
    }
    second["100"] = 1
    let paired = try #require(PairedDays(first, second, resamples: 1_000, seed: 3))
    #expect(paired.days == 100)
    #expect(isClose(paired.difference, 0.02, within: 0.002))
    let interval = try #require(paired.interval)
    // The level's spread cancels: ± 1.96 · 0.01 / √3 / √100.
    #expect(isClose(interval.high - interval.low, 2 * 1.96 * 0.000577, within: 0.0005))
    #expect(PairedDays(first, ["x": 1], resamples: 10, seed: 0) == nil)
    #expect(try #require(PairedDays(["a": 1], ["a": 2], resamples: 9, seed: 0)).interval == nil)
  }
}
