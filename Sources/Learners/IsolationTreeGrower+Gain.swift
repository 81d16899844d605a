extension IsolationTreeGrower {
  /// Features that are tried at a node.
  private static let tries = 10
  /// So many are put in order fastest by insertion.
  private static let fewValues = 64

  /// The split, out of all those of ten random features that vary among the rows, that leaves the
  /// smallest standard deviations compared with the one before. At random it is their average,
  /// which favours cutting off a few rows that lie apart (Liu, Ting and Zhou, "On detecting
  /// clustered anomalies using SCiForest", 2010), or their average weighted by the number of rows,
  /// which favours parting clusters (Cortes, "Revisiting randomized choices in isolation forests",
  /// 2021). The threshold lies halfway between two values.
  mutating func chooseByGain(
    _ start: Int, _ end: Int, _ random: inout RandomSource
  ) -> (feature: Int, threshold: Float)? {
    let pooled = random.next() >> 63 == 0
    var left = featureCount
    var best: (cost: Double, feature: Int, threshold: Float)?
    tried.removeAll(keepingCapacity: true)
    while left > 0, tried.count < Self.tries, best?.cost != 0 {
      let pick = random.below(left)
      let feature = candidates[pick]
      // Drawn again, it would only give the same.
      if tried.contains(feature) {
        tried.append(feature)
        continue
      }
      if sort(Int(feature), start, end) {
        tried.append(feature)
        let (cost, threshold) = leastDeviation(pooled: pooled)
        if cost < best?.cost ?? .infinity { best = (cost, Int(feature), threshold) }
      } else {
        left -= 1
        candidates.swapAt(pick, left)
      }
    }
    return best.map { ($0.feature, $0.threshold) }
  }

  /// Puts a feature's values among the rows in order; false if they are all the same.
  private mutating func sort(_ feature: Int, _ start: Int, _ end: Int) -> Bool {
    let count = end - start
    gather(feature, start, end)
    guard count <= Self.fewValues else {
      sorted.sort()
      return sorted[0] < sorted[count - 1]
    }
    return sorted.withUnsafeMutableBufferPointer { sorted in
      for index in 1..<count {
        let value = sorted[index]
        var place = index
        while place > 0, sorted[place - 1] > value {
          sorted[place] = sorted[place - 1]
          place -= 1
        }
        sorted[place] = value
      }
      return sorted[0] < sorted[count - 1]
    }
  }

  /// The least cost among all places to cut ``sorted``, which holds two different values at least,
  /// and where it is.
  private func leastDeviation(pooled: Bool) -> (cost: Double, threshold: Float) {
    let count = sorted.count
    let origin = Double(sorted[0])
    var sum = 0.0
    var squares = 0.0
    for value in sorted {
      let distance = Double(value) - origin
      sum += distance
      squares += distance * distance
    }
    /// Standard deviation times the number of rows.
    func spread(_ count: Double, _ sum: Double, _ squares: Double) -> Double {
      max(count * squares - sum * sum, 0).squareRoot()
    }
    let whole = spread(Double(count), sum, squares)
    var least = Double.infinity
    var place = 1
    var sumBelow = 0.0
    var squaresBelow = 0.0
    for index in 1..<count {
      let distance = Double(sorted[index - 1]) - origin
      sumBelow += distance
      squaresBelow += distance * distance
      guard sorted[index - 1] < sorted[index] else { continue }
      let below = Double(index)
      let above = Double(count - index)
      let spreadBelow = spread(below, sumBelow, squaresBelow)
      let spreadAbove = spread(above, sum - sumBelow, squares - squaresBelow)
      let cost =
        pooled ? spreadBelow + spreadAbove : (spreadBelow / below + spreadAbove / above) / 2
      if cost < least {
        least = cost
        place = index
      }
    }
    let (low, high) = (sorted[place - 1], sorted[place])
    let middle = Float((Double(low) + Double(high)) / 2)
    let scale = pooled ? whole : whole / Double(count)
    return (least / scale, middle < high ? middle : low)
  }
}
