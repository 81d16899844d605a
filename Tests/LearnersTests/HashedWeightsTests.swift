import Foundation
import Learners
import LinearAlgebra
import StateCoding
import Testing

/// Logistic regression with columns of hashed categories.
@Suite struct HashedWeightsTests {
  /// Two quantities, of which one counts, and two columns of categories: one in `guilty.count`
  /// with a log-odds each, and one that says nothing. The hashes are their numbers, spread out.
  private func stream(
    _ count: Int, guilty: [Double], seed: UInt64 = 1, intercept: Double = -3
  ) -> (rows: [[Double]], labels: [Double], logOdds: [Double]) {
    var random = GoldenStream(seed: seed)
    var rows: [[Double]] = []
    var labels: [Double] = []
    var truth: [Double] = []
    for _ in 0..<count {
      let category = Int(random.uniform() * Double(guilty.count))
      let idle = Int(random.uniform() * 50)
      let x = [random.normal(), random.normal()]
      let logOdds = intercept + x[0] + guilty[category]
      rows.append(x + [hash(category), hash(1_000 + idle)])
      truth.append(logOdds)
      labels.append(random.uniform() < 1 / (1 + exp(-logOdds)) ? 1 : 0)
    }
    return (rows, labels, truth)
  }

  private func hash(_ category: Int) -> Double { Double((category * 7_919 + 13) % (1 << 20)) }

  private func options(
    _ columns: Int = 2, _ optimizer: LogisticRegressionOptions.Optimizer = .newton,
    bits: Int = 18
  ) -> LogisticRegressionOptions {
    .init(optimizer: optimizer, hashed: .init(columns: columns, bits: bits))
  }

