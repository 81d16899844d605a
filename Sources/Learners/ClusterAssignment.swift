import LinearAlgebra

/// Finds the nearest centre of every row of a block by one matrix product:
/// ‖z − c‖² = ‖z‖² − 2 z·c + ‖c‖².
struct ClusterAssignment: Sendable {
  /// Standardised centres, one row each.
  var centres: Matrix
  /// Index of the nearest centre of each row.
  private(set) var nearest: [Int]
  private var products: Matrix
  private var halfNorms: [Double]

  init(clusters: Int, featureCount: Int, capacity: Int) {
    centres = Matrix(columns: featureCount, capacity: clusters)
    centres.resize(rows: clusters)
    nearest = [Int](repeating: 0, count: capacity)
    products = Matrix(columns: clusters, capacity: capacity)
    halfNorms = [Double](repeating: 0, count: clusters)
  }

  /// Rows that fit.
  var capacity: Int { nearest.count }

  /// Fills ``nearest`` for the rows of a standardised block; of equally near centres the first.
  ///
  /// - Parameter isUsed: Whether a centre may be assigned to; at least one must.
  mutating func assign(_ standardised: Matrix, isUsed: (Int) -> Bool) {
    let clusters = centres.rows
    let rows = standardised.rows
    for cluster in 0..<clusters {
      var sum = 0.0
      for feature in 0..<centres.columns {
        let value = centres.values[feature * centres.stride + cluster]
        sum += value * value
      }
      halfNorms[cluster] = isUsed(cluster) ? sum / 2 : .infinity
    }
    standardised.multiply(transposed: centres, into: &products)
    let step = products.stride
    products.values.withUnsafeBufferPointer { products in
      for row in 0..<rows {
        var best = Double.infinity
        var index = 0
        for cluster in 0..<clusters {
          let half = halfNorms[cluster] - products[cluster * step + row]
          if half < best {
            best = half
            index = cluster
          }
        }
        nearest[row] = index
      }
    }
  }
}
