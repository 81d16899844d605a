import Glibc

/// From values to coordinates along one axis of a picture.
struct Scale {
  /// The values at both ends.
  let low: Double
  let high: Double
  /// Their coordinates.
  let start: Double
  let end: Double
  /// In powers of ten; `low` is above 0 then.
  let isLogarithmic: Bool

  init(_ low: Double, _ high: Double, from start: Double, to end: Double, logarithmic: Bool = false)
  {
    self.low = low
    self.high = high > low ? high : low + 1
    self.start = start
    self.end = end
    isLogarithmic = logarithmic
  }

  /// The coordinate of a value; of one beyond an end, that end.
  func callAsFunction(_ value: Double) -> Double {
    let share =
      isLogarithmic
      ? (log10(max(value, low)) - log10(low)) / (log10(high) - log10(low))
      : (value - low) / (high - low)
    return start + (end - start) * min(max(share, 0), 1)
  }

  /// Round values to mark, about so many.
  func ticks(about count: Int) -> [Double] {
    if isLogarithmic {
      let first = Int((log10(low) - 1e-9).rounded(.up))
      let last = Int((log10(high) + 1e-9).rounded(.down))
      guard first <= last else { return [low, high] }
      let step = max(1, (last - first + count - 1) / max(count, 1))
      return stride(from: last, through: first, by: -step).reversed().map { power(of: $0) }
    }
    let step = Self.roundStep((high - low) / Double(max(count, 1)))
    let first = Int((low / step - 1e-9).rounded(.up))
    let last = Int((high / step + 1e-9).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * step } : []
  }

  /// The next of 1, 2, 2.5, 5 times a power of ten that is not below.
  static func roundStep(_ step: Double) -> Double {
    guard step > 0, step.isFinite else { return 1 }
    let magnitude = pow(10, log10(step).rounded(.down))
    for factor in [1, 2, 2.5, 5] where step <= factor * magnitude * (1 + 1e-9) {
      return factor * magnitude
    }
    return 10 * magnitude
  }

  private func power(of exponent: Int) -> Double {
    // 10^-3 as it is written, not as a product.
    exponent >= 0 ? pow(10, Double(exponent)) : 1 / pow(10, Double(-exponent))
  }
}
