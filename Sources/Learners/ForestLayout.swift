import LinearAlgebra

/// A forest as scoring walks it.
///
/// Every tree is completed to a common height. The roots of n trees are numbered from n on, and node
/// i has the children 2i and 2i + 1, so that a step is a comparison whose borrow is taken from twice
/// the node. There is no branch to mispredict, and all rows take equally many steps. An inner node is
/// one word: in its lower half the threshold, in its upper half where the rows' values of its feature
/// lie. Values and thresholds are keys: whole numbers in the order of the numbers they stand for.
///
/// Path lengths at the leaves are whole multiples of 2⁻²⁴ of the expected one, so that their sums
/// are exact, and the same in whatever order rows and trees are taken.
struct ForestLayout: Sendable {
  /// Trees of about the same depth.
  fileprivate struct Group: Sendable {
    let height: Int
    let treeCount: Int
    /// 2^``height`` a tree, from node 0 on.
    var words: [UInt64]
    /// 2^``height`` a tree, from the first node of the last level on.
    var leaves: [UInt32]
    /// By how much the expected path length falls from a node's parent to it, twice as many.
    var falls: [Int64]
  }

  /// Rows walked side by side, each waiting for its own memory.
  private static let lanes = 8
  /// Rows whose keys are made at a time, a multiple of ``lanes``.
  private static let block = 64
  private static let unit = 0x1p24
  /// In place of ``unit`` for explanations, which are told with more digits.
  private static let fineUnit = 0x1p40
  /// Of one word a node, 8 bytes each and 20 for what is at and below it. Trees that grew on data
  /// have about as many nodes as their completion has.
  private static let mostWords = 1 << 21

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
    // Nodes are numbered in 32 bits.
    var room = min(max(Self.mostWords, 8 * nodes), 1 << 31)
    for (height, trees) in byHeight {
      guard height < 32, trees.count << height <= room else { return nil }
      room -= trees.count << height
    }
    treeCount = trees.count
    self.typical = typical
    groups = byHeight.keys.sorted().map { Self.group(byHeight[$0]!, height: $0) }
  }

  private static func group(_ trees: [IsolationTree], height: Int) -> Group {
    let size = trees.count << height
    // Above every key, so that all rows go left.
    var words = [UInt64](repeating: UInt64(UInt32.max), count: size)
    var leaves = [UInt32](repeating: 0, count: size)
    var falls = [Int64](repeating: 0, count: 2 * size)
    let features = trees.first?.featureCount ?? 0
    var idle = 0
    for (index, tree) in trees.enumerated() {
      let expected = max(averagePathLength(tree.sampleSize), 1)
      var places = [UInt32](repeating: UInt32(trees.count + index), count: tree.nodeCount)
      for (node, child) in tree.children.enumerated() {
        var place = Int(places[node])
        if child > 0 {
          words[place] = word(tree.features[node], key(tree.thresholds[node]))
          for side in 0...1 {
            let next = Int(child) + side
            places[next] = UInt32(2 * place + side)
            falls[2 * place + side] =
              Int64(((tree.values[node] - tree.values[next]) / expected * fineUnit).rounded())
          }
        } else {
          // From a leaf above the last level rows go on to the left, whatever the feature: each in
          // turn, as additions to the same one would wait for each other.
          while place < size {
            words[place] = word(UInt32(idle), .max)
            idle = idle + 1 < features ? idle + 1 : 0
            place *= 2
          }
          leaves[place - size] = UInt32((tree.values[node] / expected * unit).rounded())
        }
      }
    }
    return Group(
      height: height, treeCount: trees.count, words: words, leaves: leaves, falls: falls)
  }

  private static func word(_ feature: UInt32, _ threshold: UInt32) -> UInt64 {
    UInt64(feature) * UInt64(lanes) << 32 | UInt64(threshold)
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

  /// What each feature took off a row's path lengths, averaged over the trees.
  ///
  /// - Parameter expected: The expected path length that those of all trees are scaled to.
  func contributions(row: Int, of features: Matrix, expected: Double) -> [Contribution] {
    let count = typical.count
    let share = expected / (Self.fineUnit * Double(treeCount))
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count * Self.lanes + 1) {
      keys in
      withUnsafeTemporaryAllocation(of: Int64.self, capacity: count * Self.lanes + 1) { sums in
        makeKeys(features, start: row, rows: 1, into: keys.baseAddress!)
        sums.initialize(repeating: 0)
        for group in groups { group.addFalls(keys.baseAddress!, to: sums.baseAddress!) }
        return typical.indices.map { feature in
          let sum = (0..<Self.lanes).reduce(0) { $0 &+ sums[feature &* Self.lanes &+ $1] }
          return Contribution(
            feature: feature, contribution: Double(sum) * share, typical: typical[feature])
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
              target.initialize(repeating: 0, count: lanes)
              for lane in 0..<width {
                let value = values[source &+ lane]
                target[lane] = Self.key(Float(value == value ? value : usual))
              }
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
    let levels = height
    let roots = treeCount..<2 * treeCount
    words.withUnsafeBufferPointer { words in
      leaves.withUnsafeBufferPointer { leaves in
        let words = words.baseAddress!
        let leaves = leaves.baseAddress! - treeCount << height
        for root in roots {
          var keys = keys
          var sums = sums
          for _ in 0..<eights {
            var node0 = root
            var node1 = root
            var node2 = root
            var node3 = root
            var node4 = root
            var node5 = root
            var node6 = root
            var node7 = root
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
        }
      }
    }
  }

  /// The sum of one row's path lengths in all trees.
  fileprivate func path(_ keys: UnsafePointer<UInt32>) -> UInt64 {
    words.withUnsafeBufferPointer { words in
      leaves.withUnsafeBufferPointer { leaves in
        let words = words.baseAddress!
        let leaves = leaves.baseAddress! - treeCount << height
        var result: UInt64 = 0
        walkDown {
          result &+= UInt64(leaves[$0])
        } step: { node, _ in
          Self.child(of: node, words, keys)
        }
        return result
      }
    }
  }

  /// Adds what each feature took off one row's path lengths in all trees to `sums`, which has
  /// ``lanes`` for each feature: trees walked side by side do not wait for each other's additions.
  fileprivate func addFalls(_ keys: UnsafePointer<UInt32>, to sums: UnsafeMutablePointer<Int64>) {
    words.withUnsafeBufferPointer { words in
      falls.withUnsafeBufferPointer { falls in
        let words = words.baseAddress!
        let falls = falls.baseAddress!
        walkDown { _ in
        } step: { node, lane in
          let next = Self.child(of: node, words, keys)
          sums[Int(words[node] >> 32) &+ lane] &+= falls[next]
          return next
        }
      }
    }
  }

  /// Walks down all trees, eight side by side.
  ///
  /// - Parameters:
  ///   - visit: Gets the leaf that each tree ends in.
  ///   - step: From a node to its child, in one of the trees side by side.
  @inline(__always)
  private func walkDown(_ visit: (_ leaf: Int) -> Void, step: (_ node: Int, _ lane: Int) -> Int) {
    let levels = height
    let together = 2 &* treeCount &- treeCount & 7
    for root in stride(from: treeCount, to: together, by: 8) {
      var node0 = root
      var node1 = root &+ 1
      var node2 = root &+ 2
      var node3 = root &+ 3
      var node4 = root &+ 4
      var node5 = root &+ 5
      var node6 = root &+ 6
      var node7 = root &+ 7
      for _ in 0..<levels {
        node0 = step(node0, 0)
        node1 = step(node1, 1)
        node2 = step(node2, 2)
        node3 = step(node3, 3)
        node4 = step(node4, 4)
        node5 = step(node5, 5)
        node6 = step(node6, 6)
        node7 = step(node7, 7)
      }
      visit(node0)
      visit(node1)
      visit(node2)
      visit(node3)
      visit(node4)
      visit(node5)
      visit(node6)
      visit(node7)
    }
    for root in together..<2 &* treeCount {
      var node = root
      for _ in 0..<levels { node = step(node, 0) }
      visit(node)
    }
  }
}
