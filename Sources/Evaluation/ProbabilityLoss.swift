import Glibc

/// The losses of one predicted probability.
struct ProbabilityLoss {
  private static let clip = 1e-7

  /// −ln of the probability given to what happened.
  let logLoss: Double
  /// The squared difference from what happened.
  let squaredError: Double

  /// Clips to [10⁻⁷, 1 − 10⁻⁷], so that one certain error cannot make a mean infinite.
  @inline(__always)
  init(_ probability: Double, isPositive: Bool) {
    let clipped = min(max(probability, Self.clip), 1 - Self.clip)
    let ofTruth = isPositive ? clipped : 1 - clipped
    logLoss = -log(ofTruth)
    squaredError = (1 - ofTruth) * (1 - ofTruth)
  }
}