  private func logLoss(_ scores: [Float], _ labels: some Sequence<Double>) -> Double {
    let losses = zip(scores, labels).map { score, label in
      -log(min(max(label == 1 ? Double(score) : 1 - Double(score), 1e-7), 1))
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  @Test(arguments: LogisticRegressionOptions.Optimizer.allCases)
  func findsTheGuiltyCategories(_ optimizer: LogisticRegressionOptions.Optimizer) throws {
    // Every tenth of a hundred shops has ten or twenty times the odds of the others.
    let guilty = (0..<100).map { $0 % 10 == 0 ? ($0 % 20 == 0 ? 3.0 : 2.3) : 0.0 }
    let (rows, labels, truth) = stream(24_000, guilty: guilty)
    var learner = LogisticRegression(featureCount: 4, options: options(2, optimizer))
    var blind = LogisticRegression(featureCount: 2, options: .init(optimizer: optimizer))
    learner.learn(Array(rows.prefix(20_000)), labels: labels, batch: 64)
    blind.learn(rows.prefix(20_000).map { Array($0[..<2]) }, labels: labels, batch: 64)
    let parameters = try #require(learner.makeParameters())
    let test = Array(rows.suffix(4_000))
    let loss = logLoss(parameters.scores(test), labels.suffix(4_000))
    let best = logLoss(
      truth.suffix(4_000).map { Float(1 / (1 + exp(-$0))) }, labels.suffix(4_000))
    let without = logLoss(
      try #require(blind.makeParameters()).scores(test.map { Array($0[..<2]) }),
      labels.suffix(4_000))
    #expect(loss - best < 0.25 * (without - best), "\(best) \(loss) \(without)")
    let hashed = try #require(parameters.hashed)
    let weights = (0..<100).map { hashed.weight(of: hash($0)) }
    let innocent = weights.indices.filter { guilty[$0] == 0 }.map { weights[$0] }
    for category in stride(from: 0, to: 100, by: 10) {
      #expect(weights[category] > (innocent.max() ?? 0), "\(category)")
    }
  }

  /// One category a row and nothing else: the posterior mode of its log-odds has a closed form up to
  /// one equation, n (rate − p) = ridge · (weight).
  @Test func weightsAreThoseOfTheirPenalisedLikelihood() throws {
    var random = GoldenStream(seed: 5)
    let rates = [0.02, 0.1, 0.3, 0.5, 0.9]
    var counts = Array(repeating: (rows: 0.0, positives: 0.0), count: rates.count)
    var rows: [[Double]] = []
    var labels: [Double] = []
    for _ in 0..<3_000 {
      let category = Int(random.uniform() * 5)
      let label = random.uniform() < rates[category] ? 1.0 : 0
      rows.append([hash(category)])
      labels.append(label)
      counts[category].rows += 1
      counts[category].positives += label
    }
    var learner = LogisticRegression(
      featureCount: 1,
      options: .init(
        calibrates: false,
        hashed: .init(columns: 1, halfLife: 1e9, l1: 0, largestCurvature: 1e9)))
    learner.learn(rows, labels: labels, batch: 16)
    let parameters = try #require(learner.makeParameters())
    let hashed = try #require(parameters.hashed)
    for (category, count) in counts.enumerated() {
      var weight = 0.0
      for _ in 0..<100 {
        let p = 1 / (1 + exp(-(parameters.intercept + weight)))
        let slope = count.positives - count.rows * p - 0.5 * weight
        let curvature = count.rows * p * (1 - p) + 0.5
        weight += slope / curvature
      }
      // One pass comes closer than the data do to the truth.
      let p = 1 / (1 + exp(-(parameters.intercept + weight)))
      let deviation = 1 / (count.rows * p * (1 - p) + 0.5).squareRoot()
      let learned = hashed.weight(of: hash(category))
      #expect(abs(learned - weight) < 0.1 + deviation, "\(category): \(learned), not \(weight)")
    }
  }

  @Test func valuesThatAreNoHashesAddNothing() throws {
    let strange = [-1, -0.5, .nan, .infinity, -.infinity, 1_048_576, 1e300]
    var random = GoldenStream(seed: 9)
    let rows = (0..<500).map { [random.normal(), strange[$0 % strange.count]] }
    let labels = rows.map { $0[0] > 1 ? 1.0 : 0 }
    var learner = LogisticRegression(featureCount: 2, options: options(1))
    var plain = LogisticRegression(featureCount: 1)
    learner.learn(rows, labels: labels, batch: 16)
    plain.learn(rows.map { [$0[0]] }, labels: labels, batch: 16)
    let parameters = try #require(learner.makeParameters())
    #expect(parameters.hashed?.table.allSatisfy { $0 == 0 } == true)
    let expected = try #require(plain.makeParameters()).scores(rows.map { [$0[0]] })
    #expect(parameters.scores(rows) == expected)
  }

  @Test(arguments: [1, 6, 18, 20])
  func aTableMayHaveUpToTwentyBits(_ bits: Int) throws {
    let last = Double(1 << 20 - 1)
    var learner = LogisticRegression(featureCount: 1, options: options(1, bits: bits))
    for _ in 0..<20 {
      learner.learn(Matrix(rows: [[0], [last], [0], [last]]), labels: [0, 1, 0, 1])
    }
    let parameters = try #require(learner.makeParameters())
    let hashed = try #require(parameters.hashed)
    #expect(hashed.bits == bits)
    #expect(hashed.table.count { $0 != 0 } == 2)
    #expect(hashed.table[0] < 0)
    #expect(hashed.table[hashed.table.count - 1] > 0)
    #expect(parameters.scores([[last]])[0] > 0.8)
    #expect(parameters.scores([[0]])[0] < 0.2)
  }

  @Test func rareCategoriesThatWereNeverPositiveTakeNoRoom() throws {
    var random = GoldenStream(seed: 3)
    let rows = (0..<4_000).map { [random.normal(), hash($0)] }
    let labels = (0..<4_000).map { $0 % 100 == 0 ? 1.0 : 0 }
    var learner = LogisticRegression(featureCount: 2, options: options(1))
    learner.learn(rows, labels: labels, batch: 64)
    let hashed = try #require(learner.makeParameters()?.hashed)
    let late = rows.indices.suffix(2_000)
    #expect(late.allSatisfy { (hashed.weight(of: rows[$0][1]) > 0) == (labels[$0] == 1) })
    #expect(late.count { hashed.weight(of: rows[$0][1]) != 0 } == 20)
  }

  @Test func aCategoryThatIsNotMetAnyMoreIsForgotten() throws {
    var options = options(1)
    options.hashed.halfLife = 100
    var learner = LogisticRegression(featureCount: 1, options: options)
    func weight() throws -> Double {
      try #require(learner.makeParameters()?.hashed).weight(of: 7)
    }
    for _ in 0..<50 { learner.learn(Matrix(rows: [[7], [8]]), labels: [1, 0]) }
    let before = try weight()
    for _ in 0..<50 { learner.learn(Matrix(rows: [[9], [8]]), labels: [1, 0]) }
    let after = try weight()
    for _ in 0..<5_000 { learner.learn(Matrix(rows: [[9], [8]]), labels: [1, 0]) }
    #expect(before > 0.5)
    #expect(after < before && after > 0)
    #expect(try weight() == 0)
  }

  @Test func contributionsAndInterceptAddUpToTheLogOdds() throws {
    let (rows, labels, _) = stream(3_000, guilty: [0, 0, 3, 0, 0])
    var learner = LogisticRegression(featureCount: 4, options: options())
    learner.learn(rows, labels: labels, batch: 32)
    let parameters = try #require(learner.makeParameters())
    let block = Matrix(rows: Array(rows.suffix(20)))
    let scores = parameters.scores(Array(rows.suffix(20)))
    for row in 0..<20 {
      let contributions = parameters.contributions(row: row, of: block)
      #expect(contributions.map(\.feature) == [0, 1, 2, 3])
      let logOdds = contributions.reduce(parameters.intercept) { $0 + $1.contribution }
      #expect(abs(Double(scores[row]) - 1 / (1 + exp(-logOdds))) < 1e-6)
      if rows[2_980 + row][2] == hash(2) { #expect(contributions[2].contribution > 1) }
    }
  }

  @Test(arguments: LogisticRegressionOptions.Optimizer.allCases)
  func stateRoundTripsBitForBit(_ optimizer: LogisticRegressionOptions.Optimizer) throws {
    let (rows, labels, _) = stream(1_500, guilty: [0, 1, 2, 3])
    let options = options(2, optimizer)
    var learner = LogisticRegression(featureCount: 4, options: options)
    learner.learn(Array(rows.prefix(1_000)), labels: labels, batch: 32)
    let state = learner.encodeState()
    var again = try LogisticRegression(featureCount: 4, options: options, state: state)
    #expect(again.encodeState() == state)
    learner.learn(Array(rows.suffix(500)), labels: Array(labels.suffix(500)), batch: 16)
    again.learn(Array(rows.suffix(500)), labels: Array(labels.suffix(500)), batch: 16)
    #expect(again.makeParameters() == learner.makeParameters())
    #expect(again.encodeState() == learner.encodeState())
  }

  @Test func damagedOrForeignStatesAreRefused() throws {
    let (rows, labels, _) = stream(100, guilty: [0, 3])
    var learner = LogisticRegression(featureCount: 4, options: options())
    learner.learn(rows, labels: labels, batch: 10)
    let state = learner.encodeState()
    for other in [options(2, bits: 17), options(1), options(0), options(4), options(5)] {
      #expect(throws: StateError.self) {
        _ = try LogisticRegression(featureCount: 4, options: other, state: state)
      }
    }
    for length in stride(from: 0, to: state.count, by: 97) {
      #expect(throws: StateError.self) {
        _ = try LogisticRegression(
          featureCount: 4, options: options(), state: Array(state[..<length]))
      }
    }
    // The curvatures of the table's entries stand last: a negative one.
    var damaged = state
    damaged[state.count - 1] |= 0x80
    #expect(throws: StateError.self) {
      _ = try LogisticRegression(featureCount: 4, options: options(), state: damaged)
    }
  }

