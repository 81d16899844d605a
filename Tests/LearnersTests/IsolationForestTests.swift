import Foundation
import Learners
import LinearAlgebra
import Testing

@Suite struct IsolationForestTests {
  private var rows: [[Double]] {
    (0..<512).map { Array(GoldenForest.values[$0 * 3..<$0 * 3 + 3]) }
  }

  private func forest(
    _ rows: [[Double]], options: IsolationForestOptions = .init(), seed: UInt64 = 1
  ) throws -> IsolationForestParameters {
    var learner = IsolationForest(featureCount: 3, options: options, seed: seed)
    learner.learn(rows, batch: 32)
    return try #require(learner.makeParameters())
  }

  @Test func averagePathLengthMatchesTheHarmonicSum() {
    #expect(averagePathLength(0) == 0)
    #expect(averagePathLength(1) == 0)
    #expect(averagePathLength(2) == 1)
    for count in [64, 256, 4_096] {
      // The published form approximates the harmonic number by ln(i) + γ, off by about 1 ÷ 2i.
      let harmonic = (1..<count).reduce(0.0) { $0 + 1 / Double($1) }
      let exact = 2 * harmonic - 2 * Double(count - 1) / Double(count)
      #expect(abs(averagePathLength(count) - exact) < 1.1 / Double(count - 1))
    }
    #expect(abs(averagePathLength(256) - 10.244_770_920_119_917) < 1e-12)
  }

  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func agreesWithScikitLearn(seed: UInt64) throws {
    let parameters = try forest(
      rows, options: .init(trees: 500, gainShare: 0, margin: 0), seed: seed)
    let scores = parameters.scores(rows)
    let correlation = rankCorrelation(scores.map(Double.init), GoldenForest.scores)
    #expect(correlation > 0.98, "seed \(seed): \(correlation)")
    let distance =
      zip(scores, GoldenForest.scores).reduce(0.0) { $0 + abs(Double($1.0) - $1.1) } / 512
    #expect(distance < 0.01, "seed \(seed): \(distance)")
    let area = auroc(parameters.scores(rows), GoldenForest.labels)
    let deviations = (area - GoldenForest.meanAUROC) / GoldenForest.deviationOfAUROC
    #expect(abs(deviations) < 4, "seed \(seed): \(area)")
  }

  @Test func scoresAreThoseOfAPlainWalk() throws {
    let parameters = try forest(rows)
    /// Path length by recursion over the published arrays.
    func path(_ tree: IsolationTree, _ row: [Double], _ node: Int) -> Double {
      let child = Int(tree.children[node])
      guard child > 0 else { return tree.values[node] }
      let goesLeft = Float(row[Int(tree.features[node])]) <= tree.thresholds[node]
      return path(tree, row, goesLeft ? child : child + 1)
    }
    let sample = Array(rows.prefix(100)) + [[-0.0, 0, 0], [1e300, -1e300, 0]]
    let scores = parameters.scores(sample)
    for (row, score) in zip(sample, scores) {
      var sum = 0.0
      for tree in parameters.trees {
        let length = path(tree, row, 0)
        #expect(abs(length - tree.pathLength(of: row)) < 1e-12)
        sum += length / averagePathLength(tree.sampleSize)
      }
      #expect(abs(score - Float(exp2(-sum / Double(parameters.trees.count)))) < 1e-6)
    }
  }

