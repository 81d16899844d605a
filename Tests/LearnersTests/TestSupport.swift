import Learners
import LinearAlgebra

/// The generator of Golden/stream.py.
struct GoldenStream {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func uniform() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-53
  }

  mutating func normal() -> Double {
    var sum = 0.0
    for _ in 0..<12 { sum += uniform() }
    return sum - 6
  }

  /// Points of a mixture of round clusters.
  mutating func mixture(_ count: Int, centres: [[Double]], spreads: [Double]) -> [[Double]] {
    (0..<count).map { _ in
      let cluster = Int(uniform() * Double(centres.count))
      return centres[cluster].map { $0 + spreads[cluster] * normal() }
    }
  }
}

extension Learner {
  /// Learns rows in batches.
  mutating func learn(_ rows: [[Double]], labels: [Double] = [], batch: Int) {
    for start in stride(from: 0, to: rows.count, by: batch) {
      let end = min(start + batch, rows.count)
      learn(
        Matrix(rows: Array(rows[start..<end])),
        labels: labels.isEmpty ? [] : Array(labels[start..<end]), weights: [])
    }
  }
}

extension ModelParameters {
  /// Scores of rows, in one block.
  func scores(_ rows: [[Double]]) -> [Float] {
    var scores = [Float](repeating: .nan, count: rows.count)
    score(Matrix(rows: rows), into: &scores)
    return scores
  }
}

/// Area under the ROC curve; ties count half.
func auroc(_ scores: [Float], _ labels: [Double]) -> Double {
  let positives = scores.indices.filter { labels[$0] == 1 }.map { scores[$0] }
  let negatives = scores.indices.filter { labels[$0] == 0 }.map { scores[$0] }
  var wins = 0.0
  for positive in positives {
    for negative in negatives {
      wins += positive > negative ? 1 : positive == negative ? 0.5 : 0
    }
  }
  return wins / Double(positives.count * negatives.count)
}

/// Spearman's rank correlation.
func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double {
  func ranks(_ values: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: values.count)
    let order = values.indices.sorted { values[$0] < values[$1] }
    for (rank, index) in order.enumerated() { result[index] = Double(rank) }
    return result
  }
  let (x, y) = (ranks(a), ranks(b))
  let mean = Double(a.count - 1) / 2
  var xy = 0.0
  var xx = 0.0
  for index in a.indices {
    xy += (x[index] - mean) * (y[index] - mean)
    xx += (x[index] - mean) * (x[index] - mean)
  }
  return xy / xx
}
