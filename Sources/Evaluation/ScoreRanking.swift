/// Scores by class as sorted keys: what every figure of rank follows from.
struct ScoreRanking {
  /// Rising after ``rank()``.
  private(set) var positiveKeys: [UInt32] = []
  private(set) var negativeKeys: [UInt32] = []
  private var scratch: [UInt32] = []

  var events: Int { positiveKeys.count + negativeKeys.count }
  var positives: Int { positiveKeys.count }

  mutating func removeAll() {
    positiveKeys.removeAll(keepingCapacity: true)
    negativeKeys.removeAll(keepingCapacity: true)
  }

  /// Adds a score that is not NaN.
  @inline(__always)
  mutating func add(_ score: Float, isPositive: Bool) {
    if isPositive {
      positiveKeys.append(ScoreKey.key(score))
    } else {
      negativeKeys.append(ScoreKey.key(score))
    }
  }

  /// Adds all of another's scores.
  mutating func add(_ other: Self) {
    positiveKeys.append(contentsOf: other.positiveKeys)
    negativeKeys.append(contentsOf: other.negativeKeys)
  }

  /// Sorts the keys; everything else needs that.
  mutating func rank() {
    ScoreKey.sort(&positiveKeys, scratch: &scratch)
    ScoreKey.sort(&negativeKeys, scratch: &scratch)
  }

  /// Walks down the distinct scores, until the body says false.
  @inline(__always)
  func forEachTie(_ body: (_ positives: Int, _ negatives: Int, _ key: UInt32) -> Bool) {
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
