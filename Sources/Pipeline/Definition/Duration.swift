/// Lengths of time as pipeline files and flags write them: `500ms`, `30s`, `15m`, `6h`, `7d`.
public enum DurationText {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  /// A hundred years: times can be added to it without overflowing.
  private static let longest: Int64 = 36_525 * 86_400_000

  /// Milliseconds of a text, nil if it is no length of time.
  public static func parse(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits),
      let unit = units.first(where: { $0.suffix == text.dropFirst(digits.count) })
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
    return overflow || product > longest ? nil : product
  }

  /// The text of a length of time, in the largest unit that gives a whole number.
  public static func text(_ milliseconds: Int64) -> String {
    let unit = units.last { milliseconds % $0.milliseconds == 0 && milliseconds != 0 } ?? units[1]
    return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
  }
}
