/// What one figure did over time: its samples, and the straight line through them.
struct Series {
  let name: String
  let unit: String
  /// By how much the line may rise from the end of the warm-up to the end: this share of the mean,
  /// and this much, in the unit.
  let allowedShare: Double
  let allowedRise: Double
  var samples: [Double] = []

  init(_ name: String, _ unit: String, allowedShare: Double, allowedRise: Double) {
    self.name = name
    self.unit = unit
    self.allowedShare = allowedShare
    self.allowedRise = allowedRise
  }

  /// How a figure went, from sample number `warmUp` on.
  struct Verdict {
    var mean: Double
    /// By how much the line of least squares rises over the samples.
    var rise: Double
    var allowed: Double

    var isFlat: Bool { rise <= allowed }
  }

  func verdict(after warmUp: Int) -> Verdict {
    let values = samples.dropFirst(warmUp).filter(\.isFinite)
    let count = Double(values.count)
    guard values.count > 2 else { return Verdict(mean: .nan, rise: .infinity, allowed: 0) }
    let mean = values.reduce(0, +) / count
    let middle = (count - 1) / 2
    var products = 0.0
    var squares = 0.0
    for (index, value) in values.enumerated() {
      let distance = Double(index) - middle
      products += distance * (value - mean)
      squares += distance * distance
    }
    return Verdict(
      mean: mean, rise: products / squares * (count - 1),
      allowed: allowedShare * mean + allowedRise)
  }

  /// The samples as a line of blocks, at most `width` of them.
  func sparkline(width: Int = 40) -> String {
    let blocks = Array("▁▂▃▄▅▆▇█")
    let values = samples.filter(\.isFinite)
    guard let top = values.max(), top > 0 else { return "" }
    let columns = min(width, values.count)
    return String(
      (0..<columns).map { column in
        let range = column * values.count / columns..<(column + 1) * values.count / columns
        let mean = values[range].reduce(0, +) / Double(range.count)
        return blocks[min(blocks.count - 1, Int(mean / top * Double(blocks.count)))]
      })
  }
}
