extension IsolationTreeGrower {
  /// Features that are tried at a node.
  private static let tries = 7

  /// The split, out of all those of seven random features that vary among the rows, that leaves the
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
    while left > 0, tried.count < Self.tries {
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
    gather(feature, start, end)
    let count = end - start
    // Filled up with what comes last.
    var size = 8
    while size < count { size *= 2 }
    sorted.append(contentsOf: repeatElement(.infinity, count: size - count))
    putInOrder(&sorted, spare: &spare)
    sorted.removeLast(size - count)
    return sorted[0] < sorted[count - 1]
  }

  /// The least cost among all places to cut ``sorted``, which holds two different values at least,
  /// and where it is.
  ///
  /// A value is what it was before it was rounded to a multiple of the smallest step between the
  /// values, and anywhere as likely: that adds a twelfth of the step's square to each variance
  /// (Sheppard, "On the calculation of the most probable values of frequency-constants", 1898).
  /// Otherwise a flag would leave no deviation at all and be preferred to whatever else there is.
  private func leastDeviation(pooled: Bool) -> (cost: Double, threshold: Float) {
    sorted.withUnsafeBufferPointer { sorted in
      let count = sorted.count
      let origin = Double(sorted[0])
      var sum = 0.0
      var squares = 0.0
      var step = Double.infinity
      var last = 0.0
      for value in sorted {
        let distance = Double(value) - origin
        sum += distance
        squares += distance * distance
        let next = distance - last
        step = next > 0 && next < step ? next : step
        last = distance
      }
      let rounding = step * step / 12
      /// Standard deviation times the number of rows.
      @inline(__always)
      func spread(_ count: Double, _ sum: Double, _ squares: Double) -> Double {
        let spread = count * squares - sum * sum
        return ((spread > 0 ? spread : 0) + count * count * rounding).squareRoot()
      }
      let rows = Double(count)
      let whole = spread(rows, sum, squares)
      var least = Double.infinity
      var place = 1
      var below = 0.0
      var sumBelow = 0.0
      var squaresBelow = 0.0
      for index in 1..<count {
        let distance = Double(sorted[index - 1]) - origin
        below += 1
        sumBelow += distance
        squaresBelow += distance * distance
        guard sorted[index - 1] < sorted[index] else { continue }
        let above = rows - below
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
      return (least / (pooled ? whole : whole / rows), middle < high ? middle : low)
    }
  }
}
