/// Numbers as people read them. What is missing is a dash.
enum NumberText {
  static let missing = "–"
  private static let narrowSpace: Character = "\u{202f}"

  /// A number with so many digits behind the point, rounded half away from zero; numbers beyond
  /// 10^15 as Swift writes them.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return value.description }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    // Rounded from the shortest decimal that is this number, so that 0.8675 becomes 0.868 as
    // anybody reading 0.8675 expects, although the double lies a little below it.
    let scaled = (value.magnitude * scale)
    let nudged = scaled + scaled.ulp * 2
    let rounded = UInt64(min(nudged, 9e18).rounded(.toNearestOrAwayFromZero))
    let unit = UInt64(scale)
    var text = value < 0 && rounded > 0 ? "\u{2212}" : ""
    text += grouped(rounded / unit)
    guard digits > 0 else { return text }
    let fraction = (rounded % unit).description
    return text + "." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  /// A coordinate of a picture.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let hundredths = Int64((min(max(value, -1e7), 1e7) * 100).rounded())
    var text = hundredths < 0 ? "-" : ""
    text += (hundredths.magnitude / 100).description
    let rest = hundredths.magnitude % 100
    if rest > 0 {
      text += rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)"
    }
    return text
  }

  /// A whole number in groups of three digits.
  static func grouped(_ value: UInt64) -> String {
    let digits = value.description
    guard digits.count > 3 else { return digits }
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// A count.
  static func count(_ value: Double?) -> String {
    guard let value else { return missing }
    return fixed(value, value == value.rounded() || value.magnitude >= 1000 ? 0 : 1)
  }

  /// A figure between 0 and 1, or near it.
  static func figure(_ value: Double?) -> String { value.map { fixed($0, 3) } ?? missing }

  /// A figure that may be far below 1: three digits that tell.
  static func small(_ value: Double?) -> String {
    guard let value else { return missing }
    switch value.magnitude {
    case 0: return "0"
    case 100...: return fixed(value, 0)
    case 10...: return fixed(value, 1)
    case 1...: return fixed(value, 2)
    case 0.1...: return fixed(value, 3)
    case 0.01...: return fixed(value, 4)
    case 0.000_01...: return fixed(value, 5)
    default:
      var exponent = 5
      while value.magnitude * power(exponent) < 0.9995, exponent < 300 { exponent += 1 }
      return "\(fixed(value * power(exponent), 2))e\u{2212}\(exponent)"
    }
  }

  private static func power(_ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  /// A difference: with its sign, zero without one.
  static func signed(_ value: Double, _ format: (Double?) -> String) -> String {
    let text = format(value)
    return value > 0 && text.contains(where: { ("1"..."9").contains($0) }) ? "+\(text)" : text
  }

  /// A difference of two figures: four digits behind the point, five of figures below 0.01, none
  /// of those from 100; never a power of ten, so that the numbers of a column compare at a glance.
  /// - Parameter largest: the magnitude of the larger figure.
  static func difference(_ value: Double, of largest: Double) -> String {
    signed(value) { fixed($0 ?? 0, largest >= 100 ? 0 : largest >= 0.01 ? 4 : 5) }
  }

  /// A share as per cent.
  static func percent(_ share: Double?) -> String {
    guard let share else { return missing }
    let percent = share * 100
    let digits = percent.magnitude >= 99.95 || percent == 0 ? 0 : percent.magnitude >= 10 ? 1 : 2
    return "\(fixed(percent, digits))\(narrowSpace)%"
  }

  /// Per cent for an axis: no digit more than it takes.
  static func axisPercent(_ share: Double) -> String {
    "\(axis(share * 100))\(narrowSpace)%"
  }

  /// A number for an axis: no digit more than it takes.
  static func axis(_ value: Double) -> String {
    if value.magnitude >= 10_000, value == value.rounded() {
      return value.truncatingRemainder(dividingBy: 1_000_000) == 0
        ? "\(fixed(value / 1_000_000, 0))M" : "\(fixed(value / 1000, 0))k"
    }
    var text = fixed(value, 6)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }

  /// A length of time, in its two largest units.
  static func duration(milliseconds: Double) -> String {
    let units: [(name: String, length: Double)] = [
      ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1),
    ]
    var rest = milliseconds.rounded()
    var parts: [String] = []
    for unit in units where rest >= unit.length && parts.count < 2 {
      let count = (rest / unit.length).rounded(.down)
      parts.append("\(fixed(count, 0))\(narrowSpace)\(unit.name)")
      rest -= count * unit.length
    }
    return parts.isEmpty ? "none" : parts.joined(separator: " ")
  }

  /// A size in memory.
  static func bytes(_ count: Double) -> String {
    let units: [(name: String, size: Double)] = [("GB", 0x1p30), ("MB", 0x1p20), ("kB", 0x1p10)]
    for unit in units where count >= unit.size {
      let value = count / unit.size
      return "\(fixed(value, value < 10 ? 1 : 0))\(narrowSpace)\(unit.name)"
    }
    return "\(fixed(count, 0))\(narrowSpace)B"
  }
}
