/// What one pass over scores and labels gathers.
struct ScoreSummary {
  private let isProbability: Bool
  private var unscored = 0
  private var correct = 0
  private var logLossSum = 0.0
  private var squaredErrorSum = 0.0
  /// Keys of the scores by class; sorted by ``rank()``.
  private(set) var positiveKeys: [UInt32] = []
  private(set) var negativeKeys: [UInt32] = []
  private var scratch: [UInt32] = []

  init(isProbability: Bool) {
    self.isProbability = isProbability
  }

  var events: Int { positiveKeys.count + negativeKeys.count }
  var positives: Int { positiveKeys.count }

  mutating func removeAll() {
    unscored = 0
    correct = 0
    logLossSum = 0
    squaredErrorSum = 0
    positiveKeys.removeAll(keepingCapacity: true)
    negativeKeys.removeAll(keepingCapacity: true)
  }

  mutating func add(_ score: Float, isPositive: Bool) {
    if score.isNaN {
      unscored += 1
      return
    }
    if isPositive {
      positiveKeys.append(ScoreKey.key(score))
    } else {
      negativeKeys.append(ScoreKey.key(score))
    }
    if isProbability {
      let loss = ProbabilityLoss(Double(score), isPositive: isPositive)
      logLossSum += loss.logLoss
      squaredErrorSum += loss.squaredError
      if (score >= 0.5) == isPositive { correct += 1 }
    }
  }

  /// Sorts the keys, which ``areas()`` and ``cut(alerts:)`` need.
  mutating func rank() {
    ScoreKey.sort(&positiveKeys, scratch: &scratch)
    ScoreKey.sort(&negativeKeys, scratch: &scratch)
  }

  /// The figures of what was added; call ``rank()`` before.
  func figures(atBudget: DetectionFigures?) -> Figures {
    let count = Double(events)
    let hasLoss = isProbability && events > 0
    let areas = areas()
    return Figures(
      events: events, unscored: unscored, positives: positives,
      areaUnderROC: areas?.underROC, averagePrecision: areas?.averagePrecision,
      logLoss: hasLoss ? logLossSum / count : nil,
      brierScore: hasLoss ? squaredErrorSum / count : nil,
      accuracy: hasLoss ? Double(correct) / count : nil,
      atBudget: atBudget)
  }
}
