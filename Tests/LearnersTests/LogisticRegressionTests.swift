import Foundation
import Learners
import LinearAlgebra
import Testing

@Suite struct LogisticRegressionTests {
  /// The stream of Golden/logistic_regression.py.
  private func stationary() -> (rows: [[Double]], labels: [Double]) {
    var stream = GoldenStream(seed: 5)
    var rows: [[Double]] = []
    var labels: [Double] = []
    for _ in 0..<20_000 {
      let row = (0..<4).map { _ in stream.normal() }
      let logOdds = -1 + 1.5 * row[0] - 0.8 * row[1] + 0.3 * row[2]
      rows.append([10 * row[0] + 3, row[1], 0.01 * row[2] - 5, row[3]])
      labels.append(stream.uniform() < 1 / (1 + exp(-logOdds)) ? 1 : 0)
    }
    return (rows, labels)
  }

  @Test(arguments: [16, 256])
  func onePassComesCloseToTheBatchSolution(batch: Int) throws {
    let (rows, labels) = stationary()
    #expect(labels.reduce(0, +) == Double(GoldenLogistic.positives))
    var learner = LogisticRegression(
      featureCount: 4,
      options: .init(halfLives: [1e9], ridge: 1, clip: 1e6, calibrates: false))
    learner.learn(rows, labels: labels, batch: batch)
    let parameters = try #require(learner.makeParameters())
    #expect(learner.failedSolves == 0)
    // The learner's units stand from the last doubling; the golden ones are those of all rows.
    var moments = RunningMoments(featureCount: 4)
    moments.add(Matrix(rows: rows))
    let units = moments.standardisation()
    var intercept = parameters.intercept
    for feature in 0..<4 {
      let raw = parameters.weights[feature] * parameters.standardisation.scale[feature]
      intercept += raw * (units.mean[feature] - parameters.standardisation.mean[feature])
      let weight = raw / units.scale[feature]
      #expect(abs(weight - GoldenLogistic.weights[feature]) < 0.02, "feature \(feature): \(weight)")
    }
    #expect(abs(intercept - GoldenLogistic.intercept) < 0.02, "\(intercept)")
  }

  @Test func mixtureIsNearlyAsGoodAsTheBestExpertOnStationaryData() throws {
    let (rows, labels) = stationary()
    func loss(_ options: LogisticRegressionOptions) throws -> Double {
      var learner = LogisticRegression(featureCount: 4, options: options)
      learner.learn(Array(rows.prefix(15_000)), labels: Array(labels.prefix(15_000)), batch: 64)
      return logLoss(
        try #require(learner.makeParameters()).scores(Array(rows.suffix(5_000))),
        Array(labels.suffix(5_000)))
    }
    #expect(try loss(.init()) < loss(.init(halfLives: [1_000_000])) * 1.01)
  }

  @Test func recoversWhenTheRuleIsFlipped() throws {
    var stream = GoldenStream(seed: 3)
    var learner = LogisticRegression(featureCount: 2)
    func rows(_ count: Int, sign: Double) -> (rows: [[Double]], labels: [Double]) {
      let rows = (0..<count).map { _ in [stream.normal(), stream.normal()] }
      return (rows, rows.map { sign * ($0[0] + 0.5 * $0[1]) > 0 ? 1 : 0 })
    }
    let before = rows(5_000, sign: 1)
    learner.learn(before.rows, labels: before.labels, batch: 16)
    let old = rows(1_000, sign: 1)
    #expect(auroc(try #require(learner.makeParameters()).scores(old.rows), old.labels) > 0.99)
    let after = rows(400, sign: -1)
    learner.learn(after.rows, labels: after.labels, batch: 16)
    let new = rows(1_000, sign: -1)
    #expect(auroc(try #require(learner.makeParameters()).scores(new.rows), new.labels) > 0.99)
    #expect(learner.shares[0] + learner.shares[1] > 0.9, "\(learner.shares)")
  }

  @Test func exampleWeightsActLikeRepetition() throws {
    let (rows, labels) = stationary()
    let options = LogisticRegressionOptions(halfLives: [1e12], standardisationHalfLife: .infinity)
    var weighted = LogisticRegression(featureCount: 4, options: options)
    var repeated = weighted
    for start in stride(from: 0, to: rows.count, by: 16) {
      let batch = Matrix(rows: Array(rows[start..<start + 16]))
      let twice = Matrix(rows: rows[start..<start + 16].flatMap { [$0, $0] })
      let answers = Array(labels[start..<start + 16])
      weighted.learn(batch, labels: answers, weights: [Double](repeating: 2, count: 16))
      repeated.learn(twice, labels: answers.flatMap { [$0, $0] })
    }
    let a = try #require(weighted.makeParameters())
    let b = try #require(repeated.makeParameters())
    for (x, y) in zip(a.weights + [a.intercept], b.weights + [b.intercept]) {
      #expect(abs(x - y) < 0.03, "\(x), \(y)")
    }
  }

