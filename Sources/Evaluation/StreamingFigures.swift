/// Figures of merit in constant memory, which a trainer carries along and ships with its updates.
///
/// Log loss and Brier score are exact. Areas come from a histogram of 2,048 bins a class
/// (32 KiB in all): the scores of a bin count as tied. Binning never changes the order of two
/// scores in different bins, so the area under the ROC curve is off by at most half the share of
/// pairs, one positive and one negative, that fall into one bin; ``areaUnderROCErrorBound`` gives
/// that number. Scores that spread over the scale keep it below 0.001; scores that all fall into
/// one bin leave it at 0.5.
public struct StreamingFigures: Sendable, Equatable {
  /// What values the scores take.
  public let scale: ScoreScale
  /// Scored events.
  public internal(set) var events: UInt64 = 0
  /// Positives among them.
  public internal(set) var positives: UInt64 = 0
  var logLossSum = 0.0
  var squaredErrorSum = 0.0
  var positiveBins = [UInt64](repeating: 0, count: ScoreBins.count)
  var negativeBins = [UInt64](repeating: 0, count: ScoreBins.count)

  /// Makes figures without events.
  public init(scale: ScoreScale) {
    self.scale = scale
  }

  /// Counts one event, predicted before it was learnt from.
  ///
  /// - Parameters:
  ///   - score: NaN, for a model without parameters, is not counted; a score outside the scale
  ///     counts as its nearest end.
  ///   - label: whether the event is positive.
  public mutating func add(score: Float, label: Bool) {
    if score.isNaN { return }
    events += 1
    if label {
      positives += 1
      positiveBins[ScoreBins.bin(score, scale: scale)] += 1
    } else {
      negativeBins[ScoreBins.bin(score, scale: scale)] += 1
    }
    if scale == .probability {
      let loss = ProbabilityLoss(Double(score), isPositive: label)
      logLossSum += loss.logLoss
      squaredErrorSum += loss.squaredError
    }
  }

  /// Counts an event under the other label than it was counted under before: it was corrected.
  ///
  /// - Parameters:
  ///   - score: as it was given to ``add(score:label:)``.
  ///   - label: what is right now.
  public mutating func correct(score: Float, to label: Bool) {
    let bin = ScoreBins.bin(score, scale: scale)
    guard !score.isNaN, (label ? negativeBins : positiveBins)[bin] > 0 else { return }
    if label {
      negativeBins[bin] -= 1
    } else {
      positiveBins[bin] -= 1
      positives -= 1
    }
    events -= 1
    if scale == .probability {
      let loss = ProbabilityLoss(Double(score), isPositive: !label)
      // Rounding must not leave less than nothing.
      logLossSum = max(0, logLossSum - loss.logLoss)
      squaredErrorSum = max(0, squaredErrorSum - loss.squaredError)
    }
    add(score: score, label: label)
  }

  /// Mean log loss in nats, probabilities clipped to [10⁻⁷, 1 − 10⁻⁷]; nil for other scores and
  /// without events.
  public var logLoss: Double? { mean(logLossSum) }

  /// Mean squared error of the probabilities, clipped likewise; nil where ``logLoss`` is.
  public var brierScore: Double? { mean(squaredErrorSum) }

  /// The area under the ROC curve of the binned scores; nil unless there are both classes.
  public var areaUnderROC: Double? {
    overPairs { positives, negatives, negativesBelow in positives * (negativesBelow + negatives / 2)
    }
  }

  /// How far ``areaUnderROC`` is from the exact area at most; nil where that is.
  public var areaUnderROCErrorBound: Double? {
    overPairs { positives, negatives, _ in positives * negatives / 2 }
  }

  /// Average precision by steps over the bins from the highest on; nil unless there are both
  /// classes.
  public var averagePrecision: Double? {
    if positives == 0 || positives == events { return nil }
    var hits = 0.0
    var alerts = 0.0
    var sum = 0.0
    for bin in (0..<ScoreBins.count).reversed() where positiveBins[bin] + negativeBins[bin] > 0 {
      hits += Double(positiveBins[bin])
      alerts += Double(positiveBins[bin] + negativeBins[bin])
      sum += Double(positiveBins[bin]) * (hits / alerts)
    }
    return sum / Double(positives)
  }

  private func mean(_ sum: Double) -> Double? {
    scale == .probability && events > 0 ? sum / Double(events) : nil
  }

  /// The sum over the bins divided by the number of pairs.
  private func overPairs(
    _ term: (_ positives: Double, _ negatives: Double, _ negativesBelow: Double) -> Double
  ) -> Double? {
    if positives == 0 || positives == events { return nil }
    var sum = 0.0
    var negativesBelow = 0.0
    for bin in 0..<ScoreBins.count {
      let negatives = Double(negativeBins[bin])
      sum += term(Double(positiveBins[bin]), negatives, negativesBelow)
      negativesBelow += negatives
    }
    return sum / (Double(positives) * Double(events - positives))
  }
}
