import Files
import LinearAlgebra

/// What a learner sees of a table: a feature for each column that something can be learnt from.
///
/// Numbers are taken as they are, `true` and `false` as 1 and 0, and of a category how rare it is:
/// −log₂ of its share of the rows. With a feature for each category, a column of many would outweigh
/// all others. A column left out, and ``guesses`` says why, has one value only, numbers the rows, or
/// holds times or texts that are no categories. What only says when a row came is learnt from where
/// it is among ``ColumnSelection/only``.
public struct TableFeatures: Sendable {
  /// From so many different texts on, they are categories only if they come twice on average.
  public static let fewestTexts = 16
  /// Numbers that rise from row to row are suspected to do so from so many on.
  public static let fewestRisingNumbers = 16

  /// The table.
  public let table: Table
  /// What each column of the table was taken for.
  public let guesses: [ColumnGuess]
  /// Columns of the table that the features come from.
  public let columns: [Int]
  /// Whether any feature is missing in any row.
  public let hasMissing: Bool
  /// The values of each feature, NaN where one is missing.
  private let values: [[Double]]
  /// What is taken off each feature, so that Float32, in which forests compare, tells its values
  /// apart: 0 unless they differ in their last digits only, as those of long identifiers do.
  private let origins: [Double]

  /// Guesses what the columns are.
  ///
  /// - Parameter isStream: Whether the rows are learnt in their order: how rare a category is then
  ///   depends on the rows before only, and numbers that never fall are left out, as each would lie
  ///   beyond all that was learnt.
  /// - Throws: `FileError` if there is no column to learn from.
  public init(_ table: Table, isStream: Bool = false) throws(FileError) {
    var guesses: [ColumnGuess] = []
    var columns: [Int] = []
    var features: [[Double]] = []
    for (index, column) in table.columns.enumerated() {
      let isLabel = column.name == table.selection.label
      let guesser = ColumnGuesser(
        column: column, isNamed: table.selection.only.contains(column.name), isStream: isStream)
      let (kind, values, reason) = guesser.guess()
      guesses.append(
        ColumnGuess(
          name: column.name, kind: kind,
          use: isLabel ? .label : values == nil ? .ignored : .learnt, missing: column.missing,
          reason: isLabel ? "" : reason))
      if !isLabel, let values {
        columns.append(index)
        features.append(values)
      }
    }
    self.table = table
    self.guesses = guesses
    self.columns = columns
    values = features
    origins = features.map(Self.origin)
    hasMissing = columns.contains { table.columns[$0].missing > 0 }
    guard !columns.isEmpty else {
      let reasons = guesses.map { "'\($0.name)' \($0.use == .label ? "is the label" : $0.reason)" }
      throw FileError(
        path: table.path,
        reason: "has no column to learn from: " + reasons.prefix(5).joined(separator: ", ")
          + (reasons.count > 5 ? ", …" : ""))
    }
  }

  /// Number of features.
  public var count: Int { values.count }

  /// Writes the features of some rows into a block, a missing one as NaN.
  public func fill(_ rows: some Collection<Int>, into block: inout Matrix) {
    precondition(block.columns == count && block.stride >= rows.count, "shapes do not fit")
    block.resize(rows: rows.count)
    for feature in 0..<count {
      var place = feature * block.stride
      for row in rows {
        block.values[place] = values[feature][row] - origins[feature]
        place += 1
      }
    }
  }

  private static func origin(_ values: [Double]) -> Double {
    let known = values.lazy.filter { !$0.isNaN }
    guard let least = known.min(), let largest = known.max() else { return 0 }
    return largest - least < 1e-3 * max(abs(least), abs(largest)) ? least : 0
  }

  /// What is usual in a column: of categories the most frequent, otherwise what a model says.
  /// - Parameter number: Of the model, in the feature's unit.
  func typical(_ number: Double, feature: Int) -> JSONValue {
    let column = columns[feature]
    let number = number + origins[feature]
    switch guesses[column].kind {
    case .category: return JSONValue(table.columns[column].mostFrequentText)
    case .boolean: return .bool(number >= 0.5)
    case .time: return .string(ColumnBuilder.timeText(number))
    case .number, .text, .empty, .unread: return JSONValue(number)
    }
  }
}
