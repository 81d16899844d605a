import LinearAlgebra

/// A forest as scoring walks it.
///
/// Every tree is completed to a common height: node i of a tree has the children 2i and 2i + 1, so
/// that a step is a comparison whose borrow is taken from twice the node. There is no branch to
/// mispredict, and all rows take equally many steps. An inner node is one word: in its lower half
/// the threshold, in its upper half where the rows' values of its feature lie. Values and thresholds
/// are keys: whole numbers in the order of the numbers they stand for.
///
/// Path lengths at the leaves are whole multiples of 2⁻²⁴ of the expected one, so that their sums
/// are exact, and the same in whatever order rows and trees are taken.
struct ForestLayout: Sendable {
  /// Trees of about the same depth.
  fileprivate struct Group: Sendable {
    let height: Int
    let treeCount: Int
    /// 2^``height`` a tree, the root at 1.
    var words: [UInt64]
    /// 2^``height`` a tree.
    var leaves: [UInt32]
  }

  /// Rows walked side by side, each waiting for its own memory.
  private static let lanes = 8
  /// Rows whose keys are made at a time, a multiple of ``lanes``.
  private static let block = 64
  private static let unit = 0x1p24
  /// Of one word a node, 8 bytes each and 4 for the leaf below it. Trees that grew on data have
  /// about as many nodes as their completion has.
  private static let mostWords = 1 << 22

  private let treeCount: Int
  /// Stands in for a missing value of a feature.
  private let typical: [Double]
  private let groups: [Group]

  /// The layout of trees of the same number of features, or nil if some are so much deeper than
  /// most of their leaves that completing them would take too much memory.
  init?(_ trees: [IsolationTree], typical: [Double]) {
    // Heights are even, as more and smaller groups cost more than a step does.
    let byHeight = Dictionary(grouping: trees) { ($0.depth + 1) & ~1 }
    let nodes = trees.reduce(0) { $0 + $1.nodeCount }
    var room = max(Self.mostWords, 8 * nodes)
    for (height, trees) in byHeight {
      guard height < 32, trees.count << height <= room else { return nil }
      room -= trees.count << height
    }
    treeCount = trees.count
    self.typical = typical
    groups = byHeight.keys.sorted().map { Self.group(byHeight[$0]!, height: $0) }
  }

  private static func group(_ trees: [IsolationTree], height: Int) -> Group {
    // Above every key, so that all rows go left.
    var words = [UInt64](repeating: UInt64(UInt32.max), count: trees.count << height)
    var leaves = [UInt32](repeating: 0, count: trees.count << height)
    for (index, tree) in trees.enumerated() {
      let start = index << height
      let expected = max(averagePathLength(tree.sampleSize), 1)
      var places = [UInt32](repeating: 1, count: tree.nodeCount)
      for (node, child) in tree.children.enumerated() {
        var place = Int(places[node])
        if child > 0 {
          words[start + place] =
            UInt64(tree.features[node]) * UInt64(lanes) << 32 | UInt64(key(tree.thresholds[node]))
          places[Int(child)] = UInt32(2 * place)
          places[Int(child) + 1] = UInt32(2 * place + 1)
        } else {
          // From a leaf above the last level rows go on to the left.
          while place >> height == 0 { place *= 2 }
          leaves[start + place - 1 << height] =
            UInt32((tree.values[node] / expected * unit).rounded())
        }
      }
    }
    return Group(height: height, treeCount: trees.count, words: words, leaves: leaves)
  }

  /// Hands each row's number and its path length, as a share of the expected one and averaged over
  /// the trees, to `body`, in the order of the rows.
  func forEachPath(_ features: Matrix, _ body: (Int, Double) -> Void) {
    let rows = features.rows
    let share = 1 / (Self.unit * Double(treeCount))
    // A few rows are walked one by one through several trees at a time.
    let oneByOne = rows < 4
    let capacity = oneByOne ? Self.lanes : min(Self.block, (rows + 7) & ~7)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: typical.count * capacity + 1) { keys in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: capacity) { sums in
        let keys = keys.baseAddress!
        for start in stride(from: 0, to: rows, by: oneByOne ? 1 : capacity) {
          let count = min(oneByOne ? 1 : capacity, rows - start)
          makeKeys(features, start: start, rows: count, into: keys)
          sums.update(repeating: 0)
          for group in groups {
            if oneByOne {
              sums[0] &+= group.path(keys)
            } else {
              group.addPaths(
                keys, eights: (count + 7) / Self.lanes, width: typical.count * Self.lanes,
                to: sums.baseAddress!)
            }
          }
          for row in 0..<count { body(start + row, Double(sums[row]) * share) }
        }
      }
    }
  }

  // MARK: Keys

  /// A whole number in the order of the numbers; that of −0 is that of 0.
  @inline(__always)
  private static func key(_ value: Float) -> UInt32 {
    let bits = Int32(bitPattern: (value + 0).bitPattern)
    return UInt32(bitPattern: bits ^ (bits >> 31 | .min))
  }

  /// Writes the keys of up to ``block`` rows: for each ``lanes`` rows all features, for each feature
  /// one key a row. Those of rows past the last one mean nothing.
  private func makeKeys(
    _ features: Matrix, start: Int, rows: Int, into keys: UnsafeMutablePointer<UInt32>
  ) {
    let step = features.stride
    let lanes = Self.lanes
    features.values.withUnsafeBufferPointer { values in
      typical.withUnsafeBufferPointer { typical in
        var target = keys
        for first in stride(from: 0, to: rows, by: lanes) {
          let width = min(lanes, rows &- first)
          for feature in 0..<typical.count {
            let source = feature &* step &+ start &+ first
            let usual = typical[feature]
            if width == lanes {
              for lane in 0..<lanes {
                let value = values[source &+ lane]
                target[lane] = Self.key(Float(value == value ? value : usual))
              }
            } else {
              for lane in 0..<width {
                let value = values[source &+ lane]
                target[lane] = Self.key(Float(value == value ? value : usual))
              }
              for lane in width..<lanes { target[lane] = 0 }
            }
            target += lanes
          }
        }
      }
    }
  }
}

