/// Intervals of figures by resampling days with replacement (Efron, 1979; Cameron, Gelbach, Miller,
/// 2008, for clusters): events of one day are not independent, days nearly are.
///
/// Each day is kept as counts by class over bins of scores, and as sums. A resample adds up the
/// days it drew; its ranks come from the bins, whose edges are quantiles of the positives' scores.
/// Up to 512 distinct scores of positives the bins are exact; beyond, a bin's events count as tied,
/// and the interval is shifted by what that moves the figure of the days as they are.
struct DayBootstrap {
  private static let exactPositives = 512
  private static let bins = 512
  /// More days than this get wider bins, so that memory stays bounded.
  private static let cells = 1 << 19

  private let isProbability: Bool
  private let dayCount: Int
  /// The lowest key of each bin but the first, which reaches down to the lowest score.
  private let edges: [UInt32]
  private let calibrationEdges: [UInt32]
  /// A day's positives by bin, then its negatives; day after day.
  private var counts: [Float] = []
  /// A day's sums; see `Sum`.
  private var sums: [Double] = []
  private var sumCount = 0

  /// The places of the sums that every day has; calibration and cards follow.
  private enum Sum: Int, CaseIterable {
    case events, correct, logLoss, squaredError, cost
    case thresholdPositives, thresholdAlerts, thresholdHits
    case budgetPositives, budgetAlerts, budgetHits
  }

  init(_ whole: ScoreRanking, days: Int, isProbability: Bool) {
    self.isProbability = isProbability
    dayCount = days
    var edges: [UInt32] = []
    func add(_ key: UInt32) { if key > edges.last ?? 0 { edges.append(key) } }
    let keys = whole.positiveKeys
    let distinct = keys.indices.count { $0 == 0 || keys[$0] != keys[$0 - 1] }
    let most = min(Self.bins, max(64, Self.cells / max(days, 1)))
    if distinct <= min(Self.exactPositives, most) {
      for key in keys {
        add(key)
        if key < .max { add(key + 1) }
      }
    } else {
      for bin in 0..<most { add(keys[bin * keys.count / most]) }
    }
    self.edges = edges
    calibrationEdges =
      isProbability ? whole.equalMassEdges(bins: ModelEvaluation.calibrationBins) : []
  }

  private var bins: Int { edges.count + 1 }

  /// Adds the next day.
  mutating func add(_ ranking: ScoreRanking, _ tally: DayTally, cards: [Double?]) {
    let start = counts.count
    counts.append(contentsOf: repeatElement(0, count: 2 * bins))
    func walk(_ keys: [UInt32], from start: Int) {
      var bin = 0
      for key in keys {
        while bin < edges.count && key >= edges[bin] { bin += 1 }
        counts[start + bin] += 1
      }
    }
    walk(ranking.positiveKeys, from: start)
    walk(ranking.negativeKeys, from: start + bins)
    let before = sums.count
    for sum in Sum.allCases {
      switch sum {
      case .events: sums.append(Double(tally.events))
      case .correct: sums.append(Double(tally.correct))
      case .logLoss: sums.append(tally.logLoss)
      case .squaredError: sums.append(tally.squaredError)
      case .cost: sums.append(tally.cost)
      case .thresholdPositives: sums.append(Double(tally.atThreshold.positives))
      case .thresholdAlerts: sums.append(Double(tally.atThreshold.alerts))
      case .thresholdHits: sums.append(Double(tally.atThreshold.truePositives))
      case .budgetPositives: sums.append(Double(tally.atBudget.positives))
      case .budgetAlerts: sums.append(Double(tally.atBudget.alerts))
      case .budgetHits: sums.append(Double(tally.atBudget.truePositives))
      }
    }
    for bin in ranking.calibration(edges: calibrationEdges) {
      sums += [bin.events, bin.scores, bin.positives]
    }
    for card in cards { sums += [card ?? 0, card == nil ? 0 : 1] }
    sumCount = sums.count - before
  }

  /// Intervals of the figures that the days as they are have.
  func intervals(of figures: Figures, options: FigureOptions) -> [FigureName: FigureInterval] {
    let names = figures.names.filter { figures[$0] != nil }
    let asTheyAre = estimates(Array(repeating: 1, count: dayCount), names, options)
    var samples = Array(repeating: [Double](), count: names.count)
    var generator = ResamplingGenerator(seed: options.seed)
    var drawn = [Int](repeating: 0, count: dayCount)
    for _ in 0..<options.resamples {
      for day in drawn.indices { drawn[day] = 0 }
      for _ in 0..<dayCount { drawn[generator.below(dayCount)] += 1 }
      for (index, value) in estimates(drawn, names, options).enumerated() {
        if let value { samples[index].append(value) }
      }
    }
    var result: [FigureName: FigureInterval] = [:]
    for (index, name) in names.enumerated() {
      guard let value = figures[name], let binned = asTheyAre[index], !samples[index].isEmpty
      else { continue }
      let sorted = samples[index].sorted()
      func bound(_ share: Double) -> Double {
        let shifted = sorted.quantile(share) + (value - binned)
        return name.isShare ? min(max(shifted, 0), 1) : shifted
      }
      result[name] = FigureInterval(low: bound(0.025), high: bound(0.975))
    }
    return result
  }

