import LinearAlgebra

/// Turns a feature x into z = (x − mean) · scale, clipped at ±``limit``.
///
/// It travels with the parameters, so that a scorer sees the units that the learner saw.
public struct Standardisation: Sendable, Equatable {
  /// The limit where nothing else is asked for.
  public static let usualLimit = 8.0

  /// Limits beyond this are out of range.
  public static let largestLimit = 1e6

  /// Means beyond this are out of range: below it a difference of two finite numbers cannot
  /// overflow, nor can the square of one.
  public static let largestMean = 1e100

  /// Mean of each feature, in its own unit.
  public let mean: [Double]
  /// One over the standard deviation of each feature; 0 for a feature that has not varied, which
  /// then standardises to 0 whatever its value.
  public let scale: [Double]
  /// Standardised values are clipped here, so that one extreme value cannot outweigh the rest.
  public let limit: Double

  /// A standardisation of `mean.count` features.
  public init(mean: [Double], scale: [Double], limit: Double = Self.usualLimit) {
    precondition(mean.count == scale.count, "a standardisation needs one scale a mean")
    self.mean = mean
    self.scale = scale
    self.limit = limit
  }

  /// Number of features.
  public var featureCount: Int { mean.count }

  /// Whether all numbers are finite and in range.
  public var isFinite: Bool {
    mean.allSatisfy { abs($0) <= Self.largestMean }
      && scale.allSatisfy { $0 >= 0 && $0.isFinite } && limit > 0 && limit <= Self.largestLimit
  }

  /// The standardised value of one feature.
  @inline(__always)
  public func standardise(_ value: Double, feature: Int) -> Double {
    clip((value - mean[feature]) * scale[feature])
  }

  /// The value that standardises to `z`, where the feature has varied; its mean otherwise.
  func restore(_ z: Double, feature: Int) -> Double {
    scale[feature] > 0 ? mean[feature] + z / scale[feature] : mean[feature]
  }

  /// Limits a standardised value to ±``limit``.
  @inline(__always)
  func clip(_ z: Double) -> Double {
    let below = z < limit ? z : limit
    return below > -limit ? below : -limit
  }

  /// Writes the standardised rows into the first ``featureCount`` columns of `result`, whose number
  /// of rows is set.
  func standardise(_ features: Matrix, into result: inout Matrix) {
    precondition(
      features.columns == featureCount && result.columns >= featureCount
        && result.stride >= features.rows, "shapes do not fit")
    let rows = features.rows
    result.resize(rows: rows)
    let resultStride = result.stride
    features.values.withUnsafeBufferPointer { source in
      result.values.withUnsafeMutableBufferPointer { target in
        for column in 0..<featureCount {
          let from = column * features.stride
          let to = column * resultStride
          let mean = mean[column]
          let scale = scale[column]
          for row in 0..<rows {
            target[to + row] = clip((source[from + row] - mean) * scale)
          }
        }
      }
    }
  }
}
