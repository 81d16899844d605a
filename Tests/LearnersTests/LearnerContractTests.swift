import Learners
import LinearAlgebra
import Testing

/// What every learner has to fulfil.
@Suite struct LearnerContractTests {
  /// Runs a check on all learners and optimizers, small enough that every stage of their lives is passed.
  private func onEveryLearner(_ check: (any ContractCase) throws -> Void) rethrows {
    try check(Case<LogisticRegression>(options: .init(halfLives: [30, 3_000])))
    try check(Case<LogisticRegression>(options: .init(optimizer: .ftrl, l1: 0.1, l2: 1)))
    try check(Case<LogisticRegression>(options: .init(optimizer: .adagrad, l1: 1e-3)))
    try check(
      Case<LogisticRegression>(options: .init(optimizer: .sgd, learningRate: 1, l2: 1e-3)))
    try check(Case<KMeans>(options: .init(clusters: 4, halfLife: 200, coresetShare: 16)))
    try check(
      Case<IsolationForest>(
        options: .init(trees: 7, sampleSize: 32, reservoirSize: 128, replaceEvery: 10)))
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func sameSeedGivesSameParametersAndLeavesInputsAlone(seed: UInt64) {
    onEveryLearner { $0.isRepeatable(seed: seed) }
  }

  @Test(arguments: [1, 2] as [UInt64])
  func restoredLearnerGoesOnBitForBit(seed: UInt64) throws {
    try onEveryLearner { try $0.roundTrips(seed: seed) }
  }

  @Test func blocksScoreLikeSingleRows() throws {
    try onEveryLearner { try $0.scoresRowByRow(seed: 4) }
  }

  @Test func emptyBatchChangesNothing() throws {
    try onEveryLearner { try $0.ignoresEmptyBatches(seed: 5) }
  }

  @Test func weightlessRowsChangeNothingThatIsLearned() throws {
    try onEveryLearner { try $0.ignoresWeightlessRows(seed: 6) }
  }

  @Test(arguments: [7, 8] as [UInt64])
  func hostileStateThrowsAndNeverTraps(seed: UInt64) throws {
    try onEveryLearner { try $0.refusesHostileState(seed: seed) }
  }

  @Test func degenerateDataStayFinite() throws {
    try onEveryLearner { try $0.staysFinite() }
  }

  @Test func contributionsAreOneAFeatureAndFinite() throws {
    try onEveryLearner { try $0.explains(seed: 9) }
  }

  @Test func nothingLearnedMeansNoParameters() {
    onEveryLearner { #expect($0.hasNoParametersAtFirst) }
  }

  @Test func wrongOptionIsNamed() {
    #expect(throws: InvalidOption.self) { try LogisticRegressionOptions(halfLives: []).validate() }
    #expect(throws: InvalidOption.self) { try KMeansOptions(halfLife: 0).validate() }
    do {
      try IsolationForestOptions(sampleSize: 1).validate()
      Issue.record("accepted")
    } catch {
      #expect((error as? InvalidOption)?.option == "sampleSize")
    }
  }

  @Test func kindsHaveTheNamesOfThePipelineFile() {
    #expect(LogisticParameters.kind.rawValue == "logistic-regression")
    #expect(KMeansParameters.kind.rawValue == "k-means")
    #expect(IsolationForestParameters.kind.rawValue == "isolation-forest")
  }
}

private protocol ContractCase {
  var hasNoParametersAtFirst: Bool { get }
  func isRepeatable(seed: UInt64)
  func roundTrips(seed: UInt64) throws
  func scoresRowByRow(seed: UInt64) throws
  func ignoresEmptyBatches(seed: UInt64) throws
  func ignoresWeightlessRows(seed: UInt64) throws
  func refusesHostileState(seed: UInt64) throws
  func staysFinite() throws
  func explains(seed: UInt64) throws
}

private struct Batch {
  var features: Matrix
  var labels: [Double]
  var weights: [Double]
}

private struct Case<L: Learner>: ContractCase where L.Parameters: Equatable {
  let options: L.Options
  let featureCount = 3

  /// Batches of 1 to 40 rows with a drift, some of them weighted.
  func batches(_ count: Int, seed: UInt64) -> [Batch] {
    var random = RandomSource(seed: seed)
    return (0..<count).map { index in
      let rows = 1 + random.below(40)
      let shift = Double(index) / 20
      let values = (0..<rows).map { _ in
        [random.uniform() * 4 + shift, random.uniform() - 0.5, (random.uniform() * 3).rounded()]
      }
      return Batch(
        features: Matrix(rows: values),
        labels: values.map { $0[0] - shift + $0[1] > 2 ? 1 : 0 },
        weights: index % 3 == 0 ? values.map { _ in random.uniform() * 2 } : [])
    }
  }

  func new(seed: UInt64 = 1) -> L { L(featureCount: featureCount, options: options, seed: seed) }

  func trained(_ batches: [Batch], seed: UInt64 = 1) -> L {
    var learner = new(seed: seed)
    for batch in batches {
      learner.learn(batch.features, labels: batch.labels, weights: batch.weights)
    }
    return learner
  }

  var hasNoParametersAtFirst: Bool { new().makeParameters() == nil && new().examples == 0 }

  func isRepeatable(seed: UInt64) {
    let batches = batches(60, seed: seed)
    let before = batches.map(\.features)
    let first = trained(batches, seed: seed)
    let second = trained(batches, seed: seed)
    #expect(batches.map(\.features) == before, "\(L.self), seed \(seed)")
    #expect(first.makeParameters() == second.makeParameters(), "\(L.self), seed \(seed)")
    #expect(first.encodeState() == second.encodeState(), "\(L.self), seed \(seed)")
    #expect(first.makeParameters()?.isFinite == true, "\(L.self), seed \(seed)")
    let rows = batches.reduce(0) { $0 + $1.features.rows }
    #expect(first.examples == UInt64(rows), "\(L.self), seed \(seed)")
  }

  func roundTrips(seed: UInt64) throws {
    let batches = batches(60, seed: seed)
    var original = new(seed: seed)
    var restored: [L] = []
    for (index, batch) in batches.enumerated() {
      if index % 6 == 0 {
        let state = original.encodeState()
        let copy = try L(featureCount: featureCount, options: options, state: state)
        #expect(copy.encodeState() == state, "\(L.self), seed \(seed), batch \(index)")
        restored.append(copy)
      }
      original.learn(batch.features, labels: batch.labels, weights: batch.weights)
      for copy in restored.indices {
        restored[copy].learn(batch.features, labels: batch.labels, weights: batch.weights)
      }
      let expected = original.makeParameters()
      for copy in restored {
        #expect(
          copy.makeParameters() == expected && copy.examples == original.examples,
          "\(L.self), seed \(seed), batch \(index)")
      }
    }
    let state = original.encodeState()
    #expect(restored.allSatisfy { $0.encodeState() == state }, "\(L.self), seed \(seed)")
  }

  func scoresRowByRow(seed: UInt64) throws {
    let batches = batches(40, seed: seed)
    let parameters = try #require(trained(batches).makeParameters())
    let rows = batches.flatMap { batch in
      (0..<batch.features.rows).map { batch.features.row($0) }
    }
    for size in [1, 2, 3, 5, 63, 64, 65, 200] {
      let block = Array(rows.prefix(size))
      var padded = Matrix(columns: featureCount, capacity: 256)
      for row in block { padded.append(row) }
      var together = [Float](repeating: .nan, count: size + 1)
      parameters.score(padded, into: &together)
      #expect(together[size].isNaN, "wrote past the rows")
      for (index, row) in block.enumerated() {
        #expect(together[index] == parameters.scores([row])[0], "\(L.self), block of \(size)")
        #expect((0...1).contains(together[index]))
      }
    }
    var none: [Float] = []
    parameters.score(Matrix(columns: featureCount, capacity: 4), into: &none)
  }

  func ignoresEmptyBatches(seed: UInt64) throws {
    let empty = Matrix(columns: featureCount, capacity: 8)
    var fresh = new()
    fresh.learn(empty, labels: [], weights: [])
    #expect(fresh.encodeState() == new().encodeState(), "\(L.self)")
    var learner = trained(batches(30, seed: seed))
    let before = learner.encodeState()
    learner.learn(empty, labels: [], weights: [])
    #expect(learner.encodeState() == before, "\(L.self)")
  }

  func ignoresWeightlessRows(seed: UInt64) throws {
    var learner = trained(batches(30, seed: seed))
    let before = learner.makeParameters()
    learner.learn(
      Matrix(rows: [[1e6, 1, 1], [2, 2, 2], [3, 3, 3]]), labels: [1, 1, 0],
      weights: [0, -1, .nan])
    #expect(learner.makeParameters() == before, "\(L.self)")
  }

  func refusesHostileState(seed: UInt64) throws {
    func restore(_ state: [UInt8]) throws -> L {
      try L(featureCount: featureCount, options: options, state: state)
    }
    for count in [0, 4, 40] {
      let state = trained(batches(count, seed: seed)).encodeState()
      let step = max(1, state.count / 300)
      for length in stride(from: 0, to: state.count, by: step) {
        #expect(throws: (any Error).self, "\(L.self), cut at \(length)") {
          try restore(Array(state.prefix(length)))
        }
      }
      #expect(throws: (any Error).self, "\(L.self)") { try restore(state + [0]) }
      #expect(throws: (any Error).self, "\(L.self)") {
        try L(featureCount: featureCount + 1, options: options, state: state)
      }
      // A damaged number cannot always be told from a true one, but must never bring down the
      // process: neither when read nor later.
      var random = RandomSource(seed: seed)
      for _ in 0..<300 {
        var damaged = state
        for _ in 0...random.below(3) {
          damaged[random.below(min(damaged.count, 1 << (4 + random.below(16))))] =
            UInt8(truncatingIfNeeded: random.next())
        }
        guard var learner = try? restore(damaged) else { continue }
        for batch in batches(12, seed: seed) {
          learner.learn(batch.features, labels: batch.labels, weights: batch.weights)
        }
        if let parameters = learner.makeParameters() {
          _ = parameters.scores([[1, 2, 3], [4, 5, 6]])
        }
        _ = learner.encodeState()
      }
    }
    var random = RandomSource(seed: seed)
    for _ in 0..<200 {
      let noise = (0..<random.below(400)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      #expect(throws: (any Error).self, "\(L.self), seed \(seed)") { try restore(noise) }
    }
  }

