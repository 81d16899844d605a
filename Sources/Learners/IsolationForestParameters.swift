import Glibc
import LinearAlgebra

/// An isolation forest: an event is suspicious when few random cuts set it apart.
///
/// The score is 2^(−E[h ÷ c(ψ)]) with h the path length in a tree and ψ the sample that this tree
/// was grown on, averaged over the trees (Liu, Ting and Zhou, "Isolation Forest", 2008, equation 2).
/// With one ψ for all trees that is the equation as printed; while a forest is young its trees may
/// differ in ψ.
public struct IsolationForestParameters: ModelParameters, Equatable {
  /// Family of the model.
  public static let kind = ModelKind.isolationForest

  /// Sample size to which path lengths are referred in ``contributions(row:of:)``.
  public let sampleSize: Int
  /// At least one tree, all of the same number of features.
  public let trees: [IsolationTree]

  /// A forest.
  ///
  /// - Throws: ``InvalidTree`` without trees, with trees of different numbers of features, or with a
  ///   sample size below 2.
  public init(sampleSize: Int, trees: [IsolationTree]) throws(InvalidTree) {
    guard sampleSize >= 2 else { throw InvalidTree("the sample size is out of range") }
    guard let first = trees.first else { throw InvalidTree("a forest needs a tree") }
    guard trees.allSatisfy({ $0.featureCount == first.featureCount }) else {
      throw InvalidTree("the trees differ in their number of features")
    }
    self.sampleSize = sampleSize
    self.trees = trees
  }

  /// Number of features.
  public var featureCount: Int { trees[0].featureCount }

  /// Always true: a tree cannot be made of anything else.
  public var isFinite: Bool { true }

  /// Always 0: cuts between values that were seen, and path lengths.
  public var largestMagnitude: Double { 0 }

  /// Writes one score a row, see ``ModelParameters/score(_:into:)``.
  public func score(_ features: Matrix, into scores: inout [Float]) {
    precondition(
      features.columns == featureCount && scores.count >= features.rows, "shapes do not fit")
    let block = 64
    let rows = features.rows
    let step = features.stride
    let inverse = -1 / Double(trees.count)
    // The sums stay on the stack, in the order of the trees whatever the size of the block.
    withUnsafeTemporaryAllocation(of: Double.self, capacity: block) { sums in
      features.values.withUnsafeBufferPointer { values in
        for start in stride(from: 0, to: rows, by: block) {
          let count = min(block, rows - start)
          for row in 0..<count { sums[row] = 0 }
          for tree in trees { tree.add(values, stride: step, start: start, rows: count, to: sums) }
          for row in 0..<count { scores[start + row] = Float(exp2(sums[row] * inverse)) }
        }
      }
    }
  }

  /// Contributions in path length: each split on the way down credits its feature with
  /// c(rows at the parent) − 1 − c(rows at the child), the amount by which the path became shorter
  /// than expected, averaged over the trees. They add up to c(ψ) − E[h] with ψ the
  /// ``sampleSize``, to which trees grown on fewer rows are scaled; the score is
  /// 2^(sum ÷ c(ψ) − 1). Typical is the median, averaged over the trees.
  public func contributions(row: Int, of features: Matrix) -> [Contribution] {
    precondition(features.columns == featureCount, "shapes do not fit")
    var result = (0..<featureCount).map {
      Contribution(feature: $0, contribution: 0, typical: 0)
    }
    let share = 1 / Double(trees.count)
    for tree in trees {
      let factor =
        share * averagePathLength(sampleSize) / max(averagePathLength(tree.sampleSize), 1)
      var index = 0
      while tree.nodes[index].threshold != .infinity {
        let node = tree.nodes[index]
        let feature = Int(node.feature)
        let child = Int(node.child) + (features[row, feature] > node.threshold ? 1 : 0)
        result[feature].contribution += factor * (tree.values[index] - 1 - tree.values[child])
        index = child
      }
      for feature in result.indices { result[feature].typical += share * tree.typical[feature] }
    }
    return result
  }
}

extension IsolationTree {
  /// Adds the normalised path length of rows `start ..< start + rows` to `sums`.
  ///
  /// - Parameters:
  ///   - values: Values of a ``Matrix`` with ``featureCount`` columns.
  ///   - step: Its stride.
  @inline(__always)
  fileprivate func add(
    _ values: UnsafeBufferPointer<Double>, stride step: Int, start: Int, rows: Int,
    to sums: UnsafeMutableBufferPointer<Double>
  ) {
    let depth = depth
    nodes.withUnsafeBufferPointer { nodes in
      leafScores.withUnsafeBufferPointer { leafScores in
        // Eight rows at a time keep the processor busy while each waits for its next node.
        let whole = rows & ~7
        for row in Swift.stride(from: 0, to: whole, by: 8) {
          let first = start &+ row
          var node0 = 0
          var node1 = 0
          var node2 = 0
          var node3 = 0
          var node4 = 0
          var node5 = 0
          var node6 = 0
          var node7 = 0
          for _ in 0..<depth {
            node0 = Self.child(nodes[node0], values, step, first)
            node1 = Self.child(nodes[node1], values, step, first &+ 1)
            node2 = Self.child(nodes[node2], values, step, first &+ 2)
            node3 = Self.child(nodes[node3], values, step, first &+ 3)
            node4 = Self.child(nodes[node4], values, step, first &+ 4)
            node5 = Self.child(nodes[node5], values, step, first &+ 5)
            node6 = Self.child(nodes[node6], values, step, first &+ 6)
            node7 = Self.child(nodes[node7], values, step, first &+ 7)
          }
          sums[row] += leafScores[node0]
          sums[row &+ 1] += leafScores[node1]
          sums[row &+ 2] += leafScores[node2]
          sums[row &+ 3] += leafScores[node3]
          sums[row &+ 4] += leafScores[node4]
          sums[row &+ 5] += leafScores[node5]
          sums[row &+ 6] += leafScores[node6]
          sums[row &+ 7] += leafScores[node7]
        }
        for row in whole..<rows {
          var node = 0
          for _ in 0..<depth { node = Self.child(nodes[node], values, step, start &+ row) }
          sums[row] += leafScores[node]
        }
      }
    }
  }

  /// Where a row goes from a node.
  @inline(__always)
  private static func child(
    _ node: Node, _ values: UnsafeBufferPointer<Double>, _ step: Int, _ row: Int
  ) -> Int {
    let value = values[Int(node.feature) &* step &+ row]
    // The sign of the difference is the comparison: a comparison proper becomes a branch that is
    // mispredicted half the time. Equal values give +0, the threshold never being −0.
    return Int(node.child) &+ Int((node.threshold - value).bitPattern >> 63)
  }
}