  @Test(arguments: LogisticRegressionOptions.Optimizer.allCases)
  func staysFiniteWhateverComes(_ optimizer: LogisticRegressionOptions.Optimizer) throws {
    var learner = LogisticRegression(featureCount: 3, options: options(2, optimizer))
    // One class only, then huge weights, the same bucket twice in a row, then contradictions.
    for _ in 0..<50 { learner.learn(Matrix(rows: [[1, 5, 5], [2, 5, 6]]), labels: [1, 1]) }
    for weight in [1e9, 1e300, 1e-300, 0, -1, .nan] {
      learner.learn(
        Matrix(rows: [[1e30, 5, 5], [-1e30, 5, 5]]), labels: [0, 1], weights: [weight, weight])
    }
    for round in 0..<200 { learner.learn(Matrix(rows: [[0, 5, 5]]), labels: [Double(round % 2)]) }
    let parameters = try #require(learner.makeParameters())
    #expect(parameters.isFinite)
    #expect(parameters.largestMagnitude < 100)
    let scores = parameters.scores([[0, 5, 5], [1e30, 6, -1]])
    #expect(scores.allSatisfy { (0...1).contains($0) })
  }

  @Test func withoutHashedColumnsNothingIsAdded() throws {
    let (rows, labels, _) = stream(200, guilty: [0, 3])
    var learner = LogisticRegression(featureCount: 4)
    learner.learn(rows, labels: labels, batch: 20)
    #expect(try #require(learner.makeParameters()).hashed == nil)
  }

  @Test func settingsOutOfRangeAreNamed() {
    func expect(_ hashed: HashedWeightsOptions, _ name: String) {
      #expect {
        try LogisticRegressionOptions(hashed: hashed).validate()
      } throws: {
        ($0 as? InvalidOption)?.option == name
      }
    }
    expect(.init(columns: -1), "hashedColumns")
    expect(.init(bits: 0), "hashBits")
    expect(.init(bits: 21), "hashBits")
    expect(.init(halfLife: 0), "hashHalfLife")
    expect(.init(halfLife: .infinity), "hashHalfLife")
    expect(.init(ridge: 0), "hashRidge")
    expect(.init(l1: -1), "hashL1")
    expect(.init(largestCurvature: .nan), "largestCurvature")
  }
}