  @Test func weightsOfTwoActLikeHalfThePenalties() throws {
    let (all, allLabels) = stationary()
    let (rows, labels) = (Matrix(rows: Array(all.prefix(500))), Array(allLabels.prefix(500)))
    func learned(ridge: Double, weight: Double) throws -> [Double] {
      var learner = LogisticRegression(
        featureCount: 4,
        options: .init(
          halfLives: [1e12], ridge: ridge, interceptRidge: ridge, curvatureFloor: 1e-9,
          calibrates: false))
      learner.learn(rows, labels: labels, weights: [Double](repeating: weight, count: 500))
      let parameters = try #require(learner.makeParameters())
      return parameters.weights + [parameters.intercept]
    }
    for (x, y) in zip(try learned(ridge: 2, weight: 2), try learned(ridge: 1, weight: 1)) {
      #expect(abs(x - y) < 1e-6, "\(x), \(y)")
    }
  }

  @Test func classWeightRaisesTheScores() throws {
    let (rows, labels) = stationary()
    func mean(_ options: LogisticRegressionOptions) throws -> Float {
      var learner = LogisticRegression(featureCount: 4, options: options)
      learner.learn(Array(rows.prefix(3_000)), labels: labels, batch: 64)
      let scores = try #require(learner.makeParameters()).scores(Array(rows.suffix(1_000)))
      return scores.reduce(0, +) / 1_000
    }
    #expect(try mean(.init(positiveWeight: 5)) > mean(.init()) + 0.15)
  }

  @Test func contributionsAndInterceptAddUpToTheLogOdds() throws {
    let (rows, labels) = stationary()
    var learner = LogisticRegression(featureCount: 4)
    learner.learn(Array(rows.prefix(2_000)), labels: labels, batch: 32)
    let parameters = try #require(learner.makeParameters())
    let block = Matrix(rows: Array(rows.suffix(20)))
    let scores = parameters.scores(Array(rows.suffix(20)))
    for row in 0..<20 {
      let contributions = parameters.contributions(row: row, of: block)
      let logOdds = contributions.reduce(parameters.intercept) { $0 + $1.contribution }
      #expect(abs(Double(scores[row]) - 1 / (1 + exp(-logOdds))) < 1e-6)
    }
  }

