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
  /// Alerts and hits if each day's budget had been spent by score; nil if no budget was asked for.
  public let atBudget: DetectionFigures?
}
