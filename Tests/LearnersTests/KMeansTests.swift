import Learners
import LinearAlgebra
import Testing

@Suite struct KMeansTests {
  private let centres: [[Double]] = [
    [0, 0, 0], [6, 0, 0], [0, 6, 0], [0, 0, 6], [6, 6, 6], [-6, 3, 3],
  ]
  private let spreads = [1.0, 0.7, 1.3, 0.5, 1.0, 0.9]

  /// Mean squared standardised distance to the nearest centre.
  private func inertia(_ parameters: KMeansParameters, _ rows: [[Double]]) -> Double {
    var moments = RunningMoments(featureCount: parameters.featureCount)
    moments.add(Matrix(rows: rows))
    let judge = KMeansParameters(
      standardisation: moments.standardisation(), centres: parameters.centres,
      spreads: parameters.spreads,
      weights: [Double](
        repeating: 1 / Double(parameters.clusterCount), count: parameters.clusterCount))
    let block = Matrix(rows: rows)
    return rows.indices.reduce(0.0) { $0 + judge.nearest(row: $1, of: block).squaredDistance }
      / Double(rows.count)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func onePassComesCloseToTheBestOfManyBatchRuns(seed: UInt64) throws {
    var stream = GoldenStream(seed: 11)
    let rows = stream.mixture(12_000, centres: centres, spreads: spreads)
    #expect(abs(rows.joined().reduce(0, +) - GoldenClusters.sum) < 1e-4)
    for (clusters, golden) in GoldenClusters.inertia {
      var learner = KMeans(
        featureCount: 3, options: .init(clusters: clusters), seed: seed)
      learner.learn(rows, batch: 64)
      let ours = inertia(try #require(learner.makeParameters()), rows)
      #expect(ours < golden * 1.03, "k \(clusters), seed \(seed): \(ours / golden)")
    }
  }

  /// Rows that come sorted, cluster after cluster, give what shuffled ones give.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func orderOfRowsHardlyMatters(seed: UInt64) throws {
    var stream = GoldenStream(seed: seed)
    var rows: [[Double]] = []
    for (centre, spread) in zip(centres, spreads) {
      rows += stream.mixture(3_000, centres: [centre], spreads: [spread])
    }
    var learner = KMeans(featureCount: 3, options: .init(clusters: 6), seed: seed)
    learner.learn(rows, batch: 64)
    let parameters = try #require(learner.makeParameters())
    let truth = KMeansParameters(
      standardisation: parameters.standardisation, centres: Array(centres.joined()),
      spreads: [Double](repeating: 1, count: 6), weights: [Double](repeating: 1.0 / 6, count: 6))
    let ratio = inertia(parameters, rows) / inertia(truth, rows)
    #expect(ratio < 1.03, "seed \(seed): \(ratio)")
  }

  /// One row in five hundred lies far away, so few that a uniform sample has hardly any.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func findsFewRowsFarAway(seed: UInt64) throws {
    var stream = GoldenStream(seed: seed)
    var rows = stream.mixture(20_000, centres: [[0, 0, 0], [4, 0, 0]], spreads: [1, 1])
    for row in stride(from: 0, to: rows.count, by: 500) {
      rows[row] = (0..<3).map { _ in stream.normal() * 0.1 - 20 }
    }
    var learner = KMeans(featureCount: 3, options: .init(clusters: 3), seed: seed)
    learner.learn(rows, batch: 64)
    let parameters = try #require(learner.makeParameters())
    let first = (0..<3).map { parameters.centres[3 * $0] }.sorted()
    #expect(abs(first[0] + 20) < 0.2 && abs(first[1]) < 0.2 && abs(first[2] - 4) < 0.2, "\(first)")
    #expect(abs((parameters.weights.min() ?? 0) - 0.002) < 5e-4, "\(parameters.weights)")
  }

