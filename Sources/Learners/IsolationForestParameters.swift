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
  /// For every feature the median of the trees' medians, which a missing value counts as.
  public let typical: [Double]
  /// How the forest is scored, unless it is too deep for it.
  private let layout: ForestLayout?

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
    typical = first.typical.indices.map { feature in
      var medians = trees.map { $0.typical[feature] }
      return upperMedian(&medians)
    }
    layout = ForestLayout(trees, typical: typical)
  }

  /// Whether both are the same forest.
  public static func == (left: Self, right: Self) -> Bool {
    left.sampleSize == right.sampleSize && left.trees == right.trees
  }

  /// Number of features.
  public var featureCount: Int { trees[0].featureCount }

  /// Always true: a tree cannot be made of anything else.
  public var isFinite: Bool { true }

  /// Always 0: cuts between values that were seen, and path lengths.
  public var largestMagnitude: Double { 0 }

  /// Writes one score a row, see ``ModelParameters/score(_:into:)``. A missing value, NaN, counts as
  /// the feature's ``typical`` one.
  public func score(_ features: Matrix, into scores: inout [Float]) {
    precondition(
      features.columns >= featureCount && scores.count >= features.rows, "shapes do not fit")
    if let layout {
      layout.forEachPath(features) { row, path in scores[row] = Float(exp2(-path)) }
    } else {
      for row in 0..<features.rows {
        let paths = trees.reduce(0) { sum, tree in
          let leaf = tree.leaf {
            features[row, $0]
          } typical: {
            typical[$0]
          }
          return sum + tree.values[leaf] / max(averagePathLength(tree.sampleSize), 1)
        }
        scores[row] = Float(exp2(-paths / Double(trees.count)))
      }
    }
  }

  /// Contributions in path length: each split on the way down credits its feature with what the
  /// expected path length lost by it, averaged over the trees. They add up to c(ψ) − E[h] with ψ the
  /// ``sampleSize``, to which trees grown on fewer rows are scaled; the score is
  /// 2^(sum ÷ c(ψ) − 1).
  public func contributions(row: Int, of features: Matrix) -> [Contribution] {
    precondition(
      features.columns >= featureCount && features.rows > row && row >= 0, "shapes do not fit")
    let expected = averagePathLength(sampleSize)
    if let layout { return layout.contributions(row: row, of: features, expected: expected) }
    var result = (0..<featureCount).map {
      Contribution(feature: $0, contribution: 0, typical: typical[$0])
    }
    for tree in trees {
      let factor =
        expected / (max(averagePathLength(tree.sampleSize), 1) * Double(trees.count))
      _ = tree.leaf {
        features[row, $0]
      } typical: {
        typical[$0]
      } visit: { parent, child, feature in
        result[feature].contribution += factor * (tree.values[parent] - tree.values[child])
      }
    }
    return result
  }
}
