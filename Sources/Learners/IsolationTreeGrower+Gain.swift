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
        let limit = best?.cost ?? .infinity
        if let (cost, threshold) = leastDeviation(end - start, pooled: pooled, below: limit) {
          best = (cost, Int(feature), threshold)
        }
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
    var room = 8
    while room < count { room *= 2 }
    if sorted.count < room {
      sorted = [Float](repeating: 0, count: room)
      sums = [Double](repeating: 0, count: room + 1)
      squares = sums
    }
    gather(feature, start, end)
    for place in count..<room { sorted[place] = .infinity }
    putInOrder(&sorted, count: room, spare: &spare)
    return sorted[0] < sorted[count - 1]
  }

  /// The least cost among all places to cut the first `count` values of ``sorted``, two different
  /// ones at least, and where it is; nil unless it is below a limit.
  ///
  /// A value is what it was before it was rounded to a multiple of the smallest step between the
  /// values, and anywhere as likely: that adds a twelfth of the step's square to each variance
  /// (Sheppard, "On the calculation of the most probable values of frequency-constants", 1898).
  /// Otherwise a flag would leave no deviation at all and be preferred to whatever else there is.
  private mutating func leastDeviation(
    _ count: Int, pooled: Bool, below limit: Double
  ) -> (cost: Double, threshold: Float)? {
    let step = sumUp(count)
    return sorted.withUnsafeBufferPointer { sorted in
      sums.withUnsafeBufferPointer { sums in
        squares.withUnsafeBufferPointer { squares in
          let cuts = Cuts(
            values: sorted, sums: sums, squares: squares, count: count, rounding: step * step / 12,
            pooled: pooled)
          let whole = cuts.whole
          let (least, place) = cuts.least(below: limit * whole)
          let cost = least / whole
          guard place < count, cost < limit else { return nil }
          let (low, high) = (sorted[place - 1], sorted[place])
          let middle = Float((Double(low) + Double(high)) / 2)
          return (cost, middle < high ? middle : low)
        }
      }
    }
  }

  /// Sums up the first `count` values; returns the smallest step between two that differ.
  private mutating func sumUp(_ count: Int) -> Double {
    sorted.withUnsafeBufferPointer { sorted in
      sums.withUnsafeMutableBufferPointer { sums in
        squares.withUnsafeMutableBufferPointer { squares in
          let origin = Double(sorted[0])
          var sum = 0.0
          var square = 0.0
          var step = Double.infinity
          var last = 0.0
          for place in 0..<count {
            let distance = Double(sorted[place]) - origin
            sum += distance
            square += distance * distance
            sums[place + 1] = sum
            squares[place + 1] = square
            let next = distance - last
            step = next > 0 && next < step ? next : step
            last = distance
          }
          return step
        }
      }
    }
  }
}

/// What it costs to cut values in order at a place: the standard deviations of those before it and
/// of those after it, averaged or, if pooled, each times how many they are and summed.
private struct Cuts {
  let values: UnsafeBufferPointer<Float>
  /// Of the values before each place, less the least.
  let sums: UnsafeBufferPointer<Double>
  /// Of their squares.
  let squares: UnsafeBufferPointer<Double>
  let count: Int
  /// Added to each variance.
  let rounding: Double
  let pooled: Bool

  private typealias Two = SIMD2<Double>

  /// Cost without a cut.
  var whole: Double {
    let rows = Double(count)
    let spread = spread(rows, sums[count], squares[count])
    return pooled ? spread : spread / rows
  }

  /// Standard deviation times the number of rows.
  @inline(__always)
  private func spread(_ count: Double, _ sum: Double, _ squares: Double) -> Double {
    let spread = count * squares - sum * sum
    return ((spread > 0 ? spread : 0) + count * count * rounding).squareRoot()
  }

  @inline(__always)
  private func cost(_ place: Int) -> Double {
    let below = Double(place)
    let above = Double(count) - below
    let spreadBelow = spread(below, sums[place], squares[place])
    let spreadAbove = spread(above, sums[count] - sums[place], squares[count] - squares[place])
    return pooled ? spreadBelow + spreadAbove : (spreadBelow / below + spreadAbove / above) / 2
  }

  /// The least cost below a limit, and the first place between two different values that has it; the
  /// limit and `count` if there is none.
  func least(below limit: Double) -> (cost: Double, place: Int) {
    var least = limit
    var best = count
    // √a + √b is less than c if and only if 4ab < (c² − a − b)² and a + b < c². That takes no roots,
    // so only what passes is looked at closely. What rounding may have added is let pass.
    var most = Two(repeating: .infinity)
    @inline(__always)
    func consider(_ place: Int) {
      guard place < count, values[place - 1] < values[place] else { return }
      let cost = cost(place)
      guard cost < least || (cost == least && place < best) else { return }
      least = cost
      best = place
      setMost()
    }
    @inline(__always)
    func setMost() {
      let sum = pooled ? least : 2 * least
      most = Two(repeating: sum * sum * (1 + 1e-9))
    }
    if limit < .infinity {
      setMost()
    } else {
      let step = max(count / 8, 4)
      for place in stride(from: step, to: count, by: step) { consider(place) }
    }
    let rows = Two(repeating: Double(count))
    let sum = Two(repeating: sums[count])
    let square = Two(repeating: squares[count])
    let rounding = Two(repeating: rounding)
    var below = Two(1, 2)
    for place in stride(from: 1, to: count, by: 2) {
      let sumBelow = Two(sums[place], sums[place + 1])
      let squareBelow = Two(squares[place], squares[place + 1])
      let above = rows - below
      let sumAbove = sum - sumBelow
      var a = below * squareBelow - sumBelow * sumBelow + below * below * rounding
      var b = above * (square - squareBelow) - sumAbove * sumAbove + above * above * rounding
      if !pooled {
        a /= below * below
        b /= above * above
      }
      let rest = most - a - b
      let excess = rest * rest - 4 * a * b
      if excess[0] > 0, rest[0] > 0 { consider(place) }
      if excess[1] > 0, rest[1] > 0 { consider(place + 1) }
      below += 2
    }
    return (least, best)
  }
}