  /// A few anomalies of a kind have a centre of their own, but do not excuse each other by it.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func tightGroupOfOutliersIsScoredHigh(seed: UInt64) throws {
    var stream = GoldenStream(seed: seed)
    var rows = stream.mixture(10_000, centres: centres, spreads: spreads)
    for row in stride(from: 50, to: rows.count, by: 200) {
      rows[row] = (0..<3).map { _ in 15 + 0.01 * stream.normal() }
    }
    var learner = KMeans(featureCount: 3, seed: seed)
    learner.learn(rows, batch: 64)
    let scores = try #require(learner.makeParameters()).scores(rows)
    let labels = rows.indices.map { $0 % 200 == 50 ? 1.0 : 0 }
    #expect(auroc(scores, labels) > 0.99, "seed \(seed)")
  }

  /// Centres are learnt in single precision, yet lose no digits to what the values have in common.
  @Test func offsetAndUnitOfAFeatureDoNotMatter() throws {
    var stream = GoldenStream(seed: 5)
    let rows = stream.mixture(6_000, centres: centres, spreads: spreads)
    func scores(_ change: (Double) -> Double) throws -> [Float] {
      let changed = rows.map { $0.map(change) }
      var learner = KMeans(featureCount: 3, options: .init(clusters: 6), seed: 1)
      learner.learn(changed, batch: 64)
      return try #require(learner.makeParameters()).scores(Array(changed.prefix(500)))
    }
    let plain = try scores { $0 }
    for changed in [try scores { 1e9 + $0 }, try scores { 1e-30 * $0 }, try scores { 1e30 * $0 }] {
      for (a, b) in zip(plain, changed) { #expect(abs(a - b) < 1e-4) }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func followsMovedClusters(seed: UInt64) throws {
    var stream = GoldenStream(seed: seed)
    var learner = KMeans(
      featureCount: 3, options: .init(clusters: 6, halfLife: 500), seed: seed)
    learner.learn(stream.mixture(5_000, centres: centres, spreads: spreads), batch: 64)
    let moved = centres.map { [12 - $0[2], $0[0] + 9, -3 - $0[1]] }
    learner.learn(stream.mixture(12_000, centres: moved, spreads: spreads), batch: 64)
    let parameters = try #require(learner.makeParameters())
    let rows = stream.mixture(2_000, centres: moved, spreads: spreads)
    // Within 10 % of what the true centres give.
    let truth = KMeansParameters(
      standardisation: parameters.standardisation, centres: Array(moved.joined()),
      spreads: [Double](repeating: 1, count: 6), weights: [Double](repeating: 1.0 / 6, count: 6))
    let ratio = inertia(parameters, rows) / inertia(truth, rows)
    #expect(ratio < 1.1, "seed \(seed): \(ratio)")
  }

  @Test func outlierScoresHigherThanMembers() throws {
    var stream = GoldenStream(seed: 2)
    var learner = KMeans(featureCount: 3, options: .init(clusters: 6), seed: 1)
    learner.learn(stream.mixture(4_000, centres: centres, spreads: spreads), batch: 64)
    let parameters = try #require(learner.makeParameters())
    let members = parameters.scores(stream.mixture(500, centres: centres, spreads: spreads))
    let outliers = parameters.scores([[3, 3, -6], [12, -6, 0], [-6, -6, -6]])
    #expect(outliers.min()! > members.sorted()[490])
  }

  @Test func contributionsAddUpToTheSquaredRatio() throws {
    var stream = GoldenStream(seed: 2)
    var learner = KMeans(featureCount: 3, options: .init(clusters: 5), seed: 1)
    learner.learn(stream.mixture(2_000, centres: centres, spreads: spreads), batch: 64)
    let parameters = try #require(learner.makeParameters())
    let rows = stream.mixture(30, centres: centres, spreads: spreads)
    let scores = parameters.scores(rows)
    for row in rows.indices {
      let sum = parameters.contributions(row: row, of: Matrix(rows: rows))
        .reduce(0.0) { $0 + $1.contribution }
      let ratio = sum.squareRoot()
      #expect(abs(Double(scores[row]) - ratio / (1 + ratio)) < 1e-6)
    }
  }

  @Test func moreClustersThanPointsGiveOnlyThePoints() throws {
    var learner = KMeans(featureCount: 2, options: .init(clusters: 8), seed: 1)
    let rows = (0..<400).map { [Double($0 % 3), Double($0 % 3) * 2] }
    learner.learn(rows, batch: 16)
    let parameters = try #require(learner.makeParameters())
    #expect(parameters.clusterCount == 3)
    #expect(abs(parameters.weights.reduce(0, +) - 1) < 1e-12)
    let found = Set((0..<3).map { parameters.centres[2 * $0].rounded() })
    #expect(found == [0, 1, 2])
    #expect(parameters.scores([[0, 0]])[0] < 0.01)
  }

  /// The features that put a row far from its cluster are the ones named.
  @Test func contributionsNameTheGuiltyFeature() throws {
    var stream = GoldenStream(seed: 3)
    var learner = KMeans(featureCount: 3, options: .init(clusters: 6), seed: 1)
    learner.learn(stream.mixture(4_000, centres: centres, spreads: spreads), batch: 64)
    let parameters = try #require(learner.makeParameters())
    for guilty in 0..<3 {
      var row = centres[0]
      row[guilty] = -30
      let contributions = parameters.contributions(row: 0, of: Matrix(rows: [row]))
      let most = contributions.max { $0.contribution < $1.contribution }
      #expect(most?.feature == guilty)
    }
  }

  /// A few hundred clusters are found where there are so many.
  @Test func findsHundredsOfClusters() throws {
    var stream = GoldenStream(seed: 4)
    let many = (0..<300).map { _ in (0..<4).map { _ in 200 * stream.uniform() } }
    let rows = stream.mixture(30_000, centres: many, spreads: [Double](repeating: 1, count: 300))
    var learner = KMeans(featureCount: 4, options: .init(clusters: 300), seed: 1)
    learner.learn(rows, batch: 256)
    let parameters = try #require(learner.makeParameters())
    let truth = KMeansParameters(
      standardisation: parameters.standardisation, centres: Array(many.joined()),
      spreads: [Double](repeating: 1, count: 300),
      weights: [Double](repeating: 1.0 / 300, count: 300))
    let judge = KMeansParameters(
      standardisation: parameters.standardisation, centres: parameters.centres,
      spreads: parameters.spreads,
      weights: [Double](
        repeating: 1 / Double(parameters.clusterCount), count: parameters.clusterCount))
    let block = Matrix(rows: rows)
    func inertia(_ model: KMeansParameters) -> Double {
      rows.indices.reduce(0) { $0 + model.nearest(row: $1, of: block).squaredDistance }
    }
    #expect(inertia(judge) < 1.2 * inertia(truth), "\(inertia(judge) / inertia(truth))")
  }

  @Test(arguments: [(1, 2), (8, 2), (1, 16)])
  func theSmallestSamplesDo(clusters: Int, share: Int) throws {
    var stream = GoldenStream(seed: 7)
    var learner = KMeans(
      featureCount: 3, options: .init(clusters: clusters, coresetShare: share), seed: 1)
    learner.learn(stream.mixture(500, centres: centres, spreads: spreads), batch: 4)
    #expect(learner.makeParameters() != nil)
  }

  @Test func scoresEarly() throws {
    var stream = GoldenStream(seed: 2)
    var learner = KMeans(featureCount: 3, seed: 1)
    learner.learn(stream.mixture(16, centres: centres, spreads: spreads), batch: 4)
    #expect(learner.makeParameters() != nil)
  }
}
