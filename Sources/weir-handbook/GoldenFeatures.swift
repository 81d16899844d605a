import Features
import Files
import Pipeline

/// The features of the stream as the Handbook's authors computed them (chapter 3.3, "Baseline
/// feature transformation"), held against those that a replay scores.
///
/// Counts and flags have to be equal, averages, rates and amounts within 1e-9 of each other,
/// relatively or absolutely: the authors keep running sums, which leave residues such as 8.9e-15
/// where all amounts in a window are 0.
///
/// Of two transactions of a customer in the same second, either may be the first: the authors'
/// unstable sort decides, here the stream's order does.
final class GoldenFeatures {
  /// Transactions of the authors.
  var rows: Int { values.count / columns.count }
  /// What differs, in the order of the replay: one a transaction.
  private(set) var differences: [Difference] = []

  /// A transaction whose features are not the authors'.
  struct Difference: CustomStringConvertible {
    let transaction: String
    /// The first feature that differs; nil: only one side has the transaction.
    let feature: (name: String, value: Double, golden: Double)?

    var description: String {
      guard let feature else { return "transaction \(transaction) is on one side only" }
      return "transaction \(transaction): \(feature.name) is \(feature.value), the authors have "
        + "\(feature.golden)"
    }
  }

  private struct Column {
    /// In a scored block.
    let place: Int
    let name: String
    let isExact: Bool

    func agrees(_ value: Double, _ golden: Double) -> Bool {
      value == golden
        || !isExact && (value - golden).magnitude <= 1e-9 * max(golden.magnitude, 1)
    }
  }

  private let columns: [Column]
  /// The row of a transaction.
  private var numbers: [String: Int] = [:]
  /// By transaction, one a column.
  private var values: [Double] = []
  private var isSeen: [Bool] = []

  /// Reads the authors' file: CSV with a header, gzipped or plain.
  /// - Parameter names: of the features that will be scored.
  init(path: String, names: [String]) throws {
    let features = Self.features
    columns = try features.map { feature in
      guard let place = names.firstIndex(of: feature.name) else {
        throw Failure("the pipeline file has no feature '\(feature.name)'")
      }
      return Column(place: place, name: feature.name, isExact: feature.isExact)
    }
    var reader = try CSVReader(try GzipInput(path: path))
    let fields = try (["TRANSACTION_ID"] + features.map(\.column)).map { column in
      guard let field = reader.header.firstIndex(of: column) else {
        throw FileError(path: path, reason: "has no column '\(column)'")
      }
      return field
    }
    var row = CSVRow()
    while try reader.next(&row) {
      if let reason = row.malformed { throw FileError(path: path, reason: "a row \(reason)") }
      func text(_ field: Int) -> String {
        String(decoding: row.bytes[row.range(field)], as: UTF8.self)
      }
      let transaction = text(fields[0])
      guard numbers.updateValue(numbers.count, forKey: transaction) == nil else {
        throw FileError(path: path, reason: "has transaction \(transaction) twice")
      }
      for field in fields.dropFirst() {
        guard let value = Double(text(field)) else {
          throw FileError(
            path: path,
            reason: "has '\(text(field))' for a number in transaction \(transaction)")
        }
        values.append(value)
      }
    }
    isSeen = Array(repeating: false, count: numbers.count)
  }

  /// The authors' columns, and the features of models/handbook.yaml that stand for them.
  private static let features: [(column: String, name: String, isExact: Bool)] =
    [
      ("TX_AMOUNT", "TX_AMOUNT", false), ("TX_DURING_WEEKEND", "weekend", true),
      ("TX_DURING_NIGHT", "night", true),
    ]
    + [1, 7, 30].flatMap { days in
      [
        ("CUSTOMER_ID_NB_TX_\(days)DAY_WINDOW", "customer_count_\(days)d", true),
        ("CUSTOMER_ID_AVG_AMOUNT_\(days)DAY_WINDOW", "customer_mean_\(days)d", false),
        ("TERMINAL_ID_NB_TX_\(days)DAY_WINDOW", "terminal_count_\(days)d", true),
        ("TERMINAL_ID_RISK_\(days)DAY_WINDOW", "terminal_risk_\(days)d", false),
      ]
    }

  /// Compares what was scored of the days that the authors' file is about.
  func compare(_ block: ScoredBlock) {
    let days = BookProtocol.compared
    for row in 0..<block.rows where days.from <= block.time(row) && block.time(row) < days.to {
      let transaction = String(decoding: block.id(row), as: UTF8.self)
      guard let number = numbers[transaction] else {
        differences.append(Difference(transaction: transaction, feature: nil))
        continue
      }
      isSeen[number] = true
      for (index, column) in columns.enumerated() {
        let value = block.feature(column.place, row: row)
        let golden = values[number * columns.count + index]
        guard !column.agrees(value, golden) else { continue }
        differences.append(
          Difference(transaction: transaction, feature: (column.name, value, golden)))
        break
      }
    }
  }

  /// Ends the comparison: transactions of the authors that were not scored differ too.
  func finish() {
    let missing = numbers.filter { !isSeen[$0.value] }.sorted { $0.value < $1.value }
    differences += missing.map { Difference(transaction: $0.key, feature: nil) }
  }
}