  @Test func aValueOnTheThresholdGoesLeft() throws {
    for threshold in [0, -0.0, 1.5, -1e30, 0x1p-140] as [Float] {
      let tree = try stump(threshold: threshold)
      let parameters = try IsolationForestParameters(sampleSize: 16, trees: [tree])
      let scores = parameters.scores([
        [Double(threshold)], [Double(threshold.nextUp)], [-Double(threshold)],
      ])
      #expect(scores[0] < scores[1], "\(threshold)")
      if threshold == 0 { #expect(scores[2] == scores[0], "\(threshold)") }
    }
  }

  @Test func valuesAreComparedAsFloats() throws {
    let tree = try stump(threshold: 1)
    let parameters = try IsolationForestParameters(sampleSize: 16, trees: [tree])
    let scores = parameters.scores([
      [1], [(1 as Double).nextUp], [Double(Float(1).nextUp)], [.infinity],
    ])
    #expect(scores[0] == scores[1])
    #expect(scores[1] < scores[2])
    #expect(scores[2] == scores[3])
  }

  @Test func aMissingValueCountsAsTheTypicalOne() throws {
    let parameters = try forest(rows)
    let missing = parameters.scores([[.nan, 0.5, 1], [-.nan, .nan, .nan]])
    let usual = parameters.typical
    #expect(missing == parameters.scores([[usual[0], 0.5, 1], usual]))
    let contributions = parameters.contributions(
      row: 0, of: Matrix(rows: [[30, .nan, 0.2]]))
    #expect(contributions.max { $0.contribution < $1.contribution }?.feature == 0)
    #expect(contributions.map(\.typical) == usual)
  }

  @Test func treesIsolateEveryRowWithinTheDepthLimit() throws {
    let parameters = try forest(rows)
    for (place, tree) in parameters.trees.enumerated() {
      let byGain = place % 2 == 1
      #expect(tree.depth <= (byGain ? 6 : 8))
      #expect(tree.sampleSize == (byGain ? 128 : 256))
      #expect(tree.values[0] == averagePathLength(tree.sampleSize))
    }
    #expect(Set(parameters.trees.map(\.serial)).count == 100)
  }

  @Test func contributionsAddUpToTheShortenedPath() throws {
    let parameters = try forest(rows)
    let block = Matrix(rows: rows)
    let scores = parameters.scores(rows)
    let whole = averagePathLength(256)
    for row in 0..<60 {
      let sum = parameters.contributions(row: row, of: block).reduce(0.0) { $0 + $1.contribution }
      let mean =
        parameters.trees.reduce(0.0) {
          $0 + $1.pathLength(of: rows[row]) * whole / averagePathLength($1.sampleSize)
        } / Double(parameters.trees.count)
      #expect(abs(sum - (whole - mean)) < 1e-9)
      #expect(abs(Double(scores[row]) - exp2(sum / whole - 1)) < 1e-6)
    }
  }

  /// Trees grown on as many rows as there were, and one too deep to be laid out.
  @Test(arguments: [false, true])
  func contributionsAddUpToTheScoreWhateverIsMissing(tooDeep: Bool) throws {
    var trees = try forest(rows).trees
    trees += try forest(Array(rows.prefix(40)), options: .init(trees: 7)).trees
    if tooDeep {
      let depth = 40
      // From each node on to its right child, the second of its pair.
      let nodes = 0...2 * depth
      trees.append(
        try IsolationTree(
          serial: 1_000, sampleSize: 32, typical: [0, 0, 0],
          features: nodes.map { UInt32($0 / 2 % 3) }, thresholds: nodes.map { Float($0) / 20 - 2 },
          children: nodes.map { $0 % 2 == 0 && $0 < 2 * depth ? UInt32($0 + 1) : 0 },
          values: nodes.map { $0 == 0 ? averagePathLength(32) : Double($0 + 1) / 2 }))
    }
    let parameters = try IsolationForestParameters(sampleSize: 256, trees: trees)
    let whole = averagePathLength(256)
    var sample = Array(rows.prefix(60))
    for index in sample.indices where index % 4 > 0 { sample[index][index % 4 - 1] = .nan }
    sample.append([.nan, .nan, .nan])
    let scores = parameters.scores(sample)
    for row in sample.indices {
      let sum = parameters.contributions(row: row, of: Matrix(rows: sample))
        .reduce(0.0) { $0 + $1.contribution }
      #expect(abs(Double(scores[row]) - exp2(sum / whole - 1)) < 1e-6, "row \(row)")
    }
  }

  @Test func theFeatureThatStandsOutIsNamed() throws {
    let parameters = try forest(rows)
    let block = Matrix(rows: [[0.1, 30, 0.2]])
    let contributions = parameters.contributions(row: 0, of: block)
    let largest = contributions.max { $0.contribution < $1.contribution }
    #expect(largest?.feature == 1)
    #expect(abs(contributions[1].typical) < 2.5)
  }

  /// Rows of uniform values in which the feature asked for is usually near 0; of the last one in
  /// twenty it is not.
  private func rowsWithGuilty(_ guilty: Int, seed: UInt64) -> [[Double]] {
    var stream = GoldenStream(seed: seed)
    var random = RandomSource(seed: seed)
    return (0..<2_000).map { index in
      var row = (0..<12).map { _ in random.uniform() }
      row[guilty] = index < 1_900 ? 0.1 * stream.normal() : 0.5 + 4 * random.uniform()
      return row
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func whatStandsOutInOneFeatureIsFoundByGainAndNamed(seed: UInt64) throws {
    let guilty = Int(seed) * 3
    let rows = rowsWithGuilty(guilty, seed: seed)
    let block = Matrix(rows: rows)
    let labels = rows.indices.map { $0 < 1_900 ? 0.0 : 1 }
    func fit(_ gainShare: Double) throws -> IsolationForestParameters {
      try #require(IsolationForest.fit(block, options: .init(gainShare: gainShare), seed: seed))
    }
    let forest = try fit(0.5)
    let area = auroc(forest.scores(rows), labels)
    let random = auroc(try fit(0).scores(rows), labels)
    #expect(area > 0.95 && area > random + 0.02, "seed \(seed): \(area), \(random)")
    let named = (1_900..<2_000).count { row in
      let contributions = forest.contributions(row: row, of: block)
      return contributions.max { $0.contribution < $1.contribution }?.feature == guilty
    }
    #expect(named >= 85, "seed \(seed): \(named) of 100")
  }

  /// Flags split into equal halves without a rest, which says nothing of what is unusual.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func flagsDoNotHideWhatStandsOut(seed: UInt64) throws {
    var stream = GoldenStream(seed: seed)
    var random = RandomSource(seed: seed)
    let rows = (0..<4_000).map { index in
      let flags = [0.5, 0.3, 0.15].map { random.uniform() < $0 ? 1.0 : 0 }
      return flags + [index < 3_960 ? exp(stream.normal()) : 6 + 6 * random.uniform()]
    }
    let forest = try #require(
      IsolationForest.fit(Matrix(rows: rows), options: .init(gainShare: 1), seed: seed))
    let area = auroc(forest.scores(rows), rows.indices.map { $0 < 3_960 ? 0 : 1 })
    #expect(area > 0.96, "seed \(seed): \(area)")
  }

  /// What comes in a burst is alike, and for a while a good part of what is new.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func aBurstOfAnomaliesStaysUnusual(seed: UInt64) throws {
    var stream = GoldenStream(seed: seed)
    var learner = IsolationForest(featureCount: 3, seed: seed)
    func points(_ count: Int, around centre: Double) -> [[Double]] {
      (0..<count).map { _ in (0..<3).map { _ in centre + stream.normal() } }
    }
    learner.learn(points(20_000, around: 0), batch: 256)
    learner.learn(points(1_000, around: 5), batch: 256)
    let rows = points(1_000, around: 0) + points(200, around: 5)
    let scores = try #require(learner.makeParameters()).scores(rows)
    let area = auroc(scores, rows.indices.map { $0 < 1_000 ? 0 : 1 })
    #expect(area > 0.95, "seed \(seed): \(area)")
  }

