/// A figure over what an entity did before: over the events with the same entity in a time before
/// each event, exact to the millisecond.
public struct WindowFeature: Sendable, Equatable {
  /// What is computed of the events in a window.
  public enum Figure: Sendable, Equatable {
    /// How many there are.
    case count
    /// The sum of a number.
    case sum(String)
    /// The mean of a number; 0 of none.
    case mean(String)
    /// The standard deviation of a number, n − 1 in the denominator; 0 of fewer than two.
    case deviation(String)
    /// The least number; 0 of none.
    case least(String)
    /// The largest number; 0 of none.
    case largest(String)
    /// How many different values a category or entity field has.
    case distinct(String)
    /// Seconds since the latest one; the length of the window if there is none.
    case sinceLast
    /// How many are known to be positive.
    case positives
    /// The share known to be positive; 0 of none.
    case positiveRate
  }

  /// What is computed.
  public var figure: Figure
  /// The entity fields that events have to share, at least one.
  public var entity: [String]
  /// The lengths of the windows, ms: a column each.
  public var spans: [Int64]
  /// How long ago the windows end, ms: labels that come so late are all known then.
  public var delay: Int64
  /// Which events count; nil: all.
  public var condition: Condition?
  /// Whether an event counts in its own windows. With a delay it does not.
  public var countsCurrent: Bool

  /// A figure over windows.
  public init(
    _ figure: Figure, entity: [String], spans: [Int64], delay: Int64 = 0,
    condition: Condition? = nil, countsCurrent: Bool = true
  ) {
    self.figure = figure
    self.entity = entity
    self.spans = spans
    self.delay = delay
    self.condition = condition
    self.countsCurrent = countsCurrent
  }

  /// A comparison of a field with a constant.
  public struct Condition: Sendable, Hashable {
    /// How field and constant are compared. Categories are only equal or not.
    public enum Comparison: String, Sendable, CaseIterable {
      case less = "<"
      case lessOrEqual = "<="
      case greater = ">"
      case greaterOrEqual = ">="
      case equal = "="
      case unequal = "!="
    }

    /// A number or category field.
    public var field: String
    /// How it is compared.
    public var comparison: Comparison
    /// The number, or the category as it is written.
    public var constant: String

    /// Reads `field < constant`; nil for a text that is no comparison.
    public init?(_ text: String) {
      // Longer signs first: `<=` begins with `<`.
      let signs = Comparison.allCases.sorted { $0.rawValue.count > $1.rawValue.count }
      guard
        let (sign, range) = signs.lazy.compactMap({ sign in
          text.firstRange(of: sign.rawValue).map { (sign, $0) }
        }).min(by: { $0.1.lowerBound < $1.1.lowerBound })
      else { return nil }
      field = text[..<range.lowerBound].trimmed
      comparison = sign
      constant = text[range.upperBound...].trimmed
      if field.isEmpty || constant.isEmpty { return nil }
    }

    /// As a pipeline file writes it.
    public var text: String { "\(field) \(comparison.rawValue) \(constant)" }
  }

  /// What it is, on one line: part of what parameters mean, so it never changes.
  var definition: String {
    var text =
      switch figure {
      case .count: "count"
      case .sum(let field): "sum \(field)"
      case .mean(let field): "mean \(field)"
      case .deviation(let field): "std \(field)"
      case .least(let field): "min \(field)"
      case .largest(let field): "max \(field)"
      case .distinct(let field): "distinct \(field)"
      case .sinceLast: "since_last"
      case .positives: "sum label"
      case .positiveRate: "rate label"
      }
    text +=
      " by \(entity.joined(separator: " ")) over \(spans.map { "\($0)ms" }.joined(separator: " "))"
    if delay > 0 { text += " delay \(delay)ms" }
    if let condition { text += " where \(condition.text)" }
    if !countsCurrent { text += " without current" }
    return text
  }

  /// A length in the largest unit that gives a whole number: part of a column's name.
  static func spanText(_ span: Int64) -> String {
    let units: [(String, Int64)] = [
      ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
    ]
    guard let unit = units.first(where: { span % $0.1 == 0 }) else { return "\(span)ms" }
    return "\(span / unit.1)\(unit.0)"
  }

  var defaultName: String {
    let by = entity.joined(separator: "_")
    return switch figure {
    case .count: "count_\(by)"
    case .sum(let field): "sum_\(field)_\(by)"
    case .mean(let field): "mean_\(field)_\(by)"
    case .deviation(let field): "std_\(field)_\(by)"
    case .least(let field): "min_\(field)_\(by)"
    case .largest(let field): "max_\(field)_\(by)"
    case .distinct(let field): "distinct_\(field)_\(by)"
    case .sinceLast: "since_last_\(by)"
    case .positives: "sum_label_\(by)"
    case .positiveRate: "rate_label_\(by)"
    }
  }
}

extension Substring {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
