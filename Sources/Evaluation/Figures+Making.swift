extension Figures {
  /// Puts the figures of some rows together.
  init(
    _ ranking: ScoreRanking, _ tally: DayTally, isProbability: Bool, options: FigureOptions,
    hasThreshold: Bool, cardPrecision: [CardPrecision]
  ) {
    let count = Double(tally.events)
    let hasLoss = isProbability && tally.events > 0
    let areas = ranking.areas()
    let edges = hasLoss ? ranking.equalMassEdges(bins: ModelEvaluation.calibrationBins) : []
    self.init(
      events: tally.events, unscored: tally.unscored, positives: tally.positives,
      areaUnderROC: areas?.underROC, averagePrecision: areas?.averagePrecision,
      logLoss: hasLoss ? tally.logLoss / count : nil,
      brierScore: hasLoss ? tally.squaredError / count : nil,
      accuracy: hasLoss ? Double(tally.correct) / count : nil,
      calibrationError: ranking.calibration(edges: edges).calibrationError,
      atThreshold: hasThreshold ? tally.atThreshold : nil,
      atBudget: options.budget == nil ? nil : tally.atBudget,
      recallAtFalsePositiveRate: ranking.recalls(
        atFalsePositiveRates: options.falsePositiveRates),
      cardPrecision: cardPrecision, cost: options.costs == nil ? nil : tally.cost)
  }
}
