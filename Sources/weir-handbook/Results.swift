import Files
import Pipeline

/// All that is computed, for people and for scripts.
struct Results {
  /// Nil without the authors' file.
  var features: GoldenFeatures?
  /// Of the pipelines by their names in documents: the figures of the tables.
  var tables: [(name: String, file: String, figures: [TestSpread?])] = []
  /// The pipeline file that replays the stream that drifts.
  var driftFile = ""
  /// AUROC under each policy, on that stream.
  var drift: [(policy: LearningPolicy, first: TestSpread?, later: TestSpread?)] = []
  /// How long the parts took.
  var seconds: [(part: String, seconds: Double)] = []

  /// Runs a part and notes how long it took.
  mutating func time<Result>(_ part: String, _ body: () throws -> Result) rethrows -> Result {
    let clock = ContinuousClock()
    let start = clock.now
    defer { seconds.append((part, (clock.now - start) / .seconds(1))) }
    return try body()
  }
}

// MARK: For scripts

extension Results {
  var json: JSONValue {
    let tables = tables.map { table in
      let figures = zip(BookProtocol.figures, table.figures).map { column, spread in
        (column.name.key, JSONValue.object(Self.json(spread)))
      }
      return (table.name, JSONValue.object(figures))
    }
    let drift = drift.map { entry in
      let later = entry.later?.values ?? []
      return (
        entry.policy.rawValue,
        JSONValue.object(
          Self.json(entry.first) + [("later_weeks", .array(later.map { JSONValue($0) }))])
      )
    }
    return .object([
      (
        "features",
        features.map {
          .object([
            ("rows", JSONValue($0.rows)), ("mismatches", JSONValue($0.differences.count)),
          ])
        } ?? .null
      ),
      ("tables", .object(tables)), ("drift", .object(drift)),
      ("seconds", .object(seconds.map { ($0.part, JSONValue($0.seconds)) })),
    ])
  }

  private static func json(_ spread: TestSpread?) -> [(String, JSONValue)] {
    [
      ("mean", JSONValue(spread?.mean)), ("spread", JSONValue(spread?.deviation)),
      ("weeks", .array((spread?.values ?? []).map { JSONValue($0) })),
    ]
  }
}