// MARK: Walks

extension ForestLayout.Group {
  @inline(__always)
  private static func child(
    of node: Int, _ words: UnsafePointer<UInt64>, _ keys: UnsafePointer<UInt32>
  ) -> Int {
    let word = words[node]
    let key = keys[Int(word >> 32)]
    // Written as a subtraction, which compiles to that of a borrow; an addition becomes two more
    // instructions and needs more registers than there are.
    let goesLeft = key <= UInt32(truncatingIfNeeded: word)
    return (node &+ node &+ 1) &- Int(unsafeBitCast(goesLeft, to: UInt8.self))
  }

  /// Adds the path lengths of eight rows at a time, in all trees, to `sums`.
  ///
  /// - Parameter width: Number of keys of eight rows.
  fileprivate func addPaths(
    _ keys: UnsafePointer<UInt32>, eights: Int, width: Int, to sums: UnsafeMutablePointer<UInt64>
  ) {
    let size = 1 << height
    let levels = height
    words.withUnsafeBufferPointer { words in
      leaves.withUnsafeBufferPointer { leaves in
        var words = words.baseAddress!
        // The last level's nodes are numbered from `size` on.
        var leaves = leaves.baseAddress! - size
        for _ in 0..<treeCount {
          var keys = keys
          var sums = sums
          for _ in 0..<eights {
            var node0 = 1
            var node1 = 1
            var node2 = 1
            var node3 = 1
            var node4 = 1
            var node5 = 1
            var node6 = 1
            var node7 = 1
            for _ in 0..<levels {
              node0 = Self.child(of: node0, words, keys)
              node1 = Self.child(of: node1, words, keys + 1)
              node2 = Self.child(of: node2, words, keys + 2)
              node3 = Self.child(of: node3, words, keys + 3)
              node4 = Self.child(of: node4, words, keys + 4)
              node5 = Self.child(of: node5, words, keys + 5)
              node6 = Self.child(of: node6, words, keys + 6)
              node7 = Self.child(of: node7, words, keys + 7)
            }
            sums[0] &+= UInt64(leaves[node0])
            sums[1] &+= UInt64(leaves[node1])
            sums[2] &+= UInt64(leaves[node2])
            sums[3] &+= UInt64(leaves[node3])
            sums[4] &+= UInt64(leaves[node4])
            sums[5] &+= UInt64(leaves[node5])
            sums[6] &+= UInt64(leaves[node6])
            sums[7] &+= UInt64(leaves[node7])
            keys += width
            sums += 8
          }
          words += size
          leaves += size
        }
      }
    }
  }

  /// The sum of one row's path lengths in all trees.
  fileprivate func path(_ keys: UnsafePointer<UInt32>) -> UInt64 {
    words.withUnsafeBufferPointer { words in
      leaves.withUnsafeBufferPointer { leaves in
        let words = words.baseAddress!
        let leaves = leaves.baseAddress!
        // The usual heights as constants save a register a tree.
        return switch height {
        case 8: Self.path(keys, words, leaves, treeCount, height: 8)
        case 6: Self.path(keys, words, leaves, treeCount, height: 6)
        default: Self.path(keys, words, leaves, treeCount, height: height)
        }
      }
    }
  }

  @inline(__always)
  private static func path(
    _ keys: UnsafePointer<UInt32>, _ words: UnsafePointer<UInt64>, _ leaves: UnsafePointer<UInt32>,
    _ treeCount: Int, height: Int
  ) -> UInt64 {
    let size = 1 << height
    var words = words
    var leaves = leaves - size
    var result: UInt64 = 0
    let together = treeCount & ~7
    for _ in stride(from: 0, to: together, by: 8) {
      var node0 = 1
      var node1 = 1
      var node2 = 1
      var node3 = 1
      var node4 = 1
      var node5 = 1
      var node6 = 1
      var node7 = 1
      for _ in 0..<height {
        node0 = child(of: node0, words, keys)
        node1 = child(of: node1, words + size, keys)
        node2 = child(of: node2, words + 2 &* size, keys)
        node3 = child(of: node3, words + 3 &* size, keys)
        node4 = child(of: node4, words + 4 &* size, keys)
        node5 = child(of: node5, words + 5 &* size, keys)
        node6 = child(of: node6, words + 6 &* size, keys)
        node7 = child(of: node7, words + 7 &* size, keys)
      }
      result &+= UInt64(leaves[node0])
      result &+= UInt64(leaves[node1 &+ size])
      result &+= UInt64(leaves[node2 &+ 2 &* size])
      result &+= UInt64(leaves[node3 &+ 3 &* size])
      result &+= UInt64(leaves[node4 &+ 4 &* size])
      result &+= UInt64(leaves[node5 &+ 5 &* size])
      result &+= UInt64(leaves[node6 &+ 6 &* size])
      result &+= UInt64(leaves[node7 &+ 7 &* size])
      words += 8 &* size
      leaves += 8 &* size
    }
    for _ in together..<treeCount {
      var node = 1
      for _ in 0..<height { node = child(of: node, words, keys) }
      result &+= UInt64(leaves[node])
      words += size
      leaves += size
    }
    return result
  }
}