  @Test func aValueBeyondAllThatWasSeenIsMoreSuspiciousThanTheLargest() throws {
    var random = RandomSource(seed: 5)
    let rows = (0..<1_000).map { _ in [random.uniform(), random.uniform()] }
    func score(_ margin: Double) throws -> (inside: Float, beyond: Float) {
      let forest = try #require(
        IsolationForest.fit(Matrix(rows: rows), options: .init(margin: margin), seed: 1))
      let scores = forest.scores([[0.999, 0.5], [3, 0.5]])
      return (scores[0], scores[1])
    }
    let without = try score(0)
    let with = try score(0.1)
    #expect(with.beyond > with.inside + 0.02)
    #expect(with.beyond - with.inside > without.beyond - without.inside)
  }

  @Test func theShareOfTreesByGainIsKeptAsTreesAreReplaced() throws {
    for (share, expected) in [(0, 0), (0.3, 3), (1, 10)] {
      let options = IsolationForestOptions(
        trees: 10, sampleSize: 32, gainShare: share, reservoirSize: 64, replaceEvery: 5)
      var learner = IsolationForest(featureCount: 3, options: options, seed: 1)
      for start in stride(from: 0, to: 512, by: 64) {
        learner.learn(Array(rows[start..<start + 64]), batch: 64)
        let trees = try #require(learner.makeParameters()).trees
        #expect(trees.count { $0.sampleSize == 16 } == expected)
        #expect(trees.count { $0.sampleSize == 32 } == 10 - expected)
      }
    }
  }

  @Test func anyTableGivesScoresInRange() throws {
    let most = Double.greatestFiniteMagnitude
    let tables: [(String, Int, (Int) -> [Double])] = [
      ("two rows", 2, { [Double($0), 1, -1] }),
      ("two equal rows", 2, { _ in [1, 2, 3] }),
      ("constant", 300, { _ in [0.1, -7, 1e18] }),
      ("huge", 300, { [$0 % 2 == 0 ? most : -most, 1e300 * Double($0), .infinity] }),
      ("tiny variance", 300, { [1e-30 * Double($0), 1 + 1e-15 * Double($0 % 7), 0] }),
      ("subnormal", 300, { [0x1p-149 * Double($0 % 5), 0x1p-1070 * Double($0), -0.0] }),
      ("near-duplicates", 300, { [1e9 + 1e-6 * Double($0), Double(Float(1).nextUp), 3] }),
      ("one apart", 300, { $0 == 7 ? [1e30, -1e30, 1] : [1e-30 * Double($0 % 3), 0, 1] }),
      ("missing", 300, { [$0 % 3 == 0 ? .nan : Double($0), .nan, $0 == 9 ? 5 : .nan] }),
    ]
    for (name, count, row) in tables {
      let rows = (0..<count).map(row)
      for gainShare in [0, 0.5, 1] {
        let forest = try #require(
          IsolationForest.fit(Matrix(rows: rows), options: .init(gainShare: gainShare), seed: 1))
        let scores = forest.scores(rows + [[.nan, most, -.infinity]])
        #expect(scores.allSatisfy { (0...1).contains($0) }, "\(name)")
        let contributions = forest.contributions(row: 0, of: Matrix(rows: rows))
        #expect(
          contributions.allSatisfy { $0.contribution.isFinite && $0.typical.isFinite }, "\(name)")
        if name == "one apart" {
          #expect(scores[7] == scores.dropLast().max(), "share \(gainShare)")
          #expect(scores[7] > scores[8] + 0.05, "share \(gainShare)")
        }
        if name == "constant" { #expect(Set(scores.dropLast()) == [0.5]) }
      }
    }
    #expect(IsolationForest.fit(Matrix(rows: [[1, 2]]), seed: 1) == nil)
    #expect(IsolationForest.fit(Matrix(columns: 2, capacity: 4), seed: 1) == nil)
    let none = try #require(IsolationForest.fit(Matrix(rows: [[], [], []]), seed: 1))
    #expect(none.scores([[], []]) == [0.5, 0.5])
  }

  @Test func missingValuesAreLearntAsTypicalOnes() throws {
    let table = rows.enumerated().map { index, row in
      index % 4 == 0 ? [.nan, row[1], row[2]] : row
    }
    var learner = IsolationForest(featureCount: 3, seed: 1)
    learner.learn(table, batch: 32)
    let parameters = try #require(learner.makeParameters())
    let scores = parameters.scores(table)
    let missing = stride(from: 0, to: 512, by: 4).reduce(0) { $0 + scores[$1] } / 128
    #expect(missing < scores.reduce(0, +) / 512 + 0.02)
    let restored = try IsolationForest(featureCount: 3, state: learner.encodeState())
    #expect(restored.encodeState() == learner.encodeState())
    #expect(restored.makeParameters() == parameters)
  }

  @Test func treesOfDifferentSampleSizesAreNormalisedEach() throws {
    let small = try stump(serial: 1, sampleSize: 16)
    let large = try stump(serial: 2, sampleSize: 256)
    let forest = try IsolationForestParameters(sampleSize: 256, trees: [small, large])
    let row = [-1.0]
    let expected = [small, large].reduce(0.0) {
      $0 + $1.pathLength(of: row) / averagePathLength($1.sampleSize) / 2
    }
    #expect(abs(forest.scores([row])[0] - Float(exp2(-expected))) < 1e-6)
    let sum = forest.contributions(row: 0, of: Matrix(rows: [row]))
      .reduce(0.0) { $0 + $1.contribution }
    #expect(abs(sum - averagePathLength(256) * (1 - expected)) < 1e-9)
  }

  @Test func cutsIntoBatchesMakeNoDifference() throws {
    let options = IsolationForestOptions(
      trees: 9, sampleSize: 32, reservoirSize: 64, replaceEvery: 7)
    var one = IsolationForest(featureCount: 3, options: options, seed: 3)
    one.learn(rows, batch: 1)
    var many = IsolationForest(featureCount: 3, options: options, seed: 3)
    many.learn(rows, batch: 200)
    #expect(one.encodeState() == many.encodeState())
  }

  @Test func onlyOneTreeChangesAtATime() throws {
    let options = IsolationForestOptions(
      trees: 10, sampleSize: 32, reservoirSize: 128, replaceEvery: 16)
    var learner = IsolationForest(featureCount: 3, options: options, seed: 3)
    var seen: Set<UInt64> = []
    var before: [UInt64] = []
    learner.learn(Array(rows.prefix(128)), batch: 16)
    before = try #require(learner.makeParameters()).trees.map(\.serial)
    seen.formUnion(before)
    for start in stride(from: 128, to: 512, by: 16) {
      learner.learn(Array(rows[start..<start + 16]), batch: 16)
      let after = try #require(learner.makeParameters()).trees.map(\.serial)
      let changed = (0..<10).filter { after[$0] != before[$0] }
      #expect(changed == [before.firstIndex(of: before.min()!)!])
      #expect(seen.isDisjoint(with: changed.map { after[$0] }))
      seen.formUnion(after)
      before = after
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func followsAMovedDistribution(seed: UInt64) throws {
    var stream = GoldenStream(seed: seed)
    let options = IsolationForestOptions(reservoirSize: 1_024, halfLife: 1_000, replaceEvery: 64)
    var learner = IsolationForest(featureCount: 2, options: options, seed: seed)
    func points(_ count: Int, around centre: Double) -> [[Double]] {
      (0..<count).map { _ in [centre + stream.normal(), centre - stream.normal()] }
    }
    learner.learn(points(4_000, around: 0), batch: 64)
    let old = points(200, around: 0)
    let new = points(200, around: 20)
    func mean(_ rows: [[Double]]) throws -> Float {
      try #require(learner.makeParameters()).scores(rows).reduce(0, +) / Float(rows.count)
    }
    #expect(try mean(new) > mean(old) + 0.2, "seed \(seed)")
    learner.learn(points(12_000, around: 20), batch: 64)
    #expect(try mean(old) > mean(new) + 0.2, "seed \(seed)")
  }

  @Test func refusesWhatIsNotATree() {
    func expectRefusal(
      _ what: String, features: [UInt32] = [0, 0, 0], thresholds: [Float] = [1, 0, 0],
      children: [UInt32] = [1, 0, 0], values: [Double] = [3, 1, 1], sampleSize: Int = 16,
      typical: [Double] = [0]
    ) {
      #expect(throws: InvalidTree.self, "\(what)") {
        try IsolationTree(
          serial: 1, sampleSize: sampleSize, typical: typical, features: features,
          thresholds: thresholds, children: children, values: values)
      }
    }
    expectRefusal("child past the end", children: [2, 0, 0])
    expectRefusal("far child", children: [.max, 0, 0])
    expectRefusal("child before the parent", children: [1, 1, 0])
    expectRefusal("orphans", children: [0, 0, 0])
    expectRefusal("unknown feature", features: [1, 0, 0])
    expectRefusal("threshold", thresholds: [.nan, 0, 0])
    expectRefusal("infinite threshold", thresholds: [.infinity, 0, 0])
    expectRefusal("value", values: [3, -1, 1])
    expectRefusal("large value", values: [3, 1e6, 1])
    expectRefusal("value that is no number", values: [3, 1, .nan])
    expectRefusal("lengths", values: [3, 1])
    expectRefusal("empty", features: [], thresholds: [], children: [], values: [])
    expectRefusal("sample size", sampleSize: 0)
    expectRefusal("typical", typical: [.nan])
    expectRefusal(
      "two parents", features: [0, 0, 0, 0, 0], thresholds: [0, 0, 0, 0, 0],
      children: [1, 3, 3, 0, 0], values: [0, 0, 0, 0, 0])
    #expect(throws: InvalidTree.self) { try IsolationForestParameters(sampleSize: 256, trees: []) }
  }

  /// One split of the only feature; the left leaf holds more rows.
  private func stump(
    serial: UInt64 = 1, sampleSize: Int = 16, threshold: Float = 0
  ) throws -> IsolationTree {
    try IsolationTree(
      serial: serial, sampleSize: sampleSize, typical: [0], features: [0, 0, 0],
      thresholds: [threshold, 0, 0], children: [1, 0, 0],
      values: [
        averagePathLength(sampleSize), 1 + averagePathLength(sampleSize - 2),
        1 + averagePathLength(2),
      ])
  }
}
