import Files
import LinearAlgebra

/// The features of a pipeline, bound to the columns of its events and to each other. What they
/// remember is a `FeatureMemory`.
public struct FeaturePlan: Sendable {
  /// A name a column of the feature matrix; columns of hashes come last.
  public let names: [String]
  /// How many of the last columns hold hashes of categories instead of quantities.
  public var sparseCount: Int { sparseFields.count }
  /// Which categories of an event's block each of those hashes.
  let sparseFields: [[Int]]

  let steps: [Step]
  let windows: WindowPlan
  /// How much windows may keep.
  public let windowSettings: WindowSettings
  /// Where each column lies: in the feature matrix if it is an input, otherwise hidden.
  let places: [Place]
  /// Which column each column of the window plan is.
  let windowColumns: [Int]
  let schema: EventSchema

  enum Place {
    case input(Int)
    case hidden(Int)
  }

  /// Where a step takes a number from.
  enum Source: Equatable {
    case field(Int)
    case column(Int)
  }

  /// How columns are computed once the windows' are there, each from others before it.
  enum Step {
    case number(Source, into: Int)
    case log(Source, into: Int)
    case squareRoot(Source, into: Int)
    case difference(Source, Source, into: Int)
    case ratio(Source, Source, into: Int)
    /// Number of the sketch.
    case bins(Source, Int, into: Range<Int>)
    case hour(into: Int)
    case weekday(into: Int)
    case night(Int, into: Int)
    case weekend(into: Int)
    case oneHot(Int, [[UInt8]], into: Range<Int>)
    case hashed(Int, into: Range<Int>)
    /// Numbers of the categories in a block.
    case sparse([Int], CategoryHash, into: Int)
    case isMissing(Int, into: Int)
  }

  /// Number of columns.
  public var count: Int { names.count }
  /// Number of columns that hold quantities: the first ones.
  public var denseCount: Int { count - sparseCount }
  /// Whether any feature depends on what came before the event.
  public var hasWindows: Bool { !windows.columns.isEmpty }
  /// Whether features depend on more than the event itself.
  public var remembers: Bool { hasWindows || !sketches.isEmpty }
  /// Whether windows ask for labels.
  public var usesLabels: Bool { windows.usesLabels }
  /// What each kind of entity costs in memory; empty without windows.
  public var windowCosts: [WindowMemory.Cost] { windows.costs(schema) }
  /// The number of bins of each feature in bins.
  let sketches: [Int]
  var hiddenCount: Int {
    places.count {
      if case .hidden = $0 { true } else { false }
    }
  }

  /// Binds definitions to a schema.
  /// - Throws: `FeatureError` for fields that are not in the schema or have the wrong type, names that
  ///   are used twice, and windows without length.
  public init(
    _ definitions: [FeatureDefinition], schema: EventSchema,
    windows settings: WindowSettings = .init()
  ) throws(FeatureError) {
    var builder = FeaturePlanBuilder(schema: schema)
    for (position, definition) in definitions.enumerated() { builder.add(definition, position) }
    windows = builder.bindWindows(settings)
    builder.placeSparse()
    if !builder.problems.isEmpty { throw FeatureError(builder.problems) }
    self.schema = schema
    windowSettings = settings
    steps = builder.steps
    sketches = builder.sketches
    windowColumns = builder.windowColumns
    places = builder.places
    names = builder.inputNames
    sparseFields = builder.sparseFields
  }

  /// The categories that an event has in a column of hashes; nil for a column of quantities.
  public func categories(_ column: Int, of block: EventBlock, row: Int) -> [ArraySlice<UInt8>]? {
    guard column >= denseCount else { return nil }
    return sparseFields[column - denseCount].map { block.category($0, row) }
  }
}

/// Differences and ratios of numbers within Float32's range may leave it; they stop at its ends.
@inline(__always)
func bounded(_ value: Double) -> Double {
  let limit = Double(Float.greatestFiniteMagnitude)
  return min(max(value, -limit), limit)
}

/// `; did you mean 'x'?` for the nearest of `names`, or nothing if none is near.
public func nearestName(to wrong: String, in names: [String]) -> String {
  func distance(_ a: [Character], _ b: [Character]) -> Int {
    var previous = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var current = [i + 1]
      for (j, right) in b.enumerated() {
        current.append(
          min(previous[j + 1] + 1, current[j] + 1, previous[j] + (left == right ? 0 : 1)))
      }
      previous = current
    }
    return previous[b.count]
  }
  let target = Array(wrong.lowercased())
  let scored = names.map { ($0, distance(target, Array($0.lowercased()))) }
  guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(2, target.count / 2) else {
    return ""
  }
  return "; did you mean '\(best.0)'?"
}
