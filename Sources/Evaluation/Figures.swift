/// Figures of merit of one model over some events.
///
/// Every figure covers the events that the model scored; the others are only counted, in
/// ``unscored``. A figure that is undefined is nil, never NaN.
public struct Figures: Sendable, Equatable {
  /// Scored events.
  public let events: Int
  /// Events without a score, because the model had no parameters yet.
  public let unscored: Int
  /// Positives among the scored events.
  public let positives: Int
  /// The area under the ROC curve, exact: the chance that a positive scores above a negative, ties
  /// counting one half (Mann and Whitney's U over the number of pairs). Nil unless there are both
  /// classes.
  public let areaUnderROC: Double?
  /// Average precision by steps, Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores from the highest on, as
  /// in scikit-learn. Nil unless there are both classes.
  public let averagePrecision: Double?
  /// Mean log loss in nats, with probabilities clipped to [10⁻⁷, 1 − 10⁻⁷]. Nil for scores that are
  /// no probabilities, and without events.
  public let logLoss: Double?
  /// Mean squared error of the probabilities, clipped likewise. Nil where ``logLoss`` is.
  public let brierScore: Double?
  /// The share of events whose label is "probability ≥ ½". Nil where ``logLoss`` is.
  public let accuracy: Double?
  /// Expected calibration error (Naeini, Cooper, Hauskrecht, 2015): the mean distance between the
  /// mean probability and the share of positives over 15 bins of equal mass, tied scores in one bin.
  /// Nil where ``logLoss`` is.
  public let calibrationError: Double?
  /// Alerts and hits by the thresholds that were served, over the events scored while there was
  /// one; nil if there never was.
  public let atThreshold: DetectionFigures?
  /// Alerts and hits if each day's budget had been spent by score; nil if no budget was asked for.
  public let atBudget: DetectionFigures?
  /// The highest recall of any threshold whose share of flagged negatives is at most a rate, one
  /// for each rate asked for.
  public let recallAtFalsePositiveRate: [RecallAtRate]
  /// Card Precision@k, one for each k asked for: of a day its value, otherwise the days' mean.
  public let cardPrecision: [CardPrecision]
  /// What the alerts by the served thresholds cost and what they missed did, in all; nil unless
  /// ``FigureOptions/costs`` are given.
  public let cost: Double?
  /// Bounds of the figures by resampling days; empty unless they were asked for.
  public internal(set) var intervals: [FigureName: FigureInterval] = [:]
}

/// Recall at a false-positive rate.
public struct RecallAtRate: Sendable, Equatable {
  /// The share of negatives that may be flagged at most.
  public let falsePositiveRate: Double
  /// The share of positives found then; nil unless there are both classes.
  public let recall: Double?
}

/// The share of compromised cards (or other entities) among the k most suspicious of a day.
public struct CardPrecision: Sendable, Equatable {
  /// How many entities a day are looked at.
  public let k: Int
  /// Of one day, or the mean over days; nil without a day on which an entity was scored.
  public let value: Double?
}

/// Where 95 of 100 resamples of a figure lie.
public struct FigureInterval: Sendable, Equatable {
  /// The 2.5th percentile.
  public let low: Double
  /// The 97.5th percentile.
  public let high: Double

  /// Bounds of a figure.
  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }
}
