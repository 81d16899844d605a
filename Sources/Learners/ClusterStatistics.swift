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

  /// Writes the standardised centres of some clusters, one row each.
  func standardise(
    _ clusters: some Collection<Int>, _ units: Standardisation, into result: inout FloatRows
  ) {
    result.resize(rows: clusters.count)
    let step = result.stride
    result.values.withUnsafeMutableBufferPointer { result in
      for (row, cluster) in clusters.enumerated() {
        for feature in 0..<featureCount {
          result[row * step + feature] = Float(
            units.standardise(centres[cluster * featureCount + feature], feature: feature))
        }
      }
    }
  }

  /// Gives a cluster a centre, with no weight yet.
  ///
  /// - Parameter standardised: One value a feature.
  mutating func place(
    _ cluster: Int, at standardised: some Collection<Float>, units: Standardisation
  ) {
    let largest = Standardisation.largestMean
    for (feature, value) in standardised.enumerated() {
      let centre = units.restore(Double(value), feature: feature)
      centres[cluster * featureCount + feature] = max(-largest, min(largest, centre))
    }
  }

  /// Adds rows that were assigned to these centres, as they are in the given units.
  ///
  /// With S and Q the weighted sums of the differences from the old centre and of their squares, and
  /// W the weight with the rows, the centre moves by S ÷ W, and the scatter about it rises by
  /// Q − S² ÷ W (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983).
  mutating func add(_ assignment: ClusterAssignment, units: Standardisation) {
    let largest = Standardisation.largestMean
    let step = assignment.sums.stride
    // Back to the features' own units; 0 for a feature that has not varied.
    let deviations = units.scale.map { $0 > 0 ? 1 / $0 : 0 }
    for cluster in 0..<assignment.centres.rows where assignment.masses[cluster] > 0 {
      let combined = weights[cluster] + assignment.masses[cluster]
      weights[cluster] = combined
      let share = 1 / combined
      for feature in 0..<featureCount {
        let index = cluster * featureCount + feature
        let deviation = deviations[feature]
        guard deviation > 0 else {
          centres[index] = units.mean[feature]
          continue
        }
        let sum = Double(assignment.sums.values[cluster * step + feature])
        let square = Double(assignment.squares.values[cluster * step + feature])
        let shift = sum * share
        centres[index] = max(-largest, min(largest, centres[index] + shift * deviation))
        scatter[index] += max(0, square - sum * shift) * deviation * deviation
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
