import LinearAlgebra

/// Finds the nearest centre of every row, and adds up what centres have to know of their rows.
///
/// Which centre is nearest follows from one matrix product, ‖z − c‖² = ‖z‖² + 2 (‖c‖² ÷ 2 − z·c).
/// Everything else is computed from the differences z − c themselves, so that neither points far
/// from the origin nor equal points lose digits to the single precision.
struct ClusterAssignment: Sendable {
  /// Rows multiplied with the centres at a time.
  static let block = 256

  /// Standardised centres.
  var centres: FloatRows
  /// Nearest centre of each row, the first of several equally near.
  private(set) var nearest: [Int]
  /// Squared distance of each row from it.
  private(set) var distances: [Float]
  /// Sum of the weights of each centre's rows.
  private(set) var masses: [Double]
  /// Weighted sum of the differences of its rows from each centre.
  private(set) var sums: FloatRows
  /// Weighted sum of their squares.
  private(set) var squares: FloatRows
  /// ‖c‖² ÷ 2 − z·c of the nearest centre of each row.
  private(set) var best: [Float]
  /// The same of the second nearest; infinite where there is none.
  private(set) var secondBest: [Float]
  private var products: FloatRows
  private var halfNorms: [Float]

  /// Room for so many centres and rows.
  init(clusters: Int, featureCount: Int, capacity: Int) {
    centres = FloatRows(columns: featureCount, capacity: clusters)
    sums = centres
    squares = centres
    masses = [Double](repeating: 0, count: clusters)
    nearest = [Int](repeating: 0, count: capacity)
    // Rows are looked at in eights.
    distances = [Float](repeating: 0, count: (capacity + 7) & ~7)
    best = distances
    secondBest = distances
    products = FloatRows(columns: min((capacity + 7) & ~7, Self.block), capacity: clusters)
    halfNorms = [Float](repeating: 0, count: clusters)
  }

  /// Weighted sum of the squared distances.
  func inertia(_ weights: [Float]) -> Double {
    var total = 0.0
    for (weight, distance) in zip(weights, distances) { total += Double(weight) * Double(distance) }
    return total
  }

  /// Assigns every row to its nearest centre and adds the rows up by centre.
  ///
  /// - Parameters:
  ///   - rows: Standardised rows, not more than there is room for.
  ///   - weights: One a row.
  ///   - withSquares: Whether ``squares`` are wanted.
  ///   - isUsed: Whether a centre may be assigned to; at least one must.
  mutating func assign(
    _ rows: FloatRows, weights: [Float], withSquares: Bool = true,
    isUsed: (Int) -> Bool = { _ in true }
  ) {
    precondition(
      rows.columns == centres.columns && rows.rows <= nearest.count && weights.count >= rows.rows,
      "shapes do not fit")
    for cluster in 0..<centres.rows {
      halfNorms[cluster] = isUsed(cluster) ? centres.squaredNorm(of: cluster) / 2 : .infinity
    }
    for start in stride(from: 0, to: rows.rows, by: Self.block) {
      let range = start..<min(start + Self.block, rows.rows)
      centres.multiply(transposed: rows, rows: range, into: &products)
      findNearest(range)
    }
    addUp(rows, weights, withSquares: withSquares)
  }

  /// Fills ``nearest``, ``best`` and ``secondBest`` from the products. Rows past the end of the
  /// range are looked at too: what is found for them is overwritten or means nothing.
  private mutating func findNearest(_ range: Range<Int>) {
    let clusters = centres.rows
    let step = products.stride
    products.values.withUnsafeBufferPointer { products in
      halfNorms.withUnsafeBufferPointer { halfNorms in
        for row in stride(from: 0, to: range.count, by: 8) {
          var first = SIMD8<Float>(repeating: .infinity)
          var second = first
          var index = SIMD8<Int32>.zero
          for cluster in 0..<clusters {
            let half = halfNorms[cluster] - products.eight(at: cluster * step + row)
            let isNearer = half .< first
            second.replace(with: half, where: half .< second)
            second.replace(with: first, where: isNearer)
            first.replace(with: half, where: isNearer)
            index.replace(with: Int32(truncatingIfNeeded: cluster), where: isNearer)
          }
          let place = range.lowerBound + row
          best.storeEight(first, at: place)
          secondBest.storeEight(second, at: place)
          for lane in 0..<min(8, range.count - row) { nearest[place + lane] = Int(index[lane]) }
        }
      }
    }
  }

  private mutating func addUp(_ rows: FloatRows, _ weights: [Float], withSquares: Bool) {
    sums.clear()
    if withSquares { squares.clear() }
    for cluster in masses.indices { masses[cluster] = 0 }
    let step = rows.stride
    rows.values.withUnsafeBufferPointer { values in
      centres.values.withUnsafeBufferPointer { centres in
        sums.values.withUnsafeMutableBufferPointer { sums in
          squares.values.withUnsafeMutableBufferPointer { squares in
            masses.withUnsafeMutableBufferPointer { masses in
              distances.withUnsafeMutableBufferPointer { distances in
                for row in 0..<rows.rows {
                  let start = nearest[row] * step
                  let weight = weights[row]
                  var distance = SIMD8<Float>.zero
                  for offset in stride(from: 0, to: step, by: 8) {
                    let delta =
                      values.eight(at: row * step + offset) - centres.eight(at: start + offset)
                    let square = delta * delta
                    distance += square
                    sums.addEight(weight * delta, at: start + offset)
                    if withSquares { squares.addEight(weight * square, at: start + offset) }
                  }
                  masses[nearest[row]] += Double(weight)
                  distances[row] = distance.sum()
                }
              }
            }
          }
        }
      }
    }
  }

  /// Moves every centre that has rows to their mean.
  mutating func moveToMeans() {
    let step = centres.stride
    for cluster in 0..<centres.rows where masses[cluster] > 0 {
      for place in cluster * step..<cluster * step + centres.columns {
        centres.values[place] += Float(Double(sums.values[place]) / masses[cluster])
      }
    }
  }
}

extension FloatRows {
  /// Squared length of one row.
  func squaredNorm(of row: Int) -> Float {
    values.withUnsafeBufferPointer { values in
      var sum = SIMD8<Float>.zero
      for place in Swift.stride(from: row * stride, to: (row + 1) * stride, by: 8) {
        let eight = values.eight(at: place)
        sum += eight * eight
      }
      return sum.sum()
    }
  }
}

extension UnsafeBufferPointer<Float> {
  /// Eight neighbours, which must exist.
  @inline(__always)
  func eight(at place: Int) -> SIMD8<Float> {
    UnsafeRawPointer(baseAddress! + place).loadUnaligned(as: SIMD8<Float>.self)
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// Adds to eight neighbours, which must exist.
  @inline(__always)
  func addEight(_ value: SIMD8<Float>, at place: Int) {
    let pointer = UnsafeMutableRawPointer(baseAddress! + place)
    pointer.storeBytes(
      of: pointer.loadUnaligned(as: SIMD8<Float>.self) + value, as: SIMD8<Float>.self)
  }
}

extension [Float] {
  /// Overwrites eight neighbours, which must exist.
  @inline(__always)
  mutating func storeEight(_ value: SIMD8<Float>, at place: Int) {
    precondition(place >= 0 && place + 8 <= count, "index out of range")
    withUnsafeMutableBytes {
      $0.storeBytes(of: value, toByteOffset: 4 * place, as: SIMD8<Float>.self)
    }
  }
}
