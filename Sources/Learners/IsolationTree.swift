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
/// the left child when its feature is at most the threshold, to the right one otherwise.
public final class IsolationTree: Sendable {
  /// Larger depths are refused: nothing needs them and scoring walks every row to the full depth.
  public static let largestDepth = 64

  /// Identity of the tree: another tree of the same learner never has the same.
  public let serial: UInt64
  /// Rows that the tree was grown on.
  public let sampleSize: Int
  /// Features that the rows had.
  public var featureCount: Int { typical.count }
  /// Median of each feature over the rows that the tree was grown on.
  public let typical: [Double]
  /// c(rows that reached the node) for every node, see ``averagePathLength(_:)``.
  public let values: [Double]
  /// Length of the longest path from the root to a leaf.
  public let depth: Int

  /// Nodes as they are walked. A leaf leads back to itself, so that every row can be walked to the
  /// same depth without a branch.
  let nodes: [Node]
  /// For every leaf (depth + c(rows)) ÷ c(``sampleSize``), 0 for inner nodes.
  let leafScores: [Double]

  struct Node: Sendable, Equatable {
    var threshold: Double
    var feature: UInt32
    /// The left child; the right one follows.
    var child: UInt32
  }

  /// A tree from its nodes, one element a node in each of the four arrays.
  ///
  /// - Parameters:
  ///   - serial: Identity.
  ///   - sampleSize: Rows that the tree was grown on, at least 1.
  ///   - typical: Median of each feature.
  ///   - features: Feature that an inner node splits; ignored at a leaf.
  ///   - thresholds: Where it splits; ignored at a leaf.
  ///   - children: Left child of an inner node, the right child being the next node; 0 at a leaf.
  ///   - values: c(rows that reached the node).
  /// - Throws: ``InvalidTree`` unless the nodes form one tree and all numbers are in range.
  public init(
    serial: UInt64, sampleSize: Int, typical: [Double], features: [UInt32], thresholds: [Double],
    children: [UInt32], values: [Double]
  ) throws(InvalidTree) {
    let count = features.count
    guard count > 0, count <= 1 << 24, thresholds.count == count, children.count == count,
      values.count == count
    else { throw InvalidTree("the arrays of nodes are empty, too long or differ in length") }
    guard sampleSize >= 1, sampleSize <= 1 << 24 else {
      throw InvalidTree("the sample size is out of range")
    }
    guard typical.allSatisfy(\.isFinite) else {
      throw InvalidTree("a typical value is not finite")
    }
    var depths = [Int](repeating: -1, count: count)
    depths[0] = 0
    var nodes: [Node] = []
    nodes.reserveCapacity(count)
    var leafScores = [Double](repeating: 0, count: count)
    var deepest = 0
    let whole = max(averagePathLength(sampleSize), 1)
    for index in 0..<count {
      let depth = depths[index]
      // Children follow their parent, so a node that no one has claimed by now never will be.
      guard depth >= 0 else { throw InvalidTree("node \(index) has no parent") }
      guard values[index].isFinite, values[index] >= 0 else {
        throw InvalidTree("the value of node \(index) is out of range")
      }
      let child = Int(children[index])
      if child == 0 {
        nodes.append(Node(threshold: .infinity, feature: 0, child: UInt32(index)))
        leafScores[index] = (Double(depth) + values[index]) / whole
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
      // +0 for −0, which scoring relies on.
      let threshold = thresholds[index] == 0 ? 0 : thresholds[index]
      nodes.append(Node(threshold: threshold, feature: features[index], child: children[index]))
    }
    self.serial = serial
    self.sampleSize = sampleSize
    self.typical = typical
    self.values = values
    self.nodes = nodes
    self.leafScores = leafScores
    depth = deepest
  }

  /// Nodes of the tree.
  public var nodeCount: Int { nodes.count }

  /// Feature that each inner node splits, 0 at a leaf.
  public var features: [UInt32] { nodes.map(\.feature) }

  /// Threshold of each inner node, 0 at a leaf.
  public var thresholds: [Double] { nodes.map { $0.threshold == .infinity ? 0 : $0.threshold } }

  /// Left child of each inner node, 0 at a leaf.
  public var children: [UInt32] {
    nodes.map { $0.threshold == .infinity ? 0 : $0.child }
  }

  /// Path length of a row: edges to its leaf, and c of the rows that share the leaf.
  public func pathLength(of row: [Double]) -> Double {
    precondition(row.count == featureCount, "shapes do not fit")
    var index = 0
    var edges = 0
    while nodes[index].threshold != .infinity {
      let node = nodes[index]
      index = Int(node.child) + (row[Int(node.feature)] > node.threshold ? 1 : 0)
      edges += 1
    }
    return Double(edges) + values[index]
  }
}

extension IsolationTree: Equatable {
  /// Whether both have the same serial and the same content.
  public static func == (left: IsolationTree, right: IsolationTree) -> Bool {
    left.serial == right.serial && left.sampleSize == right.sampleSize
      && left.typical == right.typical && left.nodes == right.nodes && left.values == right.values
  }
}
