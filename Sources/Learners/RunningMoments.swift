import LinearAlgebra
import StateCoding

/// Running mean and variance of each feature, updated a batch at a time.
///
/// Welford ("Note on a method for calculating corrected sums of squares and products", 1962) in the
/// pairwise form of Chan, Golub and LeVeque ("Updating formulae and a pairwise algorithm for
/// computing sample variances", 1979), with an optional exponential forgetting of what came before.
public struct RunningMoments: Sendable, Equatable {
  /// Examples after which an observation counts half; infinite for no forgetting.
  public let halfLife: Double
  /// Sum of the weights, after forgetting.
  public private(set) var count: Double
  /// Mean of each feature.
  public private(set) var mean: [Double]
  /// Weighted sum of squared deviations from the mean of each feature.
  private var scatter: [Double]

  /// Moments of nothing.
  public init(featureCount: Int, halfLife: Double = .infinity) {
    precondition(featureCount >= 0 && halfLife > 0, "moments need a positive half-life")
    self.halfLife = halfLife
    self.count = 0
    self.mean = [Double](repeating: 0, count: featureCount)
    self.scatter = mean
  }

  /// Variance of each feature, dividing by the sum of weights; 0 where nothing was seen.
  public var variance: [Double] {
    scatter.map { count > 0 ? $0 / count : 0 }
  }

  /// Adds the rows of a batch with their weights (empty for all 1). Values beyond
  /// ±``Standardisation/largestMean`` count as that; columns past the moments' are left out.
  public mutating func add(_ features: Matrix, weights: [Double] = []) {
    precondition(features.columns >= mean.count, "shapes do not fit")
    precondition(weights.isEmpty || weights.count >= features.rows, "a weight is missing")
    let rows = features.rows
    guard rows > 0 else { return }
    var total = Double(rows)
    if !weights.isEmpty {
      total = 0
      for row in 0..<rows { total += exampleWeight(weights, row) }
      guard total > 0 else { return }
    }
    if halfLife.isFinite {
      let decay = exponentialDecay(Double(rows), halfLife: halfLife)
      count *= decay
      for feature in scatter.indices { scatter[feature] *= decay }
    }
    let combined = count + total
    // Four columns at a time, as each starts with a wait for memory.
    for first in stride(from: 0, to: mean.count, by: 4) {
      let last = mean.count - 1
      let four = SIMD4(first, min(first + 1, last), min(first + 2, last), min(first + 3, last))
      let found = weights.isEmpty ? moments(features, four) : nil
      for lane in 0..<min(4, mean.count - first) {
        let feature = first + lane
        var (batchMean, batchScatter) = found.map { ($0.mean[lane], $0.scatter[lane]) } ?? (.nan, 0)
        // No value is farther from the mean than this, so none was out of range.
        if !(abs(batchMean) + batchScatter.squareRoot() <= Standardisation.largestMean) {
          (batchMean, batchScatter) = Self.moments(features, feature, weights, total)
        }
        let delta = batchMean - mean[feature]
        let moved = mean[feature] + delta * (total / combined)
        mean[feature] = max(-Standardisation.largestMean, min(Standardisation.largestMean, moved))
        scatter[feature] += batchScatter + delta * delta * (count * total / combined)
      }
    }
    count = combined
  }

  /// The standardisation that follows from the moments.
  ///
  /// A standard deviation within rounding of the mean (a relative 1e-12) counts as no variation.
  public func standardisation(
    limit: Double = Standardisation.usualLimit, isSoft: Bool = false
  ) -> Standardisation {
    var scale = [Double](repeating: 0, count: mean.count)
    for feature in mean.indices where count > 0 {
      let deviation = (scatter[feature] / count).squareRoot()
      let inverse = 1 / deviation
      if deviation > 1e-12 * abs(mean[feature]), inverse.isFinite { scale[feature] = inverse }
    }
    return Standardisation(mean: mean, scale: scale, limit: limit, isSoft: isSoft)
  }

