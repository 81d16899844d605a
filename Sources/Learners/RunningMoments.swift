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
    for feature in mean.indices {
      let (batchMean, batchScatter) = moments(features, feature, weights, total)
      let delta = batchMean - mean[feature]
      let moved = mean[feature] + delta * (total / combined)
      mean[feature] = max(-Standardisation.largestMean, min(Standardisation.largestMean, moved))
      scatter[feature] += batchScatter + delta * delta * (count * total / combined)
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

  /// Mean and sum of squared deviations of one column.
  private func moments(
    _ features: Matrix, _ feature: Int, _ weights: [Double], _ total: Double
  ) -> (mean: Double, scatter: Double) {
    let rows = features.rows
    let start = feature * features.stride
    let largest = Standardisation.largestMean
    return features.values.withUnsafeBufferPointer { all in
      let values = UnsafeBufferPointer(rebasing: all[start..<start + rows])
      if weights.isEmpty {
        let (mean, scatter) = Self.moments(values, near: count > 0 ? mean[feature] : values[0])
        // No value is farther from the mean than this, so none was out of range.
        if abs(mean) + scatter.squareRoot() <= largest { return (mean, scatter) }
      }
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

  /// Mean and sum of squared deviations of some values, about a number that should be near to most.
  private static func moments(
    _ values: UnsafeBufferPointer<Double>, near centre: Double
  ) -> (mean: Double, scatter: Double) {
    let (sum, square) = sums(values, about: centre)
    let mean = centre + sum / Double(values.count)
    let scatter = square - sum * sum / Double(values.count)
    // The difference has digits enough, unless the number was not near.
    if scatter > 1e-3 * square || square == 0 { return (mean, scatter) }
    return (mean, sums(values, about: mean).square)
  }

  /// Sum of the values less a number, and of the squares of that, in eight lanes to break the chain
  /// of additions.
  private static func sums(
    _ values: UnsafeBufferPointer<Double>, about centre: Double
  ) -> (sum: Double, square: Double) {
    let whole = values.count & ~7
    var sums = SIMD8<Double>.zero
    var squares = sums
    for row in stride(from: 0, to: whole, by: 8) {
      let delta =
        UnsafeRawPointer(values.baseAddress! + row).loadUnaligned(as: SIMD8<Double>.self) - centre
      sums += delta
      squares += delta * delta
    }
    var sum = sums.sum()
    var square = squares.sum()
    for row in whole..<values.count {
      let delta = values[row] - centre
      sum += delta
      square += delta * delta
    }
    return (sum, square)
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