  func staysFinite() throws {
    let huge = 1e300
    let most = Double.greatestFiniteMagnitude
    let streams: [(String, (Int) -> [Double], (Int) -> Double)] = [
      ("constants", { _ in [0.1, -7, 1e18] }, { Double($0 % 2) }),
      ("one class", { [Double($0), Double($0 % 3), 1] }, { _ in 1 }),
      ("other class", { [Double($0), Double($0 % 3), 1] }, { _ in 0 }),
      ("two points", { $0 % 2 == 0 ? [0, 0, 0] : [1, 1, 1] }, { Double($0 % 2) }),
      ("huge", { [$0 % 2 == 0 ? huge : -huge, Double($0), most] }, { Double($0 % 2) }),
      (
        "suddenly huge", { $0 == 333 ? [most, -most, 1e150] : [Double($0 % 7), 1, 2] },
        { Double($0 % 2) }
      ),
      ("tiny", { [Double($0) * 0x1p-1074, 0x1p-1030 * Double($0 % 5), 0] }, { Double($0 % 2) }),
      ("constant, then not", { $0 < 300 ? [1, 1, 1] : [Double($0), -1, 1] }, { Double($0 % 2) }),
      ("separable", { [Double($0 % 2) * 1e3, 0, 1] }, { Double($0 % 2) }),
    ]
    for (name, row, label) in streams {
      var learner = new()
      for start in stride(from: 0, to: 600, by: 15) {
        let rows = (start..<start + 15).map(row)
        learner.learn(
          Matrix(rows: rows), labels: (start..<start + 15).map(label), weights: [])
        guard let parameters = learner.makeParameters() else { continue }
        #expect(parameters.isFinite, "\(L.self), \(name), after \(start)")
        let scores = parameters.scores(rows + [[most, -most, 0], [-0.0, 0, 0x1p-1060]])
        #expect(
          scores.allSatisfy { (0...1).contains($0) }, "\(L.self), \(name), after \(start)")
      }
      #expect(learner.makeParameters() != nil, "\(L.self), \(name)")
      _ = try L(featureCount: featureCount, options: options, state: learner.encodeState())
    }
  }

  func explains(seed: UInt64) throws {
    let batches = batches(40, seed: seed)
    let parameters = try #require(trained(batches).makeParameters())
    let contributions = parameters.contributions(row: 0, of: batches[0].features)
    #expect(contributions.map(\.feature) == Array(0..<featureCount))
    #expect(contributions.allSatisfy { $0.contribution.isFinite && $0.typical.isFinite })
  }
}
