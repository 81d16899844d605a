import Files

/// A column of a ``Table``.
public struct TableColumn: Sendable {
  /// A column holds at most so many distinct texts; with more of them it holds none.
  public static let largestTextCount = 1_000
  /// A text of more bytes is no category.
  public static let longestText = 200
  /// The code of a missing text.
  public static let missingCode = UInt32.max

  /// What a column holds, a value a row.
  public enum Values: Sendable {
    /// It was not asked for.
    case notHeld
    /// Every value is missing.
    case missing
    /// All values are numbers, finite in Float32; NaN is a missing one.
    case numbers([Double])
    /// All values are times in ms since 1970; NaN is a missing one.
    case times([Double])
    /// Texts by their position among the distinct ones, ``missingCode`` for a missing one.
    case texts(codes: [UInt32], distinct: [String])
    /// Long texts, or more distinct ones than are held.
    case manyTexts
  }

  /// Its name.
  public let name: String
  /// What it holds.
  public let values: Values
  /// Rows without a value.
  public let missing: Int
  /// Of these, how many spell a number that is infinite or beyond Float32's range.
  public let notFinite: Int
  /// The value that made texts of a column that had begun otherwise, and its row, from 1.
  public let firstText: (row: Int, text: String)?

  /// The text of the most rows, of several the one that came first; nil where texts are not what it
  /// holds.
  public private(set) var mostFrequentText: String?

  init(
    name: String, values: Values, missing: Int, notFinite: Int,
    firstText: (row: Int, text: String)?
  ) {
    self.name = name
    self.values = values
    self.missing = missing
    self.notFinite = notFinite
    self.firstText = firstText
    guard case .texts(_, let distinct) = values else { return }
    let rows = rowsOfText
    mostFrequentText = rows.indices.max { (rows[$0], $1) < (rows[$1], $0) }.map { distinct[$0] }
  }

  /// Rows of each distinct text; empty where texts are not what it holds.
  var rowsOfText: [Int] {
    guard case .texts(let codes, let distinct) = values else { return [] }
    var rows = [Int](repeating: 0, count: distinct.count)
    for code in codes where code != Self.missingCode { rows[Int(code)] += 1 }
    return rows
  }

  /// The value of a row.
  /// - Parameter row: Counted from 0.
  public func value(_ row: Int) -> JSONValue {
    switch values {
    case .notHeld, .missing, .manyTexts: .null
    case .numbers(let numbers): JSONValue(numbers[row])
    case .times(let times): times[row].isNaN ? .null : .string(ColumnBuilder.timeText(times[row]))
    case .texts(let codes, let distinct):
      codes[row] == Self.missingCode ? .null : .string(distinct[Int(codes[row])])
    }
  }
}