  @Test func changedUnitsOfAFeatureDoNotMatter() throws {
    let (rows, labels) = stationary()
    var plain = LogisticRegression(featureCount: 4)
    plain.learn(Array(rows.prefix(3_000)), labels: labels, batch: 32)
    var other = LogisticRegression(featureCount: 4)
    let scaled = rows.map { [$0[0] * 1_024, $0[1] / 1_024, $0[2], $0[3]] }
    other.learn(Array(scaled.prefix(3_000)), labels: labels, batch: 32)
    let a = try #require(plain.makeParameters()).scores(Array(rows.suffix(50)))
    let b = try #require(other.makeParameters()).scores(Array(scaled.suffix(50)))
    for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-6) }
  }

  @Test func whatWasLearnedStaysTrueWhenTheUnitsMove() throws {
    // The mean of the feature wanders and its spread grows, the rule in its own unit stays.
    var stream = GoldenStream(seed: 21)
    var rows: [[Double]] = []
    var labels: [Double] = []
    for index in 0..<4_200 {
      let progress = Double(index) / 4_200
      let value = -3 + 8 * progress + (1 + progress) * stream.normal()
      rows.append([value])
      labels.append(stream.uniform() < 1 / (1 + exp(-(1.2 * value - 2))) ? 1 : 0)
    }
    var learner = LogisticRegression(
      featureCount: 1,
      options: .init(
        halfLives: [1e9], ridge: 1e-6, interceptRidge: 1e-6, clip: 1e6, calibrates: false))
    learner.learn(rows, labels: labels, batch: 8)
    let parameters = try #require(learner.makeParameters())
    // Newton's method on all rows, unstandardised.
    var weight = 0.0
    var intercept = 0.0
    for _ in 0..<30 {
      var (g0, g1, h00, h01, h11) = (0.0, 0.0, 0.0, 0.0, 0.0)
      for (row, label) in zip(rows, labels) {
        let p = 1 / (1 + exp(-(intercept + weight * row[0])))
        g0 += label - p
        g1 += (label - p) * row[0]
        h00 += p * (1 - p)
        h01 += p * (1 - p) * row[0]
        h11 += p * (1 - p) * row[0] * row[0]
      }
      let determinant = h00 * h11 - h01 * h01
      intercept += (h11 * g0 - h01 * g1) / determinant
      weight += (h00 * g1 - h01 * g0) / determinant
    }
    let ours = parameters.weights[0] * parameters.standardisation.scale[0]
    let oursAtZero = parameters.intercept - ours * parameters.standardisation.mean[0]
    #expect(abs(ours - weight) < 0.08 * weight, "\(ours), \(weight)")
    #expect(abs(oursAtZero - intercept) < 0.08 * abs(intercept), "\(oursAtZero), \(intercept)")
  }

  // MARK: Optimizers of first order

  /// The stream of Golden/logistic_optimizers.py.
  private func balanced() -> (rows: [[Double]], labels: [Double]) {
    var stream = GoldenStream(seed: 11)
    var rows: [[Double]] = []
    var labels: [Double] = []
    for _ in 0..<1_000 {
      let row = (0..<4).map { _ in stream.uniform() < 0.5 ? 1.0 : -1.0 }
      for x in [row, row.map { -$0 }] {
        let logOdds = -0.5 + 1.2 * x[0] - 0.7 * x[1] + 0.3 * x[2]
        rows.append(x)
        labels.append(stream.uniform() < 1 / (1 + exp(-logOdds)) ? 1 : 0)
      }
    }
    return (rows, labels)
  }

  private func expect(
    _ options: LogisticRegressionOptions, toLearn golden: [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (rows, labels) = balanced()
    #expect(labels.reduce(0, +) == Double(GoldenOptimizers.positives))
    var learner = LogisticRegression(featureCount: 4, options: options)
    learner.learn(rows, labels: labels, batch: 8)
    let parameters = try #require(learner.makeParameters())
    for (ours, theirs) in zip(parameters.weights + [parameters.intercept], golden) {
      #expect(abs(ours - theirs) < 1e-5, "\(ours), \(theirs)", sourceLocation: sourceLocation)
    }
    #expect(learner.boundedSteps == 0)
  }

  @Test func optimizersOfFirstOrderLearnWhatTheirReferencesDo() throws {
    try expect(
      .init(optimizer: .sgd, learningRate: 0.05, clip: 1e6), toLearn: GoldenOptimizers.sgd)
    try expect(
      .init(optimizer: .adagrad, learningRate: 0.1, clip: 1e6), toLearn: GoldenOptimizers.adagrad)
    try expect(
      .init(optimizer: .ftrl, learningRate: 0.1, clip: 1e6), toLearn: GoldenOptimizers.ftrl)
    try expect(
      .init(optimizer: .ftrl, learningRate: 0.1, l1: 20, l2: 3, clip: 1e6),
      toLearn: GoldenOptimizers.sparse)
  }

  @Test(arguments: [LogisticRegressionOptions.Optimizer.ftrl, .adagrad, .sgd])
  func optimizersOfFirstOrderLearn(
    optimizer: LogisticRegressionOptions.Optimizer
  ) throws {
    let (plain, labels) = stationary()
    // One feature that says nothing and runs away.
    let rows = plain.enumerated().map { [$1[0], $1[1], $1[2], Double($0)] }
    var learner = LogisticRegression(featureCount: 4, options: .init(optimizer: optimizer))
    learner.learn(rows, labels: labels, batch: 16)
    let scores = try #require(learner.makeParameters()).scores(Array(rows.suffix(1_000)))
    #expect(auroc(scores, Array(labels.suffix(1_000))) > 0.78)
  }

  @Test func noStepIsLongerThanAllowed() throws {
    for options in [
      LogisticRegressionOptions(optimizer: .sgd, learningRate: 100),
      LogisticRegressionOptions(halfLives: [1_000], ridge: 1e-9, interceptRidge: 1e-9),
    ] {
      var learner = LogisticRegression(featureCount: 2, options: options)
      var before = [0.0, 0.0]
      for index in 0..<200 {
        let side = index % 2 == 0 ? 1.0 : -1.0
        learner.learn(
          Matrix(rows: [[side, 3 * side], [-side, -3 * side]]), labels: [side > 0 ? 1 : 0, 0],
          weights: [1e9, 1])
        let weights = try #require(learner.makeParameters()).weights
        // Two rows a batch, and ten times as much by calibration at the most.
        for (new, old) in zip(weights, before) where index > 4 {
          #expect(abs(new - old) <= 2 * 2 * 10)
        }
        before = weights
      }
      #expect(learner.boundedSteps > 0)
      #expect(try #require(learner.makeParameters()).isFinite)
    }
  }

  @Test func singularBatchesAreSurvived() throws {
    // Two equal features and a penalty below rounding: no unique solution.
    let (all, labels) = stationary()
    let rows = all.map { [$0[0], $0[0], $0[1], -$0[1]] }
    var learner = LogisticRegression(
      featureCount: 4,
      options: .init(halfLives: [1e6], ridge: 1e-300, interceptRidge: 1e-300))
    learner.learn(rows, labels: labels, batch: 16)
    #expect(learner.failedSolves > 0 || learner.boundedSteps > 0)
    let parameters = try #require(learner.makeParameters())
    #expect(parameters.isFinite)
    #expect(auroc(parameters.scores(Array(rows.suffix(1_000))), Array(labels.suffix(1_000))) > 0.7)
  }

  private func logLoss(_ scores: [Float], _ labels: [Double]) -> Double {
    let sum = zip(scores, labels).reduce(0.0) {
      $0 - log($1.1 == 1 ? Double($1.0) : 1 - Double($1.0))
    }
    return sum / Double(labels.count)
  }
}
