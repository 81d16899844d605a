/// How long the records of a topic are kept. With both limits, what is over either goes.
///
/// Age is counted back from the newest records' own timestamps, and never from later than the time
/// of day. So a stream that has stopped keeps what it has, a clock that runs ahead deletes nothing,
/// nor does a record that is dated ahead.
public struct Retention: Hashable, Sendable {
  /// The greatest age of a record, ms; nil for no limit.
  public var maximumAge: Int64?
  /// The most bytes a partition takes, as ``TopicDescription/bytes`` counts them; nil for no limit.
  public var maximumBytes: Int?

  /// Limits the age in ms, the bytes of a partition, both or neither.
  public init(maximumAge: Int64? = nil, maximumBytes: Int? = nil) {
    self.maximumAge = maximumAge
    self.maximumBytes = maximumBytes
  }

  /// Whether it limits nothing.
  public var isUnlimited: Bool { maximumAge == nil && maximumBytes == nil }
}

extension Retention: CustomStringConvertible {
  private static let ageUnits: [(name: String, factor: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
  ]
  private static let sizeUnits: [(name: String, factor: Int64)] = [
    ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("B", 1),
  ]

  /// The ms of an age such as `90d`, `36h`, `30m`, `45s` or `500ms`; nil if it is none above 0.
  public static func age(_ text: some StringProtocol) -> Int64? { parse(text, ageUnits) }

  /// The bytes of a size such as `2TB`, `50GB`, `100MB`, `64kB` or `4096B`, in powers of 1,000; nil
  /// if it is none above 0.
  public static func size(_ text: some StringProtocol) -> Int? {
    parse(text, sizeUnits).flatMap { Int(exactly: $0) }
  }

  /// The limits as in the settings file: `age=90d size=50GB`; empty without any.
  public var description: String {
    var parts: [String] = []
    if let maximumAge { parts.append("age=" + Self.text(maximumAge, Self.ageUnits)) }
    if let maximumBytes { parts.append("size=" + Self.text(Int64(maximumBytes), Self.sizeUnits)) }
    return parts.joined(separator: " ")
  }

  private static func parse(_ text: some StringProtocol, _ units: [(name: String, factor: Int64)])
    -> Int64?
  {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    guard let number = Int64(digits), number > 0,
      let factor = units.first(where: { $0.name == unit })?.factor
    else { return nil }
    let (value, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : value
  }

  /// In the largest unit that divides it; the last one always does.
  private static func text(_ value: Int64, _ units: [(name: String, factor: Int64)]) -> String {
    let unit = units.first { value % $0.factor == 0 }!
    return "\(value / unit.factor)\(unit.name)"
  }
}
