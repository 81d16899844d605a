import LinearAlgebra

/// Turns a feature x into z = (x − mean) · scale, limited to ±``limit``.
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
  /// Standardised values stay within this, so that one extreme value cannot outweigh the rest.
  public let limit: Double
  /// How they are kept there: bent towards the limit, u ÷ (1 + |u| ÷ limit), which still tells far
  /// from very far; or clipped.
  public let isSoft: Bool

  /// A standardisation of `mean.count` features.
  public init(
    mean: [Double], scale: [Double], limit: Double = Self.usualLimit, isSoft: Bool = false
  ) {
    precondition(mean.count == scale.count, "a standardisation needs one scale a mean")
    self.mean = mean
    self.scale = scale
    self.limit = limit
    self.isSoft = isSoft
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
    let z = (value - mean[feature]) * scale[feature]
    return isSoft ? Self.bend(z, inverseLimit: 1 / limit) : clip(z)
  }

  /// The value that standardises to `z`, where the feature has varied; its mean otherwise.
  func restore(_ z: Double, feature: Int) -> Double {
    scale[feature] > 0 ? mean[feature] + z / scale[feature] : mean[feature]
  }

  /// Limits a standardised value to ±``limit``.
  @inline(__always)
  func clip(_ z: Double) -> Double {
    Self.clip(z, limit)
  }

  /// Limits a value to ±`limit`.
  @inline(__always)
  static func clip(_ z: Double, _ limit: Double) -> Double {
    let below = z < limit ? z : limit
    return below > -limit ? below : -limit
  }

  /// Beyond this a value is taken for it, where a quotient of two infinities would arise or the
  /// quotient of a number and an infinity.
  private static let farthest = 1e18

  /// Bends a standardised value towards ±limit, with slope 1 at 0.
  @inline(__always)
  static func bend(_ z: Double, inverseLimit: Double) -> Double {
    if inverseLimit <= 1 {
      let bent = z / (1 + abs(z) * inverseLimit)
      if !bent.isNaN { return bent }
    }
    let below = z < farthest ? z : farthest
    let within = below > -farthest ? below : -farthest
    return within / (1 + abs(within) * inverseLimit)
  }

  /// Writes the standardised values of one feature.
  /// - Parameters:
  ///   - values: in the feature's own unit.
  ///   - result: room for as many.
  @inline(__always)
  func standardise(
    _ values: UnsafeBufferPointer<Double>, feature: Int,
    into result: UnsafeMutableBufferPointer<Double>
  ) {
    let mean = mean[feature]
    let scale = scale[feature]
    guard isSoft, let source = values.baseAddress, let target = result.baseAddress else {
      for place in 0..<values.count { result[place] = clip((values[place] - mean) * scale) }
      return
    }
    let inverseLimit = 1 / limit
    // Two at a time, which the compiler does not make of `bend`, as if all could be divided.
    let pairs = inverseLimit <= 1 ? values.count & ~1 : 0
    var sum = SIMD2<Double>.zero
    for place in stride(from: 0, to: pairs, by: 2) {
      let pair = UnsafeRawPointer(source + place).loadUnaligned(as: SIMD2<Double>.self)
      let z = (pair - mean) * scale
      let size = unsafeBitCast(
        unsafeBitCast(z, to: SIMD2<Int64>.self) & SIMD2(repeating: .max), to: SIMD2<Double>.self)
      let bent = z / (1 + size * inverseLimit)
      sum += bent
      UnsafeMutableRawPointer(target + place).storeBytes(of: bent, as: SIMD2<Double>.self)
    }
    // One that could not is in the sum, too.
    let rest = sum.sum().isNaN ? 0 : pairs
    for place in rest..<values.count {
      result[place] = Self.bend((values[place] - mean) * scale, inverseLimit: inverseLimit)
    }
  }

  /// Writes the standardised rows into the first ``featureCount`` columns of `result`, whose number
  /// of rows is set. Further columns of `features` are left out.
  func standardise(_ features: Matrix, into result: inout Matrix) {
    standardise(features, rows: 0..<features.rows, into: &result)
  }

  /// The same for some of the rows.
  func standardise(_ features: Matrix, rows range: Range<Int>, into result: inout Matrix) {
    precondition(
      features.columns >= featureCount && result.columns >= featureCount
        && range.upperBound <= features.rows && result.stride >= range.count, "shapes do not fit")
    let rows = range.count
    result.resize(rows: rows)
    let resultStride = result.stride
    features.values.withUnsafeBufferPointer { source in
      result.values.withUnsafeMutableBufferPointer { target in
        for column in 0..<featureCount {
          let from = column * features.stride + range.lowerBound
          let to = column * resultStride
          standardise(
            UnsafeBufferPointer(rebasing: source[from..<from + rows]), feature: column,
            into: UnsafeMutableBufferPointer(rebasing: target[to..<to + rows]))
        }
      }
    }
  }
}
