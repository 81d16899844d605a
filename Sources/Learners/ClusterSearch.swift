import LinearAlgebra

/// Looks for the centres of weighted rows: k-means++ for those that are missing (Arthur and
/// Vassilvitskii, "k-means++: the advantages of careful seeding", 2007), swaps of a centre for
/// another place where that is worth it (Lattanzi and Sohler, "A better k-means++ algorithm via local
/// search", 2019), the places first drawn to the middle of what they would win, and Lloyd's
/// iterations.
struct ClusterSearch {
  /// Lloyd's iterations, at most, and the share of the inertia by which it must fall for another one.
  private static let quick = (iterations: 3, tolerance: 2e-3)
  private static let thorough = (iterations: 10, tolerance: 5e-4)
  /// A swap must lower the inertia by this share of it.
  private static let smallestGain = 1e-3
  /// Rounds of swaps at most. After one that swapped nothing, and after the second and later ones
  /// that lowered the inertia by less than ``largeGain`` of it, there is no other.
  private static let rounds = 8
  private static let largeGain = 0.1
  /// Places tried in a round: one a centre, but not more than this.
  private static let mostPlaces = 32

  private let rows: StandardisedRows
  private let weights: [Float]
  /// The centres, and the rows that they have.
  private(set) var assignment: ClusterAssignment
  private(set) var inertia = 0.0

  /// Searches.
  ///
  /// - Parameters:
  ///   - rows: Standardised rows, at least one of positive weight.
  ///   - weights: One a row.
  ///   - centres: What to start from, not more than `clusters`; may be empty.
  ///   - clusters: Number of centres wanted. There are fewer where there are fewer distinct rows.
  ///   - isThorough: Whether to go on for smaller gains.
  init(
    _ rows: StandardisedRows, weights: [Float], centres: FloatRows, clusters: Int, isThorough: Bool,
    random: inout RandomSource
  ) {
    self.rows = rows
    self.weights = weights
    assignment = ClusterAssignment(
      clusters: clusters, featureCount: rows.featureCount, capacity: rows.count)
    assignment.centres.values.replaceSubrange(
      0..<centres.rows * centres.stride,
      with: centres.values[..<(centres.rows * centres.stride)])
    assignment.centres.resize(rows: centres.rows)
    if centres.rows > 0 { assign() }
    if centres.rows < clusters {
      seed(clusters, &random)
      assign()
    }
    for round in 0..<Self.rounds where assignment.centres.rows > 1 {
      let before = inertia
      guard swap(&random) else { break }
      addUp(withSquares: false)
      if round > 0, before - inertia < Self.largeGain * inertia { break }
    }
    iterate(isThorough ? Self.thorough : Self.quick)
    addUp(withSquares: true)
  }

  private mutating func addUp(withSquares: Bool) {
    assignment.addUp(rows, weights: weights, withSquares: withSquares)
    inertia = assignment.inertia(weights)
  }

  private mutating func assign(withSecond: Bool = true) {
    assignment.assign(rows, weights: weights, withSecond: withSecond, withSquares: false)
    inertia = assignment.inertia(weights)
  }

  private mutating func iterate(_ most: (iterations: Int, tolerance: Double)) {
    for _ in 0..<most.iterations {
      let before = inertia
      assignment.moveToMeans()
      assign(withSecond: false)
      if before - inertia < most.tolerance * inertia { break }
    }
  }

  /// Adds centres up to a number, each a row drawn with probability proportional to its weight
  /// times its squared distance from the nearest centre.
  private mutating func seed(_ clusters: Int, _ random: inout RandomSource) {
    var distances =
      assignment.centres.rows > 0
      ? assignment.distances : [Float](repeating: 1, count: assignment.distances.count)
    while assignment.centres.rows < clusters {
      guard let row = draw(1, distances, &random).first else { return }
      let centre = assignment.centres.rows
      assignment.centres.resize(rows: centre + 1)
      assignment.centres.copy(row, of: rows.byRow, to: centre)
      let step = rows.byRow.stride
      let isFirst = centre == 0
      rows.byRow.values.withUnsafeBufferPointer { values in
        for other in 0..<rows.count {
          var sum = SIMD8<Float>.zero
          for offset in stride(from: 0, to: step, by: 8) {
            let delta =
              values.eight(at: other * step + offset) - values.eight(at: row * step + offset)
            sum += delta * delta
          }
          distances[other] = isFirst ? sum.sum() : min(distances[other], sum.sum())
        }
      }
    }
  }

