import Evaluation
import Testing

@Suite("Figures of a model")
struct FiguresTests {
  @Test("agree with scikit-learn", arguments: GoldenFigures.cases)
  func golden(golden: GoldenCase) {
    let labels = golden.labels.map { $0 == 1 }
    var table = EvaluationTable(models: [ModelColumn(name: "model", isProbability: true)])
    for (score, label) in zip(golden.scores, labels) {
      table.append(scores: [score], decision: score >= 0.5 ? .alert : .pass, label: label, day: 4)
    }
    let figures = table.figures(model: 0)
    #expect(figures.events == labels.count)
    #expect(figures.positives == labels.count { $0 })
    #expect(isClose(figures.areaUnderROC, golden.areaUnderROC))
    #expect(isClose(figures.averagePrecision, golden.averagePrecision))
    #expect(isClose(figures.logLoss, golden.logLoss, within: 1e-9))
    #expect(isClose(figures.brierScore, golden.brierScore))
    #expect(isClose(figures.accuracy, golden.accuracy))
    #expect(isClose(figures.calibrationError, golden.calibrationError))
    #expect(figures.recallAtFalsePositiveRate.map(\.falsePositiveRate) == [0.001, 0.01, 0.05])
    for (mine, theirs) in zip(figures.recallAtFalsePositiveRate, golden.recalls) {
      #expect(isClose(mine.recall, theirs))
    }
    let decisions = table.decisionFigures()
    #expect(isClose(decisions.precision, golden.precision))
    #expect(isClose(decisions.recall, golden.recall))
    #expect(isClose(decisions.f1, golden.f1))
    // One day holds all, so the day's figures are those of the whole.
    #expect(table.figuresByDay(model: 0).map(\.figures) == [figures])
  }

  @Test("agree with counting every pair and threshold, ties, infinities and both zeros included")
  func bruteForce() {
    for seed in 1...60 as ClosedRange<UInt64> {
      var generator = SeededGenerator(seed: seed)
      let count = Int.random(in: 1...400, using: &generator)
      let levels = Int.random(in: 1...60, using: &generator)
      let special: [Float] = [0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, -1.5]
      let scores: [Float] = (0..<count).map { _ in
        let level = Int.random(in: 0..<levels, using: &generator)
        return level < special.count ? special[level] : Float(level) / 7
      }
      let labels = (0..<count).map { _ in Int.random(in: 0..<3, using: &generator) == 0 }
      let figures = table(scores, labels, isProbability: false).figures(model: 0)
      #expect(figures.areaUnderROC == bruteForceAUROC(scores, labels), "seed \(seed)")
      #expect(
        isClose(figures.averagePrecision, bruteForceAveragePrecision(scores, labels)),
        "seed \(seed)")
    }
  }

  @Test("closed forms")
  func closedForms() {
    let perfect = table([0.1, 0.2, 0.8, 0.9], [false, false, true, true]).figures(model: 0)
    #expect(perfect.areaUnderROC == 1)
    #expect(perfect.averagePrecision == 1)
    let reversed = table([0.9, 0.8, 0.2, 0.1], [false, false, true, true]).figures(model: 0)
    #expect(reversed.areaUnderROC == 0)
    #expect(isClose(reversed.averagePrecision, (1.0 / 3 + 2.0 / 4) / 2))
    let constant = table([0.25, 0.25, 0.25, 0.25], [true, false, false, false]).figures(model: 0)
    #expect(constant.areaUnderROC == 0.5)
    #expect(constant.averagePrecision == 0.25)
    #expect(isClose(constant.brierScore, 0.1875))
    #expect(constant.accuracy == 0.75)
  }

  @Test("a certain error costs the clipped loss, not infinity")
  func clipping() {
    let figures = table([0, 1], [true, false]).figures(model: 0)
    #expect(isClose(figures.logLoss, 16.11809565095832, within: 1e-8))
    #expect(isClose(figures.brierScore, 1, within: 1e-6))
    let outside = table([-3, 7], [false, true]).figures(model: 0)
    #expect(isClose(outside.logLoss, 1e-7, within: 1e-12))
  }

  @Test("what one class leaves undefined is nil")
  func undefined() {
    let empty = table([], []).figures(model: 0, budget: .perDay(3))
    #expect(empty.areaUnderROC == nil && empty.averagePrecision == nil)
    #expect(empty.logLoss == nil && empty.brierScore == nil && empty.accuracy == nil)
    #expect(empty.atBudget?.precision == nil && empty.atBudget?.recall == nil)
    #expect(empty.atBudget?.alertsPerDay == nil && empty.atBudget?.f1 == nil)
    for label in [true, false] {
      let one = table([0.5, 0.25], [label, label]).figures(model: 0)
      #expect(one.areaUnderROC == nil && one.averagePrecision == nil)
      #expect(one.logLoss != nil)
    }
    let scores = table([0.5, 2], [true, false], isProbability: false).figures(model: 0)
    #expect(scores.logLoss == nil && scores.brierScore == nil && scores.accuracy == nil)
    #expect(scores.areaUnderROC == 0)
  }

  @Test("events without a score are counted apart and change nothing else")
  func unscored() {
    let with = table([.nan, 0.2, 0.9, .nan], [true, false, true, false])
      .figures(model: 0, budget: .perDay(10))
    #expect(with.unscored == 2 && with.events == 2 && with.positives == 1)
    #expect(with.areaUnderROC == 1)
    #expect(with.atBudget?.alerts == 2)
    let none = table([.nan, .nan], [true, false]).figures(model: 0, budget: .share(0.5))
    #expect(none.unscored == 2 && none.events == 0 && none.areaUnderROC == nil)
    #expect(none.atBudget?.alerts == 0 && none.atBudget?.days == 0)
  }
}
