/// Grows isolation trees (Liu, Ting and Zhou, "Isolation Forest", 2008, algorithm 2): a random
/// feature that still varies, a uniform threshold between its least and largest value, until a node
/// holds one row, its rows are equal, or the depth reaches ⌈log2 ψ⌉.
struct IsolationTreeGrower {
  /// The sample, column by column, finite.
  private let sample: [Float]
  /// Median of each feature.
  private let typical: [Double]
  private let rows: Int
  private let featureCount: Int
  /// Rows of the sample, permuted so that those of a node lie together.
  private var order: [Int32]
  /// Features, permuted while looking for one that varies.
  private var candidates: [Int32]

  private var features: [UInt32] = []
  private var thresholds: [Float] = []
  private var children: [UInt32] = []
  private var values: [Double] = []

  /// A tree's medians come from so many of its rows: a forest takes the median of many trees'.
  private static let medianRows = 63

  private struct Pending {
    var node: Int
    var start: Int
    var end: Int
    var depth: Int
  }

  /// A grower on `rows` rows, at least one, of a sample in random order, stored column by column.
  /// What is missing in it, NaN, is taken to be the feature's median.
  init(sample: [Float], rows: Int, featureCount: Int) {
    self.rows = rows
    self.featureCount = featureCount
    order = (0..<Int32(rows)).map { $0 }
    candidates = (0..<Int32(featureCount)).map { $0 }
    var sample = sample
    typical = (0..<featureCount).map { feature in
      let column = feature * rows..<(feature + 1) * rows
      var known: [Float] = []
      known.reserveCapacity(Self.medianRows)
      for value in sample[column] where !value.isNaN {
        known.append(value)
        if known.count == Self.medianRows { break }
      }
      let median = known.isEmpty ? 0 : upperMedian(&known)
      for index in column where sample[index].isNaN { sample[index] = median }
      return Double(median)
    }
    self.sample = sample
  }

  /// The tree.
  mutating func grow(serial: UInt64, random: inout RandomSource) -> IsolationTree {
    let limit = rows > 1 ? Int.bitWidth - (rows - 1).leadingZeroBitCount : 0
    addNode(rows: rows, depth: 0)
    var pending = [Pending(node: 0, start: 0, end: rows, depth: 0)]
    while let next = pending.popLast() {
      guard next.depth < limit, next.end - next.start > 1,
        let (feature, threshold) = chooseSplit(next.start, next.end, &random)
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

  /// A feature drawn from those that vary among the rows, and a threshold that parts them.
  private mutating func chooseSplit(
    _ start: Int, _ end: Int, _ random: inout RandomSource
  ) -> (feature: Int, threshold: Float)? {
    var left = featureCount
    while left > 0 {
      let pick = random.below(left)
      let feature = Int(candidates[pick])
      let (least, largest) = range(of: feature, start, end)
      if least < largest {
        let share = random.uniform()
        let threshold = Float(Double(least) + (Double(largest) - Double(least)) * share)
        return (feature, threshold >= least && threshold < largest ? threshold : least)
      }
      left -= 1
      candidates.swapAt(pick, left)
    }
    return nil
  }

  private func range(of feature: Int, _ start: Int, _ end: Int) -> (Float, Float) {
    let offset = feature * rows
    return sample.withUnsafeBufferPointer { sample in
      order.withUnsafeBufferPointer { order in
        var least = sample[offset + Int(order[start])]
        var largest = least
        for position in start + 1..<end {
          let value = sample[offset + Int(order[position])]
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
    let offset = feature * rows
    var middle = start
    for position in start..<end where sample[offset + Int(order[position])] <= threshold {
      order.swapAt(position, middle)
      middle += 1
    }
    return middle
  }
}
