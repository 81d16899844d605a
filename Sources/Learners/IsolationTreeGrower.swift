/// Grows isolation trees until a node holds one row, its rows are equal, or the depth reaches
/// ⌈log2 ψ⌉, a level less in a tree by gain.
///
/// A random tree splits by a random feature that still varies, at a uniform threshold (Liu, Ting and
/// Zhou, "Isolation Forest", 2008, algorithm 2) that lies between its least and largest value or a
/// little beyond. Nothing of the sample lies beyond: that leaf is for what is yet to come, which a
/// tree that never saw it would otherwise take for the nearest row that it did see. A tree by gain
/// splits where that leaves two nodes that vary little, see ``chooseByGain(_:_:_:)``.
struct IsolationTreeGrower {
  /// The rows to draw from, row-major. What is missing, NaN, counts as the median.
  private let table: [Float]
  /// Median of each feature.
  private let typical: [Double]
  let featureCount: Int
  private let margin: Double
  /// Where the rows of the sample begin in the table, permuted so that those of a node lie together.
  var order: [Int]
  /// Features, permuted while looking for one that varies.
  var candidates: [Int32]

  /// Values of a node in order, and behind them what fills up the room for it, for
  /// ``chooseByGain(_:_:_:)``.
  var sorted: [Float] = []
  /// Sums of the values before each place, less the least.
  var sums: [Double] = []
  /// Sums of their squares.
  var squares: [Double] = []
  /// Memory for putting them in order.
  var spare: [SIMD4<Float>] = []
  /// Features that were tried at a node, for the same.
  var tried: [Int32] = []

  private var features: [UInt32] = []
  private var thresholds: [Float] = []
  private var children: [UInt32] = []
  private var values: [Double] = []

  /// A tree's medians come from so many of its rows: a forest takes the median of many trees'.
  private static let medianRows = 15
  /// Room for them to be put in order, see ``putInOrder(_:count:spare:)``.
  private static let medianRoom = 16

  private struct Pending {
    var node: Int
    var start: Int
    var end: Int
    var depth: Int
  }

  /// A grower on rows of a table, at least one.
  ///
  /// - Parameters:
  ///   - table: The table, row-major, none of it infinite.
  ///   - slots: Numbers of the rows, in random order.
  ///   - featureCount: Columns of the table.
  ///   - margin: See ``IsolationForestOptions/margin``.
  init(_ table: [Float], slots: ArraySlice<Int32>, featureCount: Int, margin: Double) {
    self.table = table
    self.margin = margin
    self.featureCount = featureCount
    order = slots.map { Int($0) * featureCount }
    candidates = (0..<Int32(featureCount)).map { $0 }
    var known = [Float](repeating: 0, count: Self.medianRoom)
    var typical: [Double] = []
    typical.reserveCapacity(featureCount)
    for feature in 0..<featureCount {
      var count = 0
      for start in order {
        let value = table[start + feature]
        known[count] = value
        if value == value { count += 1 }
        if count == Self.medianRows { break }
      }
      for place in count..<Self.medianRoom { known[place] = .infinity }
      putInOrder(&known, count: Self.medianRoom, spare: &spare)
      typical.append(count == 0 ? 0 : Double(known[count / 2]))
    }
    self.typical = typical
  }

  /// The tree.
  mutating func grow(
    serial: UInt64, byGain: Bool, random: inout RandomSource
  ) -> IsolationTree {
    let rows = order.count
    let levels = rows > 1 ? Int.bitWidth - (rows - 1).leadingZeroBitCount : 0
    let limit = byGain ? max(levels - 1, 1) : levels
    addNode(rows: rows, depth: 0)
    var pending = [Pending(node: 0, start: 0, end: rows, depth: 0)]
    while let next = pending.popLast() {
      guard next.depth < limit, next.end - next.start > 1,
        let (feature, threshold) = byGain
          ? chooseByGain(next.start, next.end, &random)
          : chooseAtRandom(next.start, next.end, &random)
      else { continue }
      let middle = partition(next.start, next.end, feature, threshold)
      let left = features.count
      features[next.node] = UInt32(feature)
      thresholds[next.node] = threshold
      children[next.node] = UInt32(left)
      addNode(rows: middle - next.start, depth: next.depth + 1)
      addNode(rows: next.end - middle, depth: next.depth + 1)
      pending.append(
        Pending(node: left + 1, start: middle, end: next.end, depth: next.depth + 1))
      pending.append(Pending(node: left, start: next.start, end: middle, depth: next.depth + 1))
    }
    do {
      return try IsolationTree(
        serial: serial, sampleSize: rows, typical: typical, features: features,
        thresholds: thresholds, children: children, values: values)
    } catch {
      preconditionFailure("a grown tree is a valid one: \(error)")
    }
  }

  private mutating func addNode(rows: Int, depth: Int) {
    features.append(0)
    thresholds.append(0)
    children.append(0)
    values.append(Double(depth) + averagePathLength(rows))
  }

  /// A feature drawn from those that vary among the rows, and a threshold.
  private mutating func chooseAtRandom(
    _ start: Int, _ end: Int, _ random: inout RandomSource
  ) -> (feature: Int, threshold: Float)? {
    var left = featureCount
    while left > 0 {
      let pick = random.below(left)
      let feature = Int(candidates[pick])
      let (least, largest) = range(of: feature, start, end)
      if least < largest {
        let share = random.uniform()
        let span = Double(largest) - Double(least)
        let threshold = Double(least) + span * (share * (1 + 2 * margin) - margin)
        return (feature, Self.finite(threshold))
      }
      left -= 1
      candidates.swapAt(pick, left)
    }
    return nil
  }

  private static func finite(_ value: Double) -> Float {
    let most = Double(Float.greatestFiniteMagnitude)
    return Float(max(-most, min(most, value)))
  }

  private func range(of feature: Int, _ start: Int, _ end: Int) -> (Float, Float) {
    let usual = Float(typical[feature])
    return table.withUnsafeBufferPointer { table in
      order.withUnsafeBufferPointer { order in
        var least = Float.infinity
        var largest = -Float.infinity
        for position in start..<end {
          let seen = table[order[position] + feature]
          let value = seen == seen ? seen : usual
          least = value < least ? value : least
          largest = value > largest ? value : largest
        }
        return (least, largest)
      }
    }
  }

  /// Moves the rows at most the threshold to the front; returns where the others begin.
  private mutating func partition(
    _ start: Int, _ end: Int, _ feature: Int, _ threshold: Float
  ) -> Int {
    let usual = Float(typical[feature])
    return table.withUnsafeBufferPointer { table in
      order.withUnsafeMutableBufferPointer { order in
        var middle = start
        for position in start..<end {
          let row = order[position]
          let seen = table[row + feature]
          // Swapped in any case, which takes no branch.
          order[position] = order[middle]
          order[middle] = row
          middle += (seen == seen ? seen : usual) <= threshold ? 1 : 0
        }
        return middle
      }
    }
  }

  /// Copies a feature's values among the rows to ``sorted``, in the order of the rows.
  mutating func gather(_ feature: Int, _ start: Int, _ end: Int) {
    let usual = Float(typical[feature])
    table.withUnsafeBufferPointer { table in
      order.withUnsafeBufferPointer { order in
        sorted.withUnsafeMutableBufferPointer { sorted in
          for place in 0..<end - start {
            let value = table[order[start + place] + feature]
            sorted[place] = value == value ? value : usual
          }
        }
      }
    }
  }
}