  /// The figures of the days, each counted so many times.
  private func estimates(
    _ drawn: [Int], _ names: [FigureName], _ options: FigureOptions
  ) -> [Double?] {
    var binned = [Float](repeating: 0, count: 2 * bins)
    var total = [Double](repeating: 0, count: sumCount)
    for day in drawn.indices where drawn[day] > 0 {
      Self.add(counts, day, times: Float(drawn[day]), to: &binned)
      for place in 0..<sumCount {
        total[place] += Double(drawn[day]) * sums[day * sumCount + place]
      }
    }
    func sum(_ sum: Sum) -> Double { total[sum.rawValue] }
    func quotient(_ part: Double, _ whole: Double) -> Double? { whole > 0 ? part / whole : nil }
    let ranks = BinnedRanks(binned, bins: bins, falsePositiveRates: options.falsePositiveRates)
    let calibration = Sum.allCases.count
    let cards = calibration + 3 * calibrationEdges.count
    return names.map { name in
      switch name {
      case .areaUnderROC: return ranks.areaUnderROC
      case .averagePrecision: return ranks.averagePrecision
      case .logLoss: return quotient(sum(.logLoss), sum(.events))
      case .brierScore: return quotient(sum(.squaredError), sum(.events))
      case .accuracy: return quotient(sum(.correct), sum(.events))
      case .calibrationError:
        return calibrationEdges.indices.map { bin in
          let place = calibration + 3 * bin
          return CalibrationSum(
            events: total[place], scores: total[place + 1], positives: total[place + 2])
        }.calibrationError
      case .thresholdPrecision: return quotient(sum(.thresholdHits), sum(.thresholdAlerts))
      case .thresholdRecall: return quotient(sum(.thresholdHits), sum(.thresholdPositives))
      case .thresholdF1:
        return quotient(
          2 * sum(.thresholdHits), sum(.thresholdAlerts) + sum(.thresholdPositives))
      case .budgetPrecision: return quotient(sum(.budgetHits), sum(.budgetAlerts))
      case .budgetRecall: return quotient(sum(.budgetHits), sum(.budgetPositives))
      case .budgetF1:
        return quotient(2 * sum(.budgetHits), sum(.budgetAlerts) + sum(.budgetPositives))
      case .recall(let rate):
        return options.falsePositiveRates.firstIndex(of: rate).flatMap { ranks.recalls[$0] }
      case .cardPrecision(let k):
        let place = options.cards?.k.firstIndex(of: k)
        return place.flatMap { quotient(total[cards + 2 * $0], total[cards + 2 * $0 + 1]) }
      case .cost: return sum(.cost)
      }
    }
  }

  /// Adds a day's counts; the one loop that a resample spends its time in.
  private static func add(
    _ counts: [Float], _ day: Int, times factor: Float, to binned: inout [Float]
  ) {
    let width = binned.count
    counts.withUnsafeBufferPointer { counts in
      let source = UnsafeBufferPointer(rebasing: counts[day * width..<(day + 1) * width])
      binned.withUnsafeMutableBufferPointer { target in
        for place in 0..<width { target[place] += factor * source[place] }
      }
    }
  }
}

/// Figures of rank from counts by bin, the events of a bin being tied.
private struct BinnedRanks {
  private(set) var areaUnderROC: Double?
  private(set) var averagePrecision: Double?
  /// One a rate; within a bin recall rises in proportion.
  private(set) var recalls: [Double?]

  init(_ counts: [Float], bins: Int, falsePositiveRates rates: [Double]) {
    var positives = 0.0
    var negatives = 0.0
    for bin in 0..<bins {
      positives += Double(counts[bin])
      negatives += Double(counts[bins + bin])
    }
    recalls = rates.map { _ in nil }
    guard positives > 0, negatives > 0 else { return }
    var wins = 0.0
    var precisions = 0.0
    var hits = 0.0
    var falseAlarms = 0.0
    for bin in (0..<bins).reversed() {
      let positivesHere = Double(counts[bin])
      let negativesHere = Double(counts[bins + bin])
      guard positivesHere + negativesHere > 0 else { continue }
      for (index, rate) in rates.enumerated() where recalls[index] == nil {
        let room = rate * negatives - falseAlarms
        guard negativesHere > room else { continue }
        recalls[index] = (hits + positivesHere * room / negativesHere) / positives
      }
      hits += positivesHere
      falseAlarms += negativesHere
      wins += positivesHere * (negatives - falseAlarms + negativesHere / 2)
      precisions += positivesHere * (hits / (hits + falseAlarms))
    }
    for index in rates.indices where recalls[index] == nil { recalls[index] = 1 }
    areaUnderROC = wins / (positives * negatives)
    averagePrecision = precisions / positives
  }
}

/// SplitMix64 (Steele, Lea, Flood, 2014): resamples follow from the seed alone.
struct ResamplingGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number in 0..<bound, each as likely but for 2⁻³².
  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return Int((mixed ^ mixed >> 31).multipliedFullWidth(by: UInt64(bound)).high)
  }
}

extension Array<Double> {
  /// A quantile of a sorted array that is not empty, between neighbours in proportion.
  func quantile(_ share: Double) -> Double {
    let place = share * Double(count - 1)
    let below = Int(place)
    let above = Swift.min(below + 1, count - 1)
    return self[below] + (self[above] - self[below]) * (place - Double(below))
  }
}
