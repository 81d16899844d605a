import LinearAlgebra

/// A logistic regression: p = 1 / (1 + exp(−(intercept + Σ weightⱼ zⱼ + Σ h))) with z the standardised
/// features and h the weights of hashed categories, whose columns come last.
public struct LogisticParameters: ModelParameters, Equatable {
  /// Family of the model.
  public static let kind = ModelKind.logisticRegression

  /// Units of the weights.
  public let standardisation: Standardisation
  /// Log-odds per standard deviation, one a feature that is not hashed.
  public let weights: [Double]
  /// Log-odds of an event with all features at their means, and no category.
  public let intercept: Double
  /// The table that hashed columns look up; nil without any.
  public let hashed: HashedWeights?

  /// A model of `weights.count` features, and those hashed.
  public init(
    standardisation: Standardisation, weights: [Double], intercept: Double,
    hashed: HashedWeights? = nil
  ) {
    precondition(standardisation.featureCount == weights.count, "one weight a feature")
    self.standardisation = standardisation
    self.weights = weights
    self.intercept = intercept
    self.hashed = hashed
  }

  /// Number of features, hashed ones included.
  public var featureCount: Int { weights.count + (hashed?.columns ?? 0) }

  /// Whether every number is finite and in range.
  public var isFinite: Bool {
    standardisation.isFinite && intercept.isFinite
      && weights.allSatisfy { abs($0) <= Self.largestWeight } && hashed?.isFinite ?? true
  }

  /// Of the weights and the intercept.
  public var largestMagnitude: Double {
    weights.reduce(max(abs(intercept), hashed?.largestMagnitude ?? 0)) { max($0, abs($1)) }
  }

  /// Weights beyond this are out of range: a sum of terms below it cannot overflow.
  public static let largestWeight = 1e100

  /// Writes one score a row, see ``ModelParameters/score(_:into:)``.
  public func score(_ features: Matrix, into scores: inout [Float]) {
    precondition(
      features.columns >= featureCount && scores.count >= features.rows, "shapes do not fit")
    let rows = features.rows
    guard rows > 0 else { return }
    // For few rows, the usual case, the sums stay on the stack. Row by row the order of additions is
    // the order of the features, whatever the size of the block.
    let block = min(rows, 256)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * block) { space in
      let sums = UnsafeMutableBufferPointer(rebasing: space[..<block])
      let standardised = UnsafeMutableBufferPointer(rebasing: space[block...])
      features.values.withUnsafeBufferPointer { values in
        for start in stride(from: 0, to: rows, by: block) {
          let count = min(block, rows - start)
          for row in 0..<count { sums[row] = intercept }
          for feature in 0..<weights.count {
            let weight = weights[feature]
            let from = feature * features.stride + start
            // A single event is what a scorer most often has.
            guard count > 1 else {
              sums[0] += weight * standardisation.standardise(values[from], feature: feature)
              continue
            }
            standardisation.standardise(
              UnsafeBufferPointer(rebasing: values[from..<from + count]), feature: feature,
              into: standardised)
            for row in 0..<count { sums[row] += weight * standardised[row] }
          }
          if let hashed {
            for column in weights.count..<featureCount {
              let from = column * features.stride + start
              for row in 0..<count { sums[row] += hashed.weight(of: values[from + row]) }
            }
          }
          for row in 0..<count { scores[start + row] = Float(logistic(sums[row])) }
        }
      }
    }
  }

  /// Contributions in log-odds, relative to an event with all features at their means: they and the
  /// intercept add up to the log-odds of the score. Typical is the mean; of a hashed column −1, since
  /// no category is.
  public func contributions(row: Int, of features: Matrix) -> [Contribution] {
    precondition(features.columns >= featureCount, "shapes do not fit")
    return weights.indices.map { feature in
      Contribution(
        feature: feature,
        contribution: weights[feature]
          * standardisation.standardise(features[row, feature], feature: feature),
        typical: standardisation.mean[feature])
    }
      + (weights.count..<featureCount).map { feature in
        Contribution(
          feature: feature, contribution: hashed?.weight(of: features[row, feature]) ?? 0,
          typical: -1)
      }
  }
}
