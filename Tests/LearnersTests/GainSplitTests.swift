import Foundation
import Learners
import LinearAlgebra
import Testing

/// The splits of trees by gain against a plain search for the best one.
@Suite struct GainSplitTests {
  /// Tables of one feature that a tree is grown on as a whole: of few rows and of many, continuous
  /// and with values that repeat, near and far from 0.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func treesByGainSplitWhereAPlainSearchDoes(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    for count in [2, 3, 4, 7, 8, 9, 15, 16, 17, 32, 33, 63, 64, 65, 127, 128, 250, 600, 1_500] {
      let shape = random.below(4)
      let values = (0..<count).map { row -> Float in
        let value = random.uniform()
        return switch shape {
        case 0: Float(value)
        case 1: Float((8 * value).rounded())
        case 2: Float(1_000 + value * value * value)
        default: Float(row < 3 ? 50 + value : -log(1 - value))
        }
      }
      guard Set(values).count > 1 else { continue }
      let best = [true, false].map { bestThresholds(values.sorted(), pooled: $0) }
      let options = IsolationForestOptions(
        trees: 6, sampleSize: 2 * count, gainShare: 1, reservoirSize: 4_096)
      let forest = try #require(
        IsolationForest.fit(Matrix(rows: values.map { [Double($0)] }), options: options, seed: seed)
      )
      for tree in forest.trees {
        #expect(
          best.contains { $0.contains(tree.thresholds[0]) },
          "seed \(seed), \(count) rows of shape \(shape): \(tree.thresholds[0]), not \(best)")
      }
    }
  }

  /// Where the standard deviations of both sides are least, on average or weighted by the rows, if a
  /// value may have been rounded to a multiple of the smallest step; several if they hardly differ.
  private func bestThresholds(_ sorted: [Float], pooled: Bool) -> Set<Float> {
    let values = sorted.map(Double.init)
    let step = zip(values, values.dropFirst()).map { $1 - $0 }.filter { $0 > 0 }.min() ?? 0
    func deviation(_ side: ArraySlice<Double>) -> Double {
      let mean = side.reduce(0, +) / Double(side.count)
      let variance = side.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(side.count)
      return (variance + step * step / 12).squareRoot()
    }
    let costs = (1..<values.count).filter { values[$0 - 1] < values[$0] }.map { place in
      let (below, above) = (values[..<place], values[place...])
      let (shareBelow, shareAbove) =
        pooled
        ? (Double(below.count) / Double(values.count), Double(above.count) / Double(values.count))
        : (0.5, 0.5)
      return (place, shareBelow * deviation(below) + shareAbove * deviation(above))
    }
    let least = costs.map(\.1).min() ?? 0
    return Set(
      costs.filter { $0.1 < least * (1 + 1e-6) }.map { place, _ in
        let middle = Float((values[place - 1] + values[place]) / 2)
        return middle < sorted[place] ? middle : sorted[place - 1]
      })
  }
}
