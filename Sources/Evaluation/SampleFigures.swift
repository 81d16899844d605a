/// Figures of a sample whose classes were drawn apart, exact.
public struct SampleFigures: Sendable, Equatable {
  /// Scored events of the sample.
  public let events: Int
  /// The area under the ROC curve, which does not depend on the share of positives.
  public let areaUnderROC: Double
  /// The standard deviation that the area has by chance if the scores say nothing (Mann and
  /// Whitney's U): what a difference of areas has to be measured against.
  public let areaDeviation: Double
  /// Mean log loss in nats, the classes weighted to their true share, probabilities clipped to
  /// [10⁻⁷, 1 − 10⁻⁷]; nil for scores that are no probabilities.
  public let logLoss: Double?

  /// The figures of some scores, none of them NaN; nil unless there are both classes.
  /// - Parameter positiveShare: share of positives where the sample was drawn, 0 to 1.
  public init?(
    positives: [Float], negatives: [Float], positiveShare: Double, scale: ScoreScale
  ) {
    var ranking = ScoreRanking()
    for score in positives { ranking.add(score, isPositive: true) }
    for score in negatives { ranking.add(score, isPositive: false) }
    ranking.rank()
    guard let areas = ranking.areas() else { return nil }
    func mean(_ scores: [Float], isPositive: Bool) -> Double {
      let sum = scores.reduce(0) {
        $0 + ProbabilityLoss(Double($1), isPositive: isPositive).logLoss
      }
      return sum / Double(scores.count)
    }
    events = positives.count + negatives.count
    areaUnderROC = areas.underROC
    let pairs = Double(positives.count) * Double(negatives.count)
    areaDeviation = (Double(events + 1) / (12 * pairs)).squareRoot()
    logLoss =
      scale == .probability
      ? positiveShare * mean(positives, isPositive: true)
        + (1 - positiveShare) * mean(negatives, isPositive: false) : nil
  }
}
