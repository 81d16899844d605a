/// One feature of a pipeline, as its file declares it.
public struct FeatureDefinition: Sendable, Equatable {
  /// What is computed, from which fields.
  public var operation: Operation
  /// The name shown to people; a feature of several columns appends each column's part.
  public var name: String
  /// Whether models get it; if not, it is only there for other features.
  public var isInput: Bool

  /// A feature; without a name it is called after its operation and fields.
  public init(_ operation: Operation, name: String? = nil, isInput: Bool = true) {
    self.operation = operation
    self.name = name ?? operation.defaultName
    self.isInput = isInput
  }

  /// How a feature follows from the event's fields and time, from what its entities did before, or
  /// from features before it in the list. Where a number is asked for, the name of such a feature
  /// will do; if that has several columns, so has the new one.
  public enum Operation: Sendable, Equatable {
    /// The number as it is.
    case number(String)
    /// sign(x) · ln(1 + |x|): a logarithm that is defined for zero and for negative amounts.
    case log(String)
    /// sign(x) · √|x|.
    case squareRoot(String)
    /// a − b.
    case difference(String, String)
    /// a ÷ b, 0 where b is 0.
    case ratio(String, String)
    /// A figure over windows before the event, a column a window.
    case window(WindowFeature)
    /// Which of so many bins of the distribution so far a number falls into, coded cumulatively:
    /// one column fewer than bins, each 1 from an edge on. So a linear model learns steps.
    case bins(String, count: Int)
    /// Hour of the day of the event time in UTC, 0 to 23.
    case hour
    /// Day of the week of the event time, Monday 0 to Sunday 6.
    case weekday
    /// 1 from midnight up to and including the given hour, else 0.
    case night(throughHour: Int)
    /// 1 on Saturday and Sunday, else 0.
    case weekend
    /// One column a listed category: 1 where the field is that category. A category that is not
    /// listed is 0 in all of them.
    case oneHot(String, categories: [String])
    /// One of `buckets` columns is 1, chosen by a hash of the category (Weinberger et al., "Feature
    /// hashing for large scale multitask learning", 2009, without the sign).
    case hashed(String, buckets: Int)
    /// Which category it is, or which combination of several, as the number of its ``CategoryHash``;
    /// of category fields or entities. Only models that look up a weight for it can learn from it.
    case sparse([String])
    /// 1 where the field was missing and its stand-in was taken, else 0.
    case isMissing(String)

    /// What the feature is, on one line: part of what parameters mean, so it never changes.
    public var definition: String {
      switch self {
      case .number(let field): "number \(field)"
      case .log(let field): "log \(field)"
      case .squareRoot(let field): "sqrt \(field)"
      case .window(let window): window.definition
      case .bins(let field, let count): "bins \(field) \(count)"
      case .difference(let a, let b): "difference \(a) \(b)"
      case .ratio(let a, let b): "ratio \(a) \(b)"
      case .hour: "time hour"
      case .weekday: "time weekday"
      case .night(let through): "time night through \(through)"
      case .weekend: "time weekend"
      case .oneHot(let field, let categories):
        "one_hot \(field) \(categories.joined(separator: " "))"
      case .hashed(let field, let buckets): "hash \(field) \(buckets)"
      case .sparse(let fields): "sparse \(fields.joined(separator: " "))"
      case .isMissing(let field): "missing \(field)"
      }
    }

    var defaultName: String {
      switch self {
      case .number(let field): field
      case .log(let field): "log(\(field))"
      case .squareRoot(let field): "sqrt(\(field))"
      case .window(let window): window.defaultName
      case .bins(let field, _): "bins(\(field))"
      case .difference(let a, let b): "\(a)-\(b)"
      case .ratio(let a, let b): "\(a)/\(b)"
      case .hour: "hour"
      case .weekday: "weekday"
      case .night: "night"
      case .weekend: "weekend"
      case .oneHot(let field, _): field
      case .hashed(let field, _): field
      case .sparse(let fields): fields.joined(separator: "*")
      case .isMissing(let field): "missing(\(field))"
      }
    }
  }
}

/// Features that do not fit the schema or each other.
public struct FeatureError: Error, CustomStringConvertible {
  /// What is wrong with one feature.
  public struct Problem: Sendable, Equatable {
    /// Position in the list of definitions.
    public let feature: Int
    /// The field or name at fault, with the nearest valid one.
    public let description: String
  }

  /// In the order of the list, at least one.
  public let problems: [Problem]

  init(_ problems: [Problem]) { self.problems = problems }

  init(feature: Int, description: String) {
    problems = [Problem(feature: feature, description: description)]
  }

  /// A line a problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}
