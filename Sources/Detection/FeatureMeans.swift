import LinearAlgebra

/// Means of features over the rows that have them: what k-means, which knows no missing values, is
/// given in place of one.
struct FeatureMeans {
  private var sums: [Double]
  private var counts: [Double]

  init(featureCount: Int) {
    sums = Array(repeating: 0, count: featureCount)
    counts = sums
  }

  mutating func add(_ block: Matrix) {
    for feature in sums.indices {
      for row in 0..<block.rows {
        let value = block.values[feature * block.stride + row]
        guard !value.isNaN else { continue }
        sums[feature] += value
        counts[feature] += 1
      }
    }
  }

  /// Puts the mean, 0 while there is none, where a value is missing.
  func fill(_ block: inout Matrix) {
    for feature in sums.indices {
      let mean = counts[feature] > 0 ? sums[feature] / counts[feature] : 0
      for row in 0..<block.rows where block.values[feature * block.stride + row].isNaN {
        block.values[feature * block.stride + row] = mean
      }
    }
  }
}
