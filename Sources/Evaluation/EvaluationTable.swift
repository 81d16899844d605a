/// Test-then-train predictions of several models, kept compactly until figures are asked for.
///
/// A row takes 4 bytes a model and 5 more. Rows are in the order in which they were appended, which
/// breaks ties at an alert budget; days may come in any order.
public struct EvaluationTable: Sendable {
  /// The columns, in the order of the scores.
  public let models: [ModelColumn]
  var scores: [[Float]]
  /// Bit 0 the label, the bits above it the decision.
  var marks: [UInt8] = []
  var days: [Int32] = []
  /// Of each model what scored from which row on, rows rising.
  var served: [[(row: Int, version: ServedVersion)]]

  /// Makes an empty table.
  public init(models: [ModelColumn]) {
    self.models = models
    scores = models.map { _ in [] }
    served = models.map { _ in [] }
  }

  /// The number of rows.
  public var count: Int { days.count }

  /// The position of the first column with this name.
  public func index(ofModel name: String) -> Int? {
    models.firstIndex { $0.name == name }
  }

  /// Makes room for `capacity` rows at once, so that growing does not hold columns twice.
  public mutating func reserveCapacity(_ capacity: Int) {
    for model in scores.indices { scores[model].reserveCapacity(capacity) }
    marks.reserveCapacity(capacity)
    days.reserveCapacity(capacity)
  }

  /// Appends one event.
  ///
  /// - Parameters:
  ///   - scores: one a model; NaN where the model had no parameters yet.
  ///   - decision: what was decided.
  ///   - label: whether the event turned out positive.
  ///   - day: the event's day; see ``utcDay(ofMilliseconds:)``.
  /// - Precondition: there is one score a model.
  public mutating func append(
    scores row: [Float], decision: DecisionOutcome, label: Bool, day: Int32
  ) {
    precondition(row.count == models.count, "one score a model")
    for model in row.indices { scores[model].append(row[model]) }
    marks.append(Self.mark(decision, label))
    days.append(day)
  }

  /// Appends the first `count` events of a block held by column; allocates only when the table
  /// grows, so the caller can reuse its arrays.
  ///
  /// - Parameters:
  ///   - count: the number of events to take.
  ///   - columns: one array a model, of `count` scores or more; NaN as for single events.
  ///   - decisions: `count` outcomes or more.
  ///   - labels: `count` labels or more.
  ///   - days: `count` days or more.
  /// - Precondition: there is one column a model and no array is shorter than `count`.
  public mutating func append(
    count: Int, scores columns: [[Float]], decisions: [DecisionOutcome], labels: [Bool],
    days blockDays: [Int32]
  ) {
    precondition(columns.count == models.count, "one column a model")
    precondition(
      count >= 0 && columns.allSatisfy { $0.count >= count } && decisions.count >= count
        && labels.count >= count && blockDays.count >= count, "a column is shorter than the block")
    for model in columns.indices { scores[model].append(contentsOf: columns[model][..<count]) }
    for index in 0..<count { marks.append(Self.mark(decisions[index], labels[index])) }
    days.append(contentsOf: blockDays[..<count])
  }

  /// Notes that a version of a model scores from a row on.
  ///
  /// - Parameters:
  ///   - row: not before that of the version noted last; nil: the row appended next.
  public mutating func serve(_ version: ServedVersion, model: Int, fromRow row: Int? = nil) {
    let row = row ?? count
    precondition(served[model].last.map { $0.row <= row } ?? true, "versions come in order")
    if served[model].last?.row == row { served[model].removeLast() }
    served[model].append((row, version))
  }

  private static func mark(_ decision: DecisionOutcome, _ label: Bool) -> UInt8 {
    decision.rawValue << 1 | (label ? 1 : 0)
  }
}
