import Evaluation

/// A data set and what scikit-learn says of it.
struct GoldenCase: Sendable {
  let name: String
  let scores: [Float]
  let labels: [Int]
  let areaUnderROC: Double
  let averagePrecision: Double
  let logLoss: Double
  let brierScore: Double
  let accuracy: Double
  let precision: Double
  let recall: Double
  let f1: Double
  let calibrationError: Double
  /// At the false-positive rates 0.001, 0.01 and 0.05.
  let recalls: [Double]
}

/// Scores of cards over some days and their Card Precision@5 and @20, day by day.
struct GoldenCards: Sendable {
  let days: [Int32]
  let cards: [UInt32]
  let scores: [Float]
  let labels: [Int]
  let precision5: [Double]
  let precision20: [Double]
}

/// SplitMix64, so that a seed gives the same test everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}

/// The share of pairs that the positive wins, counted pair by pair.
func bruteForceAUROC(_ scores: [Float], _ labels: [Bool]) -> Double? {
  var doubledWins = 0
  var pairs = 0
  for (one, isPositive) in labels.enumerated() where isPositive {
    for (other, otherIsPositive) in labels.enumerated() where !otherIsPositive {
      pairs += 1
      if scores[one] > scores[other] { doubledWins += 2 }
      if scores[one] == scores[other] { doubledWins += 1 }
    }
  }
  return pairs == 0 ? nil : Double(doubledWins) / (2 * Double(pairs))
}

/// Average precision threshold by threshold, each counted anew.
func bruteForceAveragePrecision(_ scores: [Float], _ labels: [Bool]) -> Double? {
  let positives = labels.count { $0 }
  if positives == 0 || positives == labels.count { return nil }
  var sum = 0.0
  var recall = 0.0
  for threshold in Set(scores).sorted(by: >) {
    let flagged = labels.indices.filter { scores[$0] >= threshold }
    let hits = flagged.count { labels[$0] }
    let reached = Double(hits) / Double(positives)
    sum += (reached - recall) * Double(hits) / Double(flagged.count)
    recall = reached
  }
  return sum
}

/// A table of one model on one day.
func table(
  _ scores: [Float], _ labels: [Bool], isProbability: Bool = true, days: [Int32]? = nil
) -> EvaluationTable {
  var table = EvaluationTable(models: [ModelColumn(name: "model", isProbability: isProbability)])
  for (index, score) in scores.enumerated() {
    table.append(
      scores: [score], decision: .none, label: labels[index], day: days.map { $0[index] } ?? 0)
  }
  return table
}

func isClose(_ one: Double?, _ other: Double?, within tolerance: Double = 1e-12) -> Bool {
  switch (one, other) {
  case (nil, nil): true
  case (let one?, let other?): abs(one - other) <= tolerance
  default: false
  }
}
