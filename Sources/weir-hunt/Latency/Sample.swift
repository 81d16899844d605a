/// Measured values, for their quantiles.
struct Sample {
  private var sorted: [Double]

  init(_ values: [Double]) { sorted = values.sorted() }

  var count: Int { sorted.count }
  var median: Double { quantile(0.5) }

  /// The smallest value that at least a share `q` of the values do not exceed; NaN without values.
  func quantile(_ q: Double) -> Double {
    guard !sorted.isEmpty else { return .nan }
    let rank = (q * Double(sorted.count)).rounded(.up)
    return sorted[min(max(Int(rank) - 1, 0), sorted.count - 1)]
  }
}
