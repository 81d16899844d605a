extension ScoreSummary {
  /// The areas under the ROC curve and the precision-recall steps; nil unless there are both
  /// classes.
  func areas() -> (underROC: Double, averagePrecision: Double)? {
    if positiveKeys.isEmpty || negativeKeys.isEmpty { return nil }
    // Twice the pairs a positive wins, ties counting one: an integer, so nothing is rounded.
    var doubledWins = 0
    var precisionSum = 0.0
    var hits = 0
    var falseAlarms = 0
    forEachTie { tiedPositives, tiedNegatives, _ in
      let negativesBelow = negativeKeys.count - falseAlarms - tiedNegatives
      doubledWins += tiedPositives * (2 * negativesBelow + tiedNegatives)
      hits += tiedPositives
      falseAlarms += tiedNegatives
      precisionSum += Double(tiedPositives) * (Double(hits) / Double(hits + falseAlarms))
      return true
    }
    let doubledPairs = 2 * Double(positiveKeys.count) * Double(negativeKeys.count)
    return (Double(doubledWins) / doubledPairs, precisionSum / Double(positiveKeys.count))
  }

  /// The score at which a number of alerts is reached, and what lies above it; nil for no alerts.
  ///
  /// - Precondition: there are at least as many events.
  func cut(alerts: Int) -> (key: UInt32, eventsAbove: Int, positivesAbove: Int)? {
    if alerts == 0 { return nil }
    var result = (key: UInt32.max, eventsAbove: 0, positivesAbove: 0)
    forEachTie { tiedPositives, tiedNegatives, key in
      result.key = key
      if result.eventsAbove + tiedPositives + tiedNegatives >= alerts { return false }
      result.eventsAbove += tiedPositives + tiedNegatives
      result.positivesAbove += tiedPositives
      return true
    }
    return result
  }

  /// Walks down the distinct scores, until the body says false.
  @inline(__always)
  private func forEachTie(_ body: (_ positives: Int, _ negatives: Int, _ key: UInt32) -> Bool) {
    var positive = positiveKeys.count
    var negative = negativeKeys.count
    while positive > 0 || negative > 0 {
      let key: UInt32
      if negative == 0 {
        key = positiveKeys[positive - 1]
      } else if positive == 0 {
        key = negativeKeys[negative - 1]
      } else {
        key = max(positiveKeys[positive - 1], negativeKeys[negative - 1])
      }
      let positiveEnd = positive
      let negativeEnd = negative
      while positive > 0 && positiveKeys[positive - 1] == key { positive -= 1 }
      while negative > 0 && negativeKeys[negative - 1] == key { negative -= 1 }
      if !body(positiveEnd - positive, negativeEnd - negative, key) { return }
    }
  }
}
