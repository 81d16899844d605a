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
  private(set) var nearest: [Int32]
  /// Second nearest centre of each row; means nothing where there is none.
  private(set) var secondNearest: [Int32]
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
    // Rows are looked at in eights.
    distances = [Float](repeating: 0, count: (capacity + 7) & ~7)
    nearest = [Int32](repeating: 0, count: distances.count)
    secondNearest = nearest
    best = distances
    secondBest = distances
    products = FloatRows(columns: min(distances.count, Self.block), capacity: clusters)
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
  ///   - withSecond: Whether the second nearest centres are wanted, and how near both are.
  ///   - withSquares: Whether ``squares`` are wanted.
  ///   - isUsed: Whether a centre may be assigned to; at least one must.
  mutating func assign(
    _ rows: StandardisedRows, weights: [Float], withSecond: Bool, withSquares: Bool,
    isUsed: (Int) -> Bool = { _ in true }
  ) {
    precondition(
      rows.featureCount == centres.columns && rows.count <= distances.count
        && weights.count >= rows.count,
      "shapes do not fit")
    for cluster in 0..<centres.rows {
      halfNorms[cluster] = isUsed(cluster) ? centres.squaredNorm(of: cluster) / 2 : .infinity
    }
    for start in stride(from: 0, to: rows.count, by: Self.block) {
      let range = start..<min(start + Self.block, rows.count)
      centres.multiply(rows.byFeature, columns: range, into: &products)
      for row in stride(from: 0, to: range.count, by: 8) {
        let place = start + row
        guard withSecond else {
          nearest.storeEight(nearestOne(row), at: place)
          continue
        }
        let found = nearestTwo(row)
        best.storeEight(found.best, at: place)
        secondBest.storeEight(found.secondBest, at: place)
        nearest.storeEight(found.nearest, at: place)
        secondNearest.storeEight(found.secondNearest, at: place)
      }
    }
    addUp(rows, weights: weights, withSquares: withSquares)
  }

  /// Puts a centre in the place of another and assigns the rows that this concerns. Nothing is added
  /// up.
  ///
  /// - Parameters:
  ///   - centre: The one that goes.
  ///   - places: Rows of centres.
  ///   - place: The one that comes.
  ///   - halves: ‖c‖² ÷ 2 − z·c for each of the places and rows.
  mutating func replace(
    _ centre: Int, by place: Int, of places: FloatRows, halves: FloatRows, rows: StandardisedRows
  ) {
    for offset in 0..<centres.stride {
      centres.values[centre * centres.stride + offset] =
        places.values[place * places.stride + offset]
    }
    halfNorms[centre] = centres.squaredNorm(of: centre) / 2
    let index = Int32(truncatingIfNeeded: centre)
    var orphans: [Int] = []
    let first = place * halves.stride
    for row in 0..<rows.count {
      let half = halves.values[first + row]
      if nearest[row] == index || secondNearest[row] == index {
        orphans.append(row)
      } else if half < best[row] {
        secondBest[row] = best[row]
        secondNearest[row] = nearest[row]
        best[row] = half
        nearest[row] = index
      } else if half < secondBest[row] {
        secondBest[row] = half
        secondNearest[row] = index
      }
    }
    var some = FloatRows(columns: min(orphans.count, Self.block), capacity: rows.featureCount)
    some.resize(rows: rows.featureCount)
    for start in stride(from: 0, to: orphans.count, by: Self.block) {
      let range = start..<min(start + Self.block, orphans.count)
      some.copy(columns: orphans[range], of: rows.byFeature)
      centres.multiply(some, columns: 0..<range.count, into: &products)
      for first in stride(from: 0, to: range.count, by: 8) {
        let found = nearestTwo(first)
        for lane in 0..<min(8, range.count - first) {
          let row = orphans[start + first + lane]
          best[row] = found.best[lane]
          secondBest[row] = found.secondBest[lane]
          nearest[row] = found.nearest[lane]
          secondNearest[row] = found.secondNearest[lane]
        }
      }
    }
  }

  /// The nearest centres of eight rows, from the products. Rows past the end of a block are looked at
  /// too: what is found for them means nothing.
  @inline(__always)
  private func nearestOne(_ row: Int) -> SIMD8<Int32> {
    var best = SIMD8<Float>(repeating: .infinity)
    var nearest = SIMD8<Int32>.zero
    products.values.withUnsafeBufferPointer { products in
      halfNorms.withUnsafeBufferPointer { halfNorms in
        var place = row
        for cluster in 0..<centres.rows {
          let half = halfNorms[cluster] - products.eight(at: place)
          let isNearer = half .< best
          best.replace(with: half, where: isNearer)
          nearest.replace(with: Int32(truncatingIfNeeded: cluster), where: isNearer)
          place &+= self.products.stride
        }
      }
    }
    return nearest
  }

  /// The nearest and the second nearest centres of eight rows, from the products. Rows past the end
  /// of a block are looked at too: what is found for them means nothing.
  @inline(__always)
  private func nearestTwo(
    _ row: Int
  ) -> (
    best: SIMD8<Float>, secondBest: SIMD8<Float>, nearest: SIMD8<Int32>, secondNearest: SIMD8<Int32>
  ) {
    var best = SIMD8<Float>(repeating: .infinity)
    var secondBest = best
    var nearest = SIMD8<Int32>.zero
    var secondNearest = nearest
    products.values.withUnsafeBufferPointer { products in
      halfNorms.withUnsafeBufferPointer { halfNorms in
        var place = row
        for cluster in 0..<centres.rows {
          let half = halfNorms[cluster] - products.eight(at: place)
          let index = SIMD8(repeating: Int32(truncatingIfNeeded: cluster))
          let isNearer = half .< best
          let isNear = half .< secondBest
          secondBest.replace(with: half, where: isNear)
          secondBest.replace(with: best, where: isNearer)
          secondNearest.replace(with: index, where: isNear)
          secondNearest.replace(with: nearest, where: isNearer)
          best.replace(with: half, where: isNearer)
          nearest.replace(with: index, where: isNearer)
          place &+= self.products.stride
        }
      }
    }
    return (best, secondBest, nearest, secondNearest)
  }

  /// Adds the rows up by the centres that they are assigned to.
  mutating func addUp(_ rows: StandardisedRows, weights: [Float], withSquares: Bool) {
    sums.clear()
    if withSquares { squares.clear() }
    for cluster in masses.indices { masses[cluster] = 0 }
    let step = rows.byRow.stride
    rows.byRow.values.withUnsafeBufferPointer { values in
      centres.values.withUnsafeBufferPointer { centres in
        sums.values.withUnsafeMutableBufferPointer { sums in
          squares.values.withUnsafeMutableBufferPointer { squares in
            masses.withUnsafeMutableBufferPointer { masses in
              distances.withUnsafeMutableBufferPointer { distances in
                for row in 0..<rows.count {
                  let centre = Int(nearest[row])
                  let start = centre &* step
                  let weight = weights[row]
                  var distance = SIMD8<Float>.zero
                  for offset in stride(from: 0, to: step, by: 8) {
                    let delta =
                      values.eight(at: row &* step &+ offset) - centres.eight(at: start &+ offset)
                    let square = delta * delta
                    distance += square
                    sums.addEight(weight * delta, at: start &+ offset)
                    if withSquares { squares.addEight(weight * square, at: start &+ offset) }
                  }
                  masses[centre] += Double(weight)
                  let four = distance.lowHalf + distance.highHalf
                  let two = four.lowHalf + four.highHalf
                  distances[row] = two[0] + two[1]
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
  /// Overwrites the first columns by some of others that are as long.
  mutating func copy(columns: ArraySlice<Int>, of others: FloatRows) {
    precondition(
      others.rows == rows && columns.count <= self.columns
        && columns.allSatisfy { $0 >= 0 && $0 < others.columns }, "shapes do not fit")
    others.values.withUnsafeBufferPointer { from in
      values.withUnsafeMutableBufferPointer { to in
        for row in 0..<rows {
          var place = row * stride
          for column in columns {
            to[place] = from[row * others.stride + column]
            place &+= 1
          }
        }
      }
    }
  }

  /// Overwrites a row by one of others that are as long.
  mutating func copy(_ row: Int, of others: FloatRows, to place: Int) {
    precondition(others.stride == stride && row < others.rows && place < rows, "shapes do not fit")
    others.values.withUnsafeBufferPointer { from in
      values.withUnsafeMutableBytes { to in
        for offset in Swift.stride(from: 0, to: stride, by: 8) {
          to.storeBytes(
            of: from.eight(at: row * stride + offset), toByteOffset: 4 * (place * stride + offset),
            as: SIMD8<Float>.self)
        }
      }
    }
  }

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

extension Array {
  /// Overwrites eight neighbours, which must exist.
  @inline(__always)
  fileprivate mutating func storeEight(_ value: SIMD8<Element>, at place: Int)
  where Element: SIMDScalar {
    precondition(place >= 0 && place + 8 <= count, "index out of range")
    withUnsafeMutableBytes {
      $0.storeBytes(
        of: value, toByteOffset: MemoryLayout<Element>.stride * place, as: SIMD8<Element>.self)
    }
  }
}
