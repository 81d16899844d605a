import Glibc
import StateCoding

/// Corrects the log-odds x of a mixture to intercept + slope · x (Platt, "Probabilistic outputs for
/// support vector machines", 1999), followed by two decayed normal equations that are drawn towards
/// no correction.
struct LogisticCalibration: Sendable {
  static let halfLife = 1_000.0
  static let penalty = 100.0
  /// Log-odds beyond this count as it.
  static let limit = 15.0
  /// A mixture is never turned round, nor made useless.
  static let slopes = 0.1...10.0
  static let largestIntercept = 10.0
  static let smallestCurvature = 0.01

  private(set) var intercept = 0.0
  private(set) var slope = 1.0
  // Decayed sums of w, w·x, w·x², and of the working responses r and r·x.
  private var w = 0.0
  private var wx = 0.0
  private var wxx = 0.0
  private var r = 0.0
  private var rx = 0.0

  init() {}

  /// Learns from the rows of a batch and the log-odds of their mixture.
  mutating func learn(_ batch: LogisticBatch) {
    let decay = exponentialDecay(Double(batch.rows), halfLife: Self.halfLife)
    w *= decay
    wx *= decay
    wxx *= decay
    r *= decay
    rx *= decay
    for row in 0..<batch.rows {
      let x = max(-Self.limit, min(Self.limit, batch.mixed[row]))
      let corrected = intercept + slope * x
      let p = logistic(corrected)
      let weight = batch.weights[row]
      let curvature = weight * max(p * (1 - p), Self.smallestCurvature)
      let target = curvature * corrected + weight * (batch.labels[row] - p)
      w += curvature
      wx += curvature * x
      wxx += curvature * x * x
      r += target
      rx += target * x
    }
    let (a, d) = (w + Self.penalty, wxx + Self.penalty)
    let determinant = a * d - wx * wx
    let newIntercept = (r * d - wx * (rx + Self.penalty)) / determinant
    let newSlope = (a * (rx + Self.penalty) - wx * r) / determinant
    guard newIntercept.isFinite, newSlope.isFinite else { return }
    intercept = max(-Self.largestIntercept, min(Self.largestIntercept, newIntercept))
    slope = max(Self.slopes.lowerBound, min(Self.slopes.upperBound, newSlope))
  }
}

extension LogisticCalibration {
  func write(to writer: inout StateWriter) {
    for value in [intercept, slope, w, wx, wxx, r, rx] { writer.write(value) }
  }

  init(from reader: inout StateReader) throws(StateError) {
    intercept = try reader.readFinite()
    slope = try reader.readFinite()
    w = try reader.readFinite()
    wx = try reader.readFinite()
    wxx = try reader.readFinite()
    r = try reader.readFinite()
    rx = try reader.readFinite()
    guard abs(intercept) <= Self.largestIntercept, Self.slopes.contains(slope) else {
      throw .invalid("calibration")
    }
  }
}
