import LinearAlgebra

extension KMeansParameters {
  /// Writes one score a row, see ``ModelParameters/score(_:into:)``.
  public func score(_ features: Matrix, into scores: inout [Float]) {
    precondition(
      features.columns >= featureCount && scores.count >= features.rows, "shapes do not fit")
    let rows = features.rows
    guard rows > 0 else { return }
    let columns = featureCount
    let step = features.stride
    let clusters = references.count
    let limit = standardisation.limit
    features.values.withUnsafeBufferPointer { values in
      tiles.withUnsafeBufferPointer { tiles in
        standardisation.mean.withUnsafeBufferPointer { mean in
          standardisation.scale.withUnsafeBufferPointer { scale in
            // Four rows against four clusters at a time: the sixteen sums stay in registers. Rows
            // past the end repeat the last one; each row is a lane and depends on no other.
            for start in Swift.stride(from: 0, to: rows, by: 4) {
              let lanes = min(4, rows - start)
              guard lanes > 1 else {
                let (place, distance) = nearest(start, values, step, tiles, mean, scale)
                scores[start] = score(distance, place)
                continue
              }
              let offset = SIMD4<Int>(
                start, start + min(1, lanes - 1), start + min(2, lanes - 1),
                start + min(3, lanes - 1))
              var bestDistance = SIMD4<Double>(repeating: .infinity)
              var bestCluster = SIMD4<Int64>.zero
              var centre = 0
              for first in Swift.stride(from: 0, to: clusters, by: Self.tile) {
                var sum0 = SIMD4<Double>.zero
                var sum1 = sum0
                var sum2 = sum0
                var sum3 = sum0
                for feature in 0..<columns {
                  let from = feature * step
                  let x = SIMD4<Double>(
                    values[from + offset[0]], values[from + offset[1]], values[from + offset[2]],
                    values[from + offset[3]])
                  let z = Self.clip((x - mean[feature]) * scale[feature], limit)
                  let delta0 = z - tiles[centre]
                  let delta1 = z - tiles[centre + 1]
                  let delta2 = z - tiles[centre + 2]
                  let delta3 = z - tiles[centre + 3]
                  sum0 += delta0 * delta0
                  sum1 += delta1 * delta1
                  sum2 += delta2 * delta2
                  sum3 += delta3 * delta3
                  centre += Self.tile
                }
                let last = clusters - 1
                Self.keepCloser(sum0, first, &bestDistance, &bestCluster)
                Self.keepCloser(sum1, min(first + 1, last), &bestDistance, &bestCluster)
                Self.keepCloser(sum2, min(first + 2, last), &bestDistance, &bestCluster)
                Self.keepCloser(sum3, min(first + 3, last), &bestDistance, &bestCluster)
              }
              for lane in 0..<lanes {
                scores[start + lane] = score(bestDistance[lane], Int(bestCluster[lane]))
              }
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private func score(_ squaredDistance: Double, _ place: Int) -> Float {
    let r = squaredDistance.squareRoot() / spreads[references[place]]
    return Float(r / (1 + r))
  }

  /// The nearest reference of a row, the first of several equally near, and the squared distance in
  /// standardised units.
  public func nearest(row: Int, of features: Matrix) -> (cluster: Int, squaredDistance: Double) {
    precondition(
      features.columns >= featureCount && row >= 0 && row < features.rows, "shapes do not fit")
    return features.values.withUnsafeBufferPointer { values in
      tiles.withUnsafeBufferPointer { tiles in
        standardisation.mean.withUnsafeBufferPointer { mean in
          standardisation.scale.withUnsafeBufferPointer { scale in
            let (place, distance) = nearest(row, values, features.stride, tiles, mean, scale)
            return (references[place], distance)
          }
        }
      }
    }
  }

  /// The same as a place among the references: a row by itself against a tile of clusters at a time,
  /// the same sums in the same order as for a block.
  private func nearest(
    _ row: Int, _ values: UnsafeBufferPointer<Double>, _ step: Int,
    _ tiles: UnsafeBufferPointer<Double>, _ mean: UnsafeBufferPointer<Double>,
    _ scale: UnsafeBufferPointer<Double>
  ) -> (place: Int, squaredDistance: Double) {
    var best = (place: 0, squaredDistance: Double.infinity)
    var centre = 0
    for first in Swift.stride(from: 0, to: references.count, by: Self.tile) {
      var sums = SIMD4<Double>.zero
      for feature in 0..<featureCount {
        let x = SIMD4<Double>(repeating: values[feature * step + row])
        let z = Self.clip((x - mean[feature]) * scale[feature], standardisation.limit)
        let delta =
          z
          - SIMD4(tiles[centre], tiles[centre + 1], tiles[centre + 2], tiles[centre + 3])
        sums += delta * delta
        centre += Self.tile
      }
      for lane in 0..<Self.tile where sums[lane] < best.squaredDistance {
        best = (min(first + lane, references.count - 1), sums[lane])
      }
    }
    return best
  }

  @inline(__always)
  private static func keepCloser(
    _ distance: SIMD4<Double>, _ cluster: Int, _ bestDistance: inout SIMD4<Double>,
    _ bestCluster: inout SIMD4<Int64>
  ) {
    let closer = distance .< bestDistance
    bestDistance.replace(with: distance, where: closer)
    bestCluster.replace(with: Int64(cluster), where: closer)
  }

  @inline(__always)
  private static func clip(_ z: SIMD4<Double>, _ limit: Double) -> SIMD4<Double> {
    let below = z.replacing(with: limit, where: z .> limit)
    return below.replacing(with: -limit, where: below .< -limit)
  }
}
