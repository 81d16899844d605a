import Learners

/// What keeps a version from being published: bounds on how much worse than the last published one
/// it may be. All comparisons are made on the same rows.
public struct Guards: Sendable, Equatable {
  /// How far the area under the ROC curve on recent labelled rows may fall, 0 to 1.
  public var figureDrop = 0.2
  /// How far the log loss on those rows may rise, nats; it must also more than double.
  public var logLossRise = 0.2
  /// How many times as many recent events may be flagged, with fixed thresholds.
  public var alertRateFactor = 5.0
  /// And how much larger the share of them must have become, 0 to 1.
  public var alertRateFloor = 0.02

  /// The bounds that hold where the pipeline file names none.
  public init() {}

  /// The largest number that sane parameters may have in standardised units, see
  /// ``ModelParameters/largestMagnitude``.
  ///
  /// A logistic regression's weights are log-odds a standard deviation: at 16 a single deviation
  /// decides with certainty. The centres and spreads of k-means are distances in standard
  /// deviations of all that is remembered: a batch of 16 among a million rows cannot be 300 away.
  public static func largestMagnitude(of kind: ModelKind) -> Double {
    switch kind {
    case .logisticRegression: 1_000
    case .kMeans: 10_000
    // Cuts between values that were seen, and path lengths: nothing that could explode.
    case .isolationForest: .infinity
    }
  }
}