  /// Mean and sum of squared deviations of one column, whose values may be out of range.
  private static func moments(
    _ features: Matrix, _ feature: Int, _ weights: [Double], _ total: Double
  ) -> (mean: Double, scatter: Double) {
    let rows = features.rows
    let start = feature * features.stride
    let largest = Standardisation.largestMean
    return features.values.withUnsafeBufferPointer { all in
      let values = UnsafeBufferPointer(rebasing: all[start..<start + rows])
      var sum = 0.0
      for row in 0..<rows {
        sum += exampleWeight(weights, row) * max(-largest, min(largest, values[row]))
      }
      let mean = sum / total
      var scatter = 0.0
      for row in 0..<rows {
        let delta = max(-largest, min(largest, values[row])) - mean
        scatter += exampleWeight(weights, row) * delta * delta
      }
      return (mean, scatter)
    }
  }

  /// Means and sums of squared deviations of four columns, from deviations from the means so far, or
  /// from the first values, unless those are so far away that the digits would not do.
  private func moments(
    _ features: Matrix, _ columns: SIMD4<Int>
  ) -> (mean: SIMD4<Double>, scatter: SIMD4<Double>) {
    let rows = Double(features.rows)
    var centre = SIMD4<Double>.zero
    for lane in 0..<4 {
      centre[lane] = count > 0 ? mean[columns[lane]] : features[0, columns[lane]]
    }
    let (sum, square) = Self.sums(features, columns, about: centre)
    let mean = centre + sum / rows
    let scatter = square - sum * sum / rows
    if all(scatter .> 1e-3 * square .| square .== 0) { return (mean, scatter) }
    return (mean, Self.sums(features, columns, about: mean).square)
  }

  /// Sums of the values of four columns less a number each, and of the squares of that.
  private static func sums(
    _ features: Matrix, _ columns: SIMD4<Int>, about centre: SIMD4<Double>
  ) -> (sum: SIMD4<Double>, square: SIMD4<Double>) {
    let rows = features.rows
    let whole = rows & ~1
    return features.values.withUnsafeBufferPointer { values in
      let a = values.baseAddress! + columns[0] * features.stride
      let b = values.baseAddress! + columns[1] * features.stride
      let c = values.baseAddress! + columns[2] * features.stride
      let d = values.baseAddress! + columns[3] * features.stride
      var sums = (SIMD2<Double>.zero, SIMD2<Double>.zero, SIMD2<Double>.zero, SIMD2<Double>.zero)
      var squares = sums
      for row in stride(from: 0, to: whole, by: 2) {
        let deltas = (
          two(a + row) - centre[0], two(b + row) - centre[1], two(c + row) - centre[2],
          two(d + row) - centre[3]
        )
        sums.0 += deltas.0
        sums.1 += deltas.1
        sums.2 += deltas.2
        sums.3 += deltas.3
        squares.0 += deltas.0 * deltas.0
        squares.1 += deltas.1 * deltas.1
        squares.2 += deltas.2 * deltas.2
        squares.3 += deltas.3 * deltas.3
      }
      var sum = SIMD4(sums.0.sum(), sums.1.sum(), sums.2.sum(), sums.3.sum())
      var square = SIMD4(squares.0.sum(), squares.1.sum(), squares.2.sum(), squares.3.sum())
      if whole < rows {
        let delta = SIMD4(a[whole], b[whole], c[whole], d[whole]) - centre
        sum += delta
        square += delta * delta
      }
      return (sum, square)
    }
  }

  @inline(__always)
  private static func two(_ pointer: UnsafePointer<Double>) -> SIMD2<Double> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD2<Double>.self)
  }
}

extension RunningMoments {
  /// Writes everything but the half-life.
  func write(to writer: inout StateWriter) {
    writer.write(count)
    writer.write(mean)
    writer.write(scatter)
  }

  /// Reads what ``write(to:)`` wrote.
  init(
    from reader: inout StateReader, featureCount: Int, halfLife: Double
  ) throws(StateError) {
    self.init(featureCount: featureCount, halfLife: halfLife)
    count = try reader.readFinite()
    mean = try reader.readFinites(count: featureCount)
    scatter = try reader.readFinites(count: featureCount)
    guard count >= 0, scatter.allSatisfy({ $0 >= 0 }),
      mean.allSatisfy({ abs($0) <= Standardisation.largestMean })
    else { throw .invalid("mean or variance") }
  }
}