  /// Rows drawn with probability proportional to their weight times their distance; none where all
  /// of that is 0.
  private func draw(
    _ count: Int, _ distances: [Float], _ random: inout RandomSource
  ) -> [Int] {
    var cumulative: [Double] = []
    cumulative.reserveCapacity(rows.count)
    var total = 0.0
    for row in 0..<rows.count {
      total += Double(weights[row]) * Double(distances[row])
      cumulative.append(total)
    }
    guard total > 0 else { return [] }
    return (0..<count).map { _ in
      let target = random.uniform() * total
      var low = 0
      var high = rows.count - 1
      while low < high {
        let middle = (low + high) / 2
        if cumulative[middle] > target { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }

  /// Tries new places, and swaps for each the centre that is missed least, where that lowers the
  /// inertia. Returns whether anything was swapped.
  private mutating func swap(_ random: inout RandomSource) -> Bool {
    let drawn = draw(
      min(assignment.centres.rows, Self.mostPlaces), assignment.distances, &random)
    guard !drawn.isEmpty else { return false }
    var places = FloatRows(columns: rows.featureCount, capacity: drawn.count)
    places.resize(rows: drawn.count)
    for (place, row) in drawn.enumerated() { places.copy(row, of: rows.byRow, to: place) }
    var halves = FloatRows(columns: rows.count, capacity: drawn.count)
    measure(places, into: &halves)
    move(&places, toMeansOf: halves)
    measure(places, into: &halves)

    var hasSwapped = false
    var missed = costOfMissing()
    for place in 0..<places.rows {
      let (gain, cost) = gain(of: place, halves, missed)
      guard let missedLeast = cost.indices.min(by: { cost[$0] < cost[$1] }),
        gain - cost[missedLeast] > Self.smallestGain * inertia
      else { continue }
      assignment.replace(missedLeast, by: place, of: places, halves: halves, rows: rows)
      inertia -= gain - cost[missedLeast]
      missed = costOfMissing()
      hasSwapped = true
    }
    return hasSwapped
  }

  /// Writes ‖c‖² ÷ 2 − z·c for every place c and row z.
  private func measure(_ places: FloatRows, into halves: inout FloatRows) {
    places.multiply(rows.byFeature, columns: 0..<rows.count, into: &halves)
    for place in 0..<places.rows {
      let half = places.squaredNorm(of: place) / 2
      let start = place * halves.stride
      halves.values.withUnsafeMutableBufferPointer { values in
        for row in start..<start + rows.count { values[row] = half - values[row] }
      }
    }
  }

  /// Calls `visit` with the rows that are nearer to a place than some bound.
  @inline(__always)
  private func visitRows(
    nearerTo place: Int, _ halves: FloatRows, than bounds: [Float],
    _ visit: (_ row: Int, _ half: Float) -> Void
  ) {
    let start = place * halves.stride
    halves.values.withUnsafeBufferPointer { halves in
      bounds.withUnsafeBufferPointer { bounds in
        for row in stride(from: 0, to: rows.count, by: 8) {
          let half = halves.eight(at: start + row)
          let isNearer = half .< bounds.eight(at: row)
          guard any(isNearer) else { continue }
          for lane in 0..<min(8, rows.count - row) where isNearer[lane] {
            visit(row + lane, half[lane])
          }
        }
      }
    }
  }

  /// Moves every place to the mean of the rows to which it is nearer than their centre.
  private func move(_ places: inout FloatRows, toMeansOf halves: FloatRows) {
    let step = places.stride
    var sum = [Float](repeating: 0, count: step)
    for place in 0..<places.rows {
      for offset in 0..<step { sum[offset] = 0 }
      var mass: Float = 0
      rows.byRow.values.withUnsafeBufferPointer { values in
        sum.withUnsafeMutableBufferPointer { sum in
          visitRows(nearerTo: place, halves, than: assignment.best) { row, _ in
            let weight = weights[row]
            mass += weight
            for offset in stride(from: 0, to: step, by: 8) {
              sum.addEight(weight * values.eight(at: row * step + offset), at: offset)
            }
          }
        }
      }
      guard mass > 0 else { continue }
      for offset in 0..<step { places.values[place * step + offset] = sum[offset] / mass }
    }
  }

  /// What the inertia rises by if the rows of a centre go to their second nearest, for each centre.
  private func costOfMissing() -> [Double] {
    var cost = [Double](repeating: 0, count: assignment.centres.rows)
    for row in 0..<rows.count where weights[row] > 0 {
      cost[Int(assignment.nearest[row])] +=
        2 * Double(weights[row]) * Double(assignment.secondBest[row] - assignment.best[row])
    }
    return cost
  }

  /// What the inertia falls by with one more centre at a place, and by what it then rises if one of
  /// the others is missing, for each of those.
  private func gain(
    of place: Int, _ halves: FloatRows, _ missed: [Double]
  ) -> (gain: Double, cost: [Double]) {
    var gain = 0.0
    var cost = missed
    visitRows(nearerTo: place, halves, than: assignment.secondBest) { row, half in
      let weight = 2 * Double(weights[row])
      let best = assignment.best[row]
      gain += weight * Double(max(best - half, 0))
      cost[Int(assignment.nearest[row])] -=
        weight * Double(assignment.secondBest[row] - max(half, best))
    }
    return (gain, cost)
  }
}
