/// Why arrays are not an isolation tree.
public struct InvalidTree: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong, as one sentence.
  public var description: String

  init(_ description: String) {
    self.description = description
  }
}

/// One tree of an isolation forest, immutable.
///
/// Node 0 is the root; the children of an inner node lie next to each other after it. A row goes to
/// the left child when its feature, rounded to `Float`, is at most the threshold, to the right one
/// otherwise. A missing value, NaN, counts as the feature's typical one.
public final class IsolationTree: Sendable {
  /// Larger depths are refused: nothing needs them.
  public static let largestDepth = 64
  /// The largest expected path length that is accepted; c(2²⁴) is 33.
  static let largestValue = 250.0

  /// Identity of the tree: another tree of the same learner never has the same.
  public let serial: UInt64
  /// Rows that the tree was grown on.
  public let sampleSize: Int
  /// Features that the rows had.
  public var featureCount: Int { typical.count }
  /// Median of each feature over the rows that the tree was grown on.
  public let typical: [Double]
  /// Nodes of the tree.
  public var nodeCount: Int { features.count }
  /// Feature that each inner node splits, 0 at a leaf.
  public let features: [UInt32]
  /// Threshold of each inner node, 0 at a leaf.
  public let thresholds: [Float]
  /// Left child of each inner node, 0 at a leaf.
  public let children: [UInt32]
  /// Path length that is expected of a row that has reached the node: at a leaf its path length.
  public let values: [Double]
  /// Edges of the longest path from the root to a leaf.
  public let depth: Int

  /// A tree from its nodes, one element a node in each of the four arrays.
  ///
  /// - Parameters:
  ///   - serial: Identity.
  ///   - sampleSize: Rows that the tree was grown on, at least 1.
  ///   - typical: Median of each feature.
  ///   - features: Feature that an inner node splits; ignored at a leaf.
  ///   - thresholds: Where it splits; ignored at a leaf.
  ///   - children: Left child of an inner node, the right child being the next node; 0 at a leaf.
  ///   - values: Expected path length of a row that has reached the node.
  /// - Throws: ``InvalidTree`` unless the nodes form one tree and all numbers are in range.
  public init(
    serial: UInt64, sampleSize: Int, typical: [Double], features: [UInt32], thresholds: [Float],
    children: [UInt32], values: [Double]
  ) throws(InvalidTree) {
    let count = features.count
    guard count > 0, count <= 1 << 24, thresholds.count == count, children.count == count,
      values.count == count
    else { throw InvalidTree("the arrays of nodes are empty, too long or differ in length") }
    guard sampleSize >= 1, sampleSize <= 1 << 24 else {
      throw InvalidTree("the sample size is out of range")
    }
    guard typical.count <= 1 << 24, typical.allSatisfy(\.isFinite) else {
      throw InvalidTree("a typical value is not finite, or there are too many")
    }
    var depths = [Int8](repeating: -1, count: count)
    depths[0] = 0
    var deepest: Int8 = 0
    var features = features
    var thresholds = thresholds
    for index in 0..<count {
      let depth = depths[index]
      // Children follow their parent, so a node that no one has claimed by now never will be.
      guard depth >= 0 else { throw InvalidTree("node \(index) has no parent") }
      guard values[index] >= 0, values[index] <= Self.largestValue else {
        throw InvalidTree("the value of node \(index) is out of range")
      }
      let child = Int(children[index])
      if child == 0 {
        features[index] = 0
        thresholds[index] = 0
        deepest = max(deepest, depth)
        continue
      }
      guard child > index, child + 1 < count else {
        throw InvalidTree("a child of node \(index) is out of range")
      }
      guard depths[child] < 0, depths[child + 1] < 0 else {
        throw InvalidTree("a child of node \(index) has two parents")
      }
      guard Int(features[index]) < typical.count else {
        throw InvalidTree("the feature of node \(index) is out of range")
      }
      guard thresholds[index].isFinite else {
        throw InvalidTree("the threshold of node \(index) is not finite")
      }
      guard depth < Self.largestDepth else { throw InvalidTree("the tree is too deep") }
      depths[child] = depth + 1
      depths[child + 1] = depth + 1
    }
    self.serial = serial
    self.sampleSize = sampleSize
    self.typical = typical
    self.features = features
    self.thresholds = thresholds
    self.children = children
    self.values = values
    depth = Int(deepest)
  }

  /// Path length of a row.
  public func pathLength(of row: [Double]) -> Double {
    precondition(row.count == featureCount, "shapes do not fit")
    return values[
      leaf {
        row[$0]
      } typical: {
        typical[$0]
      }]
  }

  /// The leaf that a row comes to.
  ///
  /// - Parameters:
  ///   - value: The row's value of a feature.
  ///   - typical: What stands in for a missing one.
  ///   - visit: Is told parent, child and feature of every edge on the way.
  @inline(__always)
  func leaf(
    _ value: (Int) -> Double, typical: (Int) -> Double,
    visit: (Int, Int, Int) -> Void = { _, _, _ in }
  ) -> Int {
    var node = 0
    while children[node] > 0 {
      let feature = Int(features[node])
      let seen = value(feature)
      let goesRight = Float(seen.isNaN ? typical(feature) : seen) > thresholds[node]
      let child = Int(children[node]) + (goesRight ? 1 : 0)
      visit(node, child, feature)
      node = child
    }
    return node
  }
}

extension IsolationTree: Equatable {
  /// Whether both have the same serial and the same content.
  public static func == (left: IsolationTree, right: IsolationTree) -> Bool {
    left.serial == right.serial && left.sampleSize == right.sampleSize
      && left.typical == right.typical && left.features == right.features
      && left.thresholds == right.thresholds && left.children == right.children
      && left.values == right.values
  }
}
