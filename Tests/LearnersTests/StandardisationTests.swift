import Glibc
import Learners
import LinearAlgebra
import Testing

@Suite struct StandardisationTests {
  private func rows(_ count: Int) -> [[Double]] {
    var stream = GoldenStream(seed: 4)
    return (0..<count).map { _ in [1e9 + stream.normal(), -3, 1e-6 * stream.uniform()] }
  }

  /// Mean and variance in two passes.
  private func reference(_ values: [Double], _ weights: [Double]) -> (Double, Double) {
    let total = weights.reduce(0, +)
    let mean = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
    let scatter = zip(values, weights).reduce(0) { $0 + $1.1 * ($1.0 - mean) * ($1.0 - mean) }
    return (mean, scatter / total)
  }

  @Test(arguments: [1, 7, 64, 256])
  func runningMomentsMatchTwoPasses(batch: Int) {
    let rows = rows(1_000)
    var moments = RunningMoments(featureCount: 3)
    for start in stride(from: 0, to: rows.count, by: batch) {
      moments.add(Matrix(rows: Array(rows[start..<min(start + batch, rows.count)])))
    }
    let ones = [Double](repeating: 1, count: rows.count)
    for feature in [0, 2] {
      let (mean, variance) = reference(rows.map { $0[feature] }, ones)
      #expect(abs(moments.mean[feature] - mean) <= 1e-12 * abs(mean))
      #expect(abs(moments.variance[feature] - variance) <= 1e-6 * variance)
    }
    #expect(moments.mean[1] == -3)
    #expect(moments.standardisation().scale[1] == 0)
  }

  @Test func weightsAndForgettingCount() {
    let rows = rows(100)
    let weights = (0..<100).map { Double($0 % 4) }
    var moments = RunningMoments(featureCount: 3, halfLife: 25)
    moments.add(Matrix(rows: Array(rows[..<50])), weights: Array(weights[..<50]))
    moments.add(Matrix(rows: Array(rows[50...])), weights: Array(weights[50...]))
    let (mean, variance) = reference(
      rows.map { $0[2] }, weights.enumerated().map { $0.offset < 50 ? $0.element / 4 : $0.element })
    #expect(abs(moments.mean[2] - mean) < 1e-12)
    #expect(abs(moments.variance[2] - variance) < 1e-9 * variance)
  }

  @Test func standardisedValuesAreLimited() {
    let standardisation = Standardisation(mean: [10, 5], scale: [0.5, 0])
    #expect(standardisation.standardise(12, feature: 0) == 1)
    #expect(standardisation.standardise(1e308, feature: 0) == 8)
    #expect(standardisation.standardise(-1e308, feature: 0) == -8)
    #expect(standardisation.standardise(1e308, feature: 1) == 0)
    #expect(standardisation.isFinite)
    let soft = Standardisation(mean: [10, 5], scale: [0.5, 0], limit: 8, isSoft: true)
    #expect(abs(soft.standardise(12, feature: 0) - 8.0 / 9) < 1e-15)
    #expect(abs(soft.standardise(-22, feature: 0) + 16.0 / 3) < 1e-12)
    #expect(soft.standardise(1e308, feature: 0) <= 8)
    #expect(soft.standardise(-.greatestFiniteMagnitude, feature: 0) >= -8)
    #expect(soft.standardise(1e308, feature: 1) == 0)
    #expect(!Standardisation(mean: [.nan], scale: [1]).isFinite)
    #expect(!Standardisation(mean: [0], scale: [-1]).isFinite)
  }

  /// Blocks are standardised two rows at a time, single events one by one.
  @Test(arguments: [1e-3, 0.5, 1, 8, 20])
  func anyRowScoresInABlockAsAlone(limit: Double) {
    let values = [
      1e308, -1e308, 2e18, -3e17, 1e-300, 0.3, -2.5, 40, .greatestFiniteMagnitude, 7, -1,
    ]
    for scale in [1e-200, 0.5, 1e10, 1e200] {
      let parameters = LogisticParameters(
        standardisation: Standardisation(mean: [0.2], scale: [scale], limit: limit, isSoft: true),
        weights: [0.7], intercept: -0.1)
      var together = [Float](repeating: .nan, count: values.count)
      parameters.score(Matrix(rows: values.map { [$0] }), into: &together)
      for (row, value) in values.enumerated() {
        var alone: [Float] = [.nan]
        parameters.score(Matrix(rows: [[value]]), into: &alone)
        #expect(together[row] == alone[0])
        let z = (value - 0.2) * scale
        let bent = (z < 0 ? -1 : 1) / (1 / abs(z) + 1 / limit)
        #expect(abs(Double(alone[0]) - 1 / (1 + exp(0.1 - 0.7 * bent))) < 1e-6)
      }
    }
  }
}
