extension ScoreRanking {
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
      // Below the last positive nothing changes either sum.
      return hits < positiveKeys.count
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

  /// The highest recall of a threshold whose false-positive rate is at most each of `rates`; nil
  /// unless there are both classes.
  func recalls(atFalsePositiveRates rates: [Double]) -> [RecallAtRate] {
    rates.map { rate in
      guard !positiveKeys.isEmpty, !negativeKeys.isEmpty else {
        return RecallAtRate(falsePositiveRate: rate, recall: nil)
      }
      var hits = 0
      var falseAlarms = 0
      forEachTie { tiedPositives, tiedNegatives, _ in
        guard Double(falseAlarms + tiedNegatives) / Double(negativeKeys.count) <= rate else {
          return false
        }
        hits += tiedPositives
        falseAlarms += tiedNegatives
        return true
      }
      return RecallAtRate(
        falsePositiveRate: rate, recall: Double(hits) / Double(positiveKeys.count))
    }
  }

  // MARK: Calibration

  /// The lowest key of each bin of about the same number of events, rising. Tied scores share the
  /// bin that the lowest rank among them falls into, so there may be fewer bins.
  func equalMassEdges(bins: Int) -> [UInt32] {
    guard events > 0 else { return [] }
    var edges: [UInt32] = []
    var edge = [positiveKeys.first, negativeKeys.first].compactMap { $0 }.min()!
    while true {
      edges.append(edge)
      let before = positiveKeys.lowerBound(edge) + negativeKeys.lowerBound(edge)
      let bin = before * bins / events
      guard bin + 1 < bins else { return edges }
      // Where the next bin begins, by rank.
      let target = ((bin + 1) * events + bins - 1) / bins
      let last = key(atRank: target - 1)
      guard last < .max else { return edges }
      let positive = positiveKeys.lowerBound(last + 1)
      let negative = negativeKeys.lowerBound(last + 1)
      let next = [
        positive < positiveKeys.count ? positiveKeys[positive] : nil,
        negative < negativeKeys.count ? negativeKeys[negative] : nil,
      ].compactMap { $0 }.min()
      guard let next else { return edges }
      edge = next
    }
  }

  /// The key of a rank, counted from 0 at the lowest.
  private func key(atRank rank: Int) -> UInt32 {
    var low: UInt32 = 0
    var high = UInt32.max
    while low < high {
      let middle = low + (high - low) / 2
      let upTo =
        middle == .max
        ? events : positiveKeys.lowerBound(middle + 1) + negativeKeys.lowerBound(middle + 1)
      if upTo > rank { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// What falls into bins that begin at the edges; nothing lies below the first edge.
  func calibration(edges: [UInt32]) -> [CalibrationSum] {
    var sums = Array(repeating: CalibrationSum(), count: edges.count)
    func walk(_ keys: [UInt32], positive: Double) {
      var bin = 0
      for key in keys {
        while bin + 1 < edges.count && key >= edges[bin + 1] { bin += 1 }
        sums[bin].events += 1
        sums[bin].scores += Double(ScoreKey.score(key))
        sums[bin].positives += positive
      }
    }
    guard !edges.isEmpty else { return [] }
    walk(positiveKeys, positive: 1)
    walk(negativeKeys, positive: 0)
    return sums
  }
}

/// The contents of a calibration bin; adds up over days.
struct CalibrationSum {
  var events = 0.0
  var scores = 0.0
  var positives = 0.0
}

extension Sequence<CalibrationSum> {
  /// Σ nᵦ/n · |mean score − share of positives|; nil without events.
  var calibrationError: Double? {
    var events = 0.0
    var sum = 0.0
    for bin in self {
      events += bin.events
      sum += abs(bin.scores - bin.positives)
    }
    return events > 0 ? sum / events : nil
  }
}

extension Array<UInt32> {
  /// The number of elements below a value; the array is sorted.
  func lowerBound(_ value: UInt32) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
