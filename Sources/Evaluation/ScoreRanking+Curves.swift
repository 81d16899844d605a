extension ScoreRanking {
  /// The pictures of these scores.
  func curves(isProbability: Bool) -> ScoreCurves {
    let (roc, precisionRecall) = curvePoints()
    var calibration: [ScoreCurves.CalibrationBin] = []
    if isProbability {
      calibration = self.calibration(edges: equalMassEdges(bins: 20)).map {
        .init(
          meanScore: $0.scores / $0.events, positiveShare: $0.positives / $0.events,
          events: Int($0.events))
      }
    }
    return ScoreCurves(
      roc: roc, precisionRecall: precisionRecall, calibration: calibration,
      histogram: histogram(isProbability: isProbability))
  }

  private func curvePoints() -> (
    roc: [ScoreCurves.CurvePoint], precisionRecall: [ScoreCurves.CurvePoint]
  ) {
    guard !positiveKeys.isEmpty, !negativeKeys.isEmpty else { return ([], []) }
    // Steps that leave at most 200 points with both ends.
    let rocStep = 1.0 / 98
    let recallStep = 1.0 / 198
    var roc = [ScoreCurves.CurvePoint(x: 0, y: 0)]
    var precisionRecall: [ScoreCurves.CurvePoint] = []
    var hits = 0
    var falseAlarms = 0
    forEachTie { tiedPositives, tiedNegatives, _ in
      hits += tiedPositives
      falseAlarms += tiedNegatives
      let recall = Double(hits) / Double(positiveKeys.count)
      let rate = Double(falseAlarms) / Double(negativeKeys.count)
      let isLast = hits + falseAlarms == events
      if isLast || recall - roc.last!.y >= rocStep || rate - roc.last!.x >= rocStep {
        roc.append(.init(x: rate, y: recall))
      }
      if hits > 0, isLast || recall - (precisionRecall.last?.x ?? -1) >= recallStep {
        precisionRecall.append(.init(x: recall, y: Double(hits) / Double(hits + falseAlarms)))
      }
      return true
    }
    return (roc, precisionRecall)
  }

  private func histogram(isProbability: Bool) -> ScoreCurves.ScoreHistogram {
    let bins = 40
    var low = 0.0
    var high = 1.0
    if !isProbability {
      let finite = [positiveKeys, negativeKeys].flatMap { keys in
        [
          keys.first { ScoreKey.score($0).isFinite }, keys.last { ScoreKey.score($0).isFinite },
        ].compactMap { $0 }
      }
      low = Double(finite.min().map(ScoreKey.score) ?? 0)
      high = Double(finite.max().map(ScoreKey.score) ?? 0)
      if high == low { high = low + 1 }
    }
    guard events > 0 else { return .init(edges: [], negatives: [], positives: []) }
    func counts(_ keys: [UInt32]) -> [Int] {
      var counts = [Int](repeating: 0, count: bins)
      let scale = Double(bins) / (high - low)
      for key in keys {
        let place = (Double(ScoreKey.score(key)) - low) * scale
        counts[Int(min(max(place, 0), Double(bins - 1)))] += 1
      }
      return counts
    }
    return .init(
      edges: (0...bins).map { low + (high - low) * Double($0) / Double(bins) },
      negatives: counts(negativeKeys), positives: counts(positiveKeys))
  }
}
