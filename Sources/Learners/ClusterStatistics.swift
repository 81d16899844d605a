import LinearAlgebra
import StateCoding

/// Decayed weight, centre and scatter of every cluster, in the features' own units.
struct ClusterStatistics: Sendable, Equatable {
  let featureCount: Int
  /// Decayed sum of example weights; 0 for a cluster that does not exist (yet).
  private(set) var weights: [Double]
  /// Row-major, one row a cluster.
  private(set) var centres: [Double]
  /// Decayed sum of squared deviations from the centre, row-major.
  private(set) var scatter: [Double]

  init(clusters: Int, featureCount: Int) {
    self.featureCount = featureCount
    weights = [Double](repeating: 0, count: clusters)
    centres = [Double](repeating: 0, count: clusters * featureCount)
    scatter = centres
  }

  var count: Int { weights.count }

  mutating func decay(by factor: Double) {
    for cluster in weights.indices { weights[cluster] *= factor }
    for index in scatter.indices { scatter[index] *= factor }
  }

  /// Adds one row to one cluster by Welford's update.
  mutating func add(_ features: Matrix, row: Int, weight: Double, to cluster: Int) {
    let combined = weights[cluster] + weight
    let step = weight / combined
    let kept = weights[cluster] * step
    weights[cluster] = combined
    let largest = Standardisation.largestMean
    let start = cluster * featureCount
    let stride = features.stride
    features.values.withUnsafeBufferPointer { values in
      for feature in 0..<featureCount {
        let value = max(-largest, min(largest, values[feature * stride + row]))
        let delta = value - centres[start + feature]
        let moved = centres[start + feature] + delta * step
        centres[start + feature] = max(-largest, min(largest, moved))
        scatter[start + feature] += delta * delta * kept
      }
    }
  }

  /// Within-cluster sum of squares in standardised units.
  func scatter(of cluster: Int, in units: Standardisation) -> Double {
    var sum = 0.0
    for feature in 0..<featureCount {
      let scale = units.scale[feature]
      sum += scatter[cluster * featureCount + feature] * scale * scale
    }
    return sum
  }

  /// Replaces one cluster by half of another: the two end up on either side of the old centre, half
  /// a standard deviation of that cluster away in every feature, in a random diagonal direction.
  mutating func split(_ donor: Int, into cluster: Int, random: inout RandomSource) {
    let weight = weights[donor]
    weights[donor] = weight / 2
    weights[cluster] = weight / 2
    for feature in 0..<featureCount {
      let from = donor * featureCount + feature
      let to = cluster * featureCount + feature
      let deviation = (scatter[from] / weight).squareRoot()
      let step = random.next() >> 63 == 0 ? deviation / 2 : -deviation / 2
      let centre = centres[from]
      let largest = Standardisation.largestMean
      centres[to] = max(-largest, min(largest, centre + step))
      centres[from] = max(-largest, min(largest, centre - step))
      scatter[from] /= 2
      scatter[to] = scatter[from]
    }
  }
}

extension ClusterStatistics {
  func write(to writer: inout StateWriter) {
    writer.write(weights)
    writer.write(centres)
    writer.write(scatter)
  }

  init(
    from reader: inout StateReader, clusters: Int, featureCount: Int
  ) throws(StateError) {
    self.featureCount = featureCount
    weights = try reader.readFinites(count: clusters)
    centres = try reader.readFinites(count: clusters * featureCount)
    scatter = try reader.readFinites(count: clusters * featureCount)
    guard weights.allSatisfy({ $0 >= 0 }), scatter.allSatisfy({ $0 >= 0 }),
      centres.allSatisfy({ abs($0) <= Standardisation.largestMean })
    else { throw .invalid("cluster") }
  }
}
