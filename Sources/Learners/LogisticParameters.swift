import LinearAlgebra

/// A logistic regression: p = 1 / (1 + exp(−(intercept + Σ weightⱼ zⱼ))) with z the standardised
/// features.
public struct LogisticParameters: ModelParameters, Equatable {
  /// Family of the model.
  public static let kind = ModelKind.logisticRegression

  /// Units of the weights.
  public let standardisation: Standardisation
  /// Log-odds per standard deviation, one a feature.
  public let weights: [Double]
  /// Log-odds of an event with all features at their means.
  public let intercept: Double

  /// A model of `weights.count` features.
  public init(standardisation: Standardisation, weights: [Double], intercept: Double) {
    precondition(standardisation.featureCount == weights.count, "one weight a feature")
    self.standardisation = standardisation
    self.weights = weights
    self.intercept = intercept
  }

  /// Number of features.
  public var featureCount: Int { weights.count }

  /// Whether every number is finite and in range.
  public var isFinite: Bool {
    standardisation.isFinite && intercept.isFinite
      && weights.allSatisfy { abs($0) <= Self.largestWeight }
  }

  /// Of the weights and the intercept.
  public var largestMagnitude: Double { weights.reduce(abs(intercept)) { max($0, abs($1)) } }

  /// Weights beyond this are out of range: a sum of terms below it cannot overflow.
  public static let largestWeight = 1e100

  /// Writes one score a row, see ``ModelParameters/score(_:into:)``.
  public func score(_ features: Matrix, into scores: inout [Float]) {
    precondition(
      features.columns == featureCount && scores.count >= features.rows, "shapes do not fit")
    let block = 64
    let rows = features.rows
    let inverseLimit = 1 / standardisation.limit
    // The sums stay on the stack. Row by row the order of additions is the order of the features,
    // whatever the size of the block.
    withUnsafeTemporaryAllocation(of: Double.self, capacity: block) { sums in
      features.values.withUnsafeBufferPointer { values in
        for start in stride(from: 0, to: rows, by: block) {
          let count = min(block, rows - start)
          for row in 0..<count { sums[row] = intercept }
          for feature in 0..<weights.count {
            let mean = standardisation.mean[feature]
            let scale = standardisation.scale[feature]
            let weight = weights[feature]
            let from = feature * features.stride + start
            if standardisation.isSoft {
              for row in 0..<count {
                sums[row] +=
                  weight
                  * Standardisation.bend(
                    (values[from + row] - mean) * scale, inverseLimit: inverseLimit)
              }
            } else {
              for row in 0..<count {
                sums[row] += weight * standardisation.clip((values[from + row] - mean) * scale)
              }
            }
          }
          for row in 0..<count { scores[start + row] = Float(logistic(sums[row])) }
        }
      }
    }
  }

  /// Contributions in log-odds, relative to an event with all features at their means: they and the
  /// intercept add up to the log-odds of the score. Typical is the mean.
  public func contributions(row: Int, of features: Matrix) -> [Contribution] {
    precondition(features.columns == featureCount, "shapes do not fit")
    return weights.indices.map { feature in
      Contribution(
        feature: feature,
        contribution: weights[feature]
          * standardisation.standardise(features[row, feature], feature: feature),
        typical: standardisation.mean[feature])
    }
  }
}
