import Foundation
import Learners
import LinearAlgebra
import Testing

/// Scores and contributions of forests that were not grown on anything.
@Suite struct ForestLayoutTests {
  /// Trees of all shapes and depths, small forests and large, and values on and beside thresholds.
  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func layoutScoresAndExplainsLikeAPlainWalk(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    for round in 0..<12 {
      let features = 1 + random.below(6)
      let deepest = [0, 1, 3, 8, 9, 20][random.below(6)]
      let trees = try (0..<1 + random.below(20)).map { serial in
        try randomTree(
          serial: UInt64(serial), features: features, depth: deepest, chain: round % 3 == 0,
          &random)
      }
      let parameters = try IsolationForestParameters(sampleSize: 64, trees: trees)
      let rows = (0..<70).map { _ in
        (0..<features).map { _ in
          random.below(20) == 0 ? .nan : Double(Self.grid[random.below(Self.grid.count)])
        }
      }
      let expected = rows.map { row in
        let filled = zip(row, parameters.typical).map { $0.isNaN ? $1 : $0 }
        let paths = trees.map {
          $0.pathLength(of: filled) / max(averagePathLength($0.sampleSize), 1)
        }
        return exp2(-paths.reduce(0, +) / Double(trees.count))
      }
      let scores = parameters.scores(rows)
      let block = Matrix(rows: rows)
      for (index, row) in rows.enumerated() {
        let contributions = parameters.contributions(row: index, of: block)
        let walked = walkedContributions(row, parameters)
        #expect(contributions.map(\.feature) == Array(0..<features))
        #expect(contributions.map(\.typical) == parameters.typical)
        #expect(
          zip(contributions, walked).allSatisfy { abs($0.contribution - $1) < 1e-9 },
          "seed \(seed), round \(round), row \(index)")
        #expect(
          abs(Double(scores[index]) - expected[index]) < 2e-7,
          "seed \(seed), round \(round), row \(index)")
        #expect(
          parameters.scores([row]) == [scores[index]],
          "seed \(seed), round \(round), row \(index)")
      }
    }
  }

  /// What each feature takes off the path, by a walk over the published arrays.
  private func walkedContributions(
    _ row: [Double], _ forest: IsolationForestParameters
  ) -> [Double] {
    var result = forest.typical.map { _ in 0.0 }
    let whole = averagePathLength(forest.sampleSize) / Double(forest.trees.count)
    for tree in forest.trees {
      var node = 0
      while tree.children[node] > 0 {
        let feature = Int(tree.features[node])
        let value = row[feature].isNaN ? forest.typical[feature] : row[feature]
        let child = Int(tree.children[node]) + (Float(value) > tree.thresholds[node] ? 1 : 0)
        result[feature] +=
          whole * (tree.values[node] - tree.values[child])
          / max(averagePathLength(tree.sampleSize), 1)
        node = child
      }
    }
    return result
  }

  /// Values and thresholds that meet often, −0 and both extremes among them.
  private static let grid: [Float] =
    (-8...8).map { Float($0) / 4 } + [
      -0.0, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
      -.leastNonzeroMagnitude,
    ]

  /// A tree in which each node splits with probability 0.8, or only one of each pair does.
  private func randomTree(
    serial: UInt64, features: Int, depth: Int, chain: Bool, _ random: inout RandomSource
  ) throws -> IsolationTree {
    var (splits, thresholds, children) = ([UInt32(0)], [Float(0)], [UInt32(0)])
    var depths = [0]
    var index = 0
    while index < splits.count {
      let splitsOn = chain ? index % 2 == 0 : random.uniform() < 0.8
      if splitsOn, depths[index] < depth, splits.count < 400 {
        splits[index] = UInt32(random.below(features))
        thresholds[index] = Self.grid[random.below(Self.grid.count)]
        children[index] = UInt32(splits.count)
        splits += [0, 0]
        thresholds += [0, 0]
        children += [0, 0]
        depths += [depths[index] + 1, depths[index] + 1]
      }
      index += 1
    }
    return try IsolationTree(
      serial: serial, sampleSize: 1 + random.below(300),
      typical: (0..<features).map { _ in random.uniform() }, features: splits,
      thresholds: thresholds, children: children,
      values: splits.map { _ in 12 * random.uniform() })
  }
}
