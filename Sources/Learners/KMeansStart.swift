import LinearAlgebra

/// Clusters a block of standardised rows from nothing: k-means++ (Arthur and Vassilvitskii,
/// "k-means++: the advantages of careful seeding", 2007) followed by Lloyd's iterations, several
/// times over.
enum KMeansStart {
  /// Returns the cluster of each row, from the tightest of several starts.
  ///
  /// There are fewer than `clusters` where there are fewer distinct rows of positive weight. The
  /// weights must have a positive sum.
  static func cluster(
    _ rows: Matrix, weights: [Double], clusters: Int, starts: Int, iterations: Int,
    random: inout RandomSource
  ) -> [Int] {
    var best: (inertia: Double, assignment: [Int]) = (.infinity, [])
    for _ in 0..<starts {
      let chosen = seeds(rows, weights: weights, clusters: clusters, random: &random)
      var assignment = ClusterAssignment(
        clusters: chosen.count, featureCount: rows.columns, capacity: rows.rows)
      for (cluster, row) in chosen.enumerated() {
        for feature in 0..<rows.columns {
          assignment.centres[cluster, feature] = rows[row, feature]
        }
      }
      assignment.assign(rows) { _ in true }
      for _ in 0..<iterations {
        let before = assignment.nearest
        moveToMeans(&assignment, rows, weights)
        assignment.assign(rows) { _ in true }
        if assignment.nearest == before { break }
      }
      let inertia = inertia(assignment, rows, weights)
      if inertia < best.inertia || best.assignment.isEmpty {
        best = (inertia, assignment.nearest)
      }
    }
    return best.assignment
  }

  /// Rows chosen with probability proportional to their squared distance from those chosen before.
  private static func seeds(
    _ rows: Matrix, weights: [Double], clusters: Int, random: inout RandomSource
  ) -> [Int] {
    var distance = [Double](repeating: 1, count: rows.rows)
    var chosen: [Int] = []
    while chosen.count < clusters {
      var total = 0.0
      for row in 0..<rows.rows { total += distance[row] * weights[row] }
      guard total > 0 else { break }
      var target = random.uniform() * total
      var pick: Int?
      for row in 0..<rows.rows {
        let mass = distance[row] * weights[row]
        guard mass > 0 else { continue }
        // Rounding may leave a little of the target after the last row, which then is the one.
        pick = row
        target -= mass
        if target < 0 { break }
      }
      guard let pick else { break }
      let isFirst = chosen.isEmpty
      chosen.append(pick)
      for row in 0..<rows.rows {
        var sum = 0.0
        for feature in 0..<rows.columns {
          let start = feature * rows.stride
          let delta = rows.values[start + row] - rows.values[start + pick]
          sum += delta * delta
        }
        distance[row] = isFirst ? sum : min(distance[row], sum)
      }
    }
    return chosen
  }

  /// Moves every centre to the mean of its rows; one without rows stays.
  private static func moveToMeans(
    _ assignment: inout ClusterAssignment, _ rows: Matrix, _ weights: [Double]
  ) {
    let clusters = assignment.centres.rows
    var mass = [Double](repeating: 0, count: clusters)
    for row in 0..<rows.rows { mass[assignment.nearest[row]] += weights[row] }
    for feature in 0..<rows.columns {
      var sums = [Double](repeating: 0, count: clusters)
      let start = feature * rows.stride
      for row in 0..<rows.rows {
        sums[assignment.nearest[row]] += weights[row] * rows.values[start + row]
      }
      for cluster in 0..<clusters where mass[cluster] > 0 {
        assignment.centres[cluster, feature] = sums[cluster] / mass[cluster]
      }
    }
  }

  private static func inertia(
    _ assignment: ClusterAssignment, _ rows: Matrix, _ weights: [Double]
  ) -> Double {
    var total = 0.0
    for feature in 0..<rows.columns {
      let start = feature * rows.stride
      let centreStart = feature * assignment.centres.stride
      for row in 0..<rows.rows {
        let delta =
          rows.values[start + row]
          - assignment.centres.values[centreStart + assignment.nearest[row]]
        total += weights[row] * delta * delta
      }
    }
    return total
  }
}
