/// Grows isolation trees (Liu, Ting and Zhou, "Isolation Forest", 2008, algorithm 2): a random
/// feature that still varies, a uniform threshold between its least and largest value, until a node
/// holds one row, its rows are equal, or the depth reaches ⌈log2 ψ⌉.
struct IsolationTreeGrower {
  /// The sample, column by column.
  private let sample: [Double]
  private let rows: Int
  private let featureCount: Int
  /// Rows of the sample, permuted so that those of a node lie together.
  private var order: [Int32]
  /// Features, permuted while looking for one that varies.
  private var candidates: [Int32]

  private var features: [UInt32] = []
  private var thresholds: [Double] = []
  private var children: [UInt32] = []
  private var values: [Double] = []

  private struct Pending {
    var node: Int
    var start: Int
    var end: Int
    var depth: Int
  }

  /// A grower on `rows` rows, at least one, of a sample stored column by column.
  init(sample: [Double], rows: Int, featureCount: Int) {
    self.sample = sample
    self.rows = rows
    self.featureCount = featureCount
    order = (0..<Int32(rows)).map { $0 }
    candidates = (0..<Int32(featureCount)).map { $0 }
  }

  /// The tree.
  mutating func grow(serial: UInt64, random: inout RandomSource) -> IsolationTree {
    let limit = rows > 1 ? Int.bitWidth - (rows - 1).leadingZeroBitCount : 0
    addNode(rows: rows)
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
      addNode(rows: middle - next.start)
      addNode(rows: next.end - middle)
      pending.append(
        Pending(node: left + 1, start: middle, end: next.end, depth: next.depth + 1))
      pending.append(Pending(node: left, start: next.start, end: middle, depth: next.depth + 1))
    }
    do {
      return try IsolationTree(
        serial: serial, sampleSize: rows, typical: medians(), features: features,
        thresholds: thresholds, children: children, values: values)
    } catch {
      preconditionFailure("a grown tree is a valid one: \(error)")
    }
  }

  private mutating func addNode(rows: Int) {
    features.append(0)
    thresholds.append(0)
    children.append(0)
    values.append(averagePathLength(rows))
  }

  /// A feature drawn from those that vary among the rows, and a threshold that parts them.
  private mutating func chooseSplit(
    _ start: Int, _ end: Int, _ random: inout RandomSource
  ) -> (feature: Int, threshold: Double)? {
    var left = featureCount
    while left > 0 {
      let pick = random.below(left)
      let feature = Int(candidates[pick])
      let (least, largest) = range(of: feature, start, end)
      if least < largest {
        let share = random.uniform()
        // Weighted so that the difference of two huge values cannot overflow.
        let threshold = least * (1 - share) + largest * share
        return (feature, threshold >= least && threshold < largest ? threshold : least)
      }
      left -= 1
      candidates.swapAt(pick, left)
    }
    return nil
  }

  private func range(of feature: Int, _ start: Int, _ end: Int) -> (Double, Double) {
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
    _ start: Int, _ end: Int, _ feature: Int, _ threshold: Double
  ) -> Int {
    let offset = feature * rows
    var middle = start
    for position in start..<end where sample[offset + Int(order[position])] <= threshold {
      order.swapAt(position, middle)
      middle += 1
    }
    return middle
  }

  private func medians() -> [Double] {
    var column = [Double](repeating: 0, count: rows)
    return (0..<featureCount).map { feature in
      for row in 0..<rows { column[row] = sample[feature * rows + row] }
      return upperMedian(&column)
    }
  }
}
