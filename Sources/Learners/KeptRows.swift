import LinearAlgebra
import StateCoding

/// Rows kept for the start of ``KMeans``.
struct KeptRows: Sendable, Equatable {
  let featureCount: Int
  /// Row-major.
  private(set) var values: [Double] = []
  /// Positive.
  private(set) var weights: [Double] = []
  /// Number of rows at which to cluster next.
  var nextSize: Int

  init(featureCount: Int, nextSize: Int) {
    self.featureCount = featureCount
    self.nextSize = nextSize
  }

  var count: Int { weights.count }

  /// Adds the rows that have a weight.
  mutating func append(_ features: Matrix, _ exampleWeights: [Double]) {
    for row in 0..<features.rows {
      let weight = exampleWeight(exampleWeights, row)
      guard weight > 0 else { continue }
      weights.append(weight)
      for feature in 0..<featureCount {
        values.append(features.values[feature * features.stride + row])
      }
    }
  }

  func matrix() -> Matrix {
    var matrix = Matrix(columns: featureCount, capacity: count)
    for row in 0..<count {
      matrix.append(values[row * featureCount..<(row + 1) * featureCount])
    }
    return matrix
  }

  func write(to writer: inout StateWriter) {
    writer.write(UInt64(nextSize))
    writer.write(weights)
    writer.write(values)
  }

  init(from reader: inout StateReader, featureCount: Int, limit: Int) throws(StateError) {
    self.featureCount = featureCount
    nextSize = try reader.readCount(limit: limit)
    weights = try reader.readFinites()
    guard weights.count < limit, weights.allSatisfy({ $0 > 0 && $0 <= largestExampleWeight }) else {
      throw .invalid("weight of a kept row")
    }
    values = try reader.readFinites(count: weights.count * featureCount)
  }
}
