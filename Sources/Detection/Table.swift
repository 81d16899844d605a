import Files

/// The rows of a file by column, held in memory, each column in the form that all its values have.
public struct Table: Sendable {
  /// The most values of a table: rows times the columns that are held.
  public static let largestValueCount = 100_000_000
  /// The most columns of a table.
  public static let largestColumnCount = 4_096

  /// For messages: the file, or `standard input`.
  public let path: String
  /// Which columns were asked for.
  public let selection: ColumnSelection
  /// In the file's order.
  public let columns: [TableColumn]
  /// Number of rows. Messages count them from 1, not counting the header.
  public let rows: Int

  /// Reads a file: CSV with a header, or JSON lines of objects without arrays and objects in them;
  /// gzipped or plain; `-` is standard input.
  ///
  /// - Parameters:
  ///   - selection: Which columns are asked for; others are not held.
  ///   - progress: Is told now and then how many rows were read, and the share of the file where
  ///     its size is known.
  /// - Throws: `FileError`, which names the row and the column, for a file that cannot be read, is
  ///   no table, lacks a column that was asked for, or is too large.
  public init(
    path: String, selection: ColumnSelection = ColumnSelection(),
    progress: @escaping (_ rows: Int, _ fraction: Double?) -> Void = { _, _ in }
  ) throws {
    let input = try GzipInput(path: path)
    var builder = TableBuilder(path: input.path, selection: selection) { rows in
      progress(
        rows,
        input.fileSize > 0 ? min(1, Double(input.consumed) / Double(input.fileSize)) : nil)
    }
    switch input.peek() {
    case UInt8(ascii: "{"): try builder.readJSONLines(input)
    case UInt8(ascii: "["):
      throw FileError(
        path: input.path, reason: "is a JSON array; expected CSV, or JSON lines: an object a line")
    default: try builder.readCSV(input)
    }
    self.path = input.path
    self.selection = selection
    columns = try builder.finish()
    rows = builder.rows
  }
}

/// Which columns of a table are asked for.
public struct ColumnSelection: Sendable {
  /// Learn from these columns only; empty: from all.
  public var only: [String]
  /// Do not learn from these.
  public var ignored: [String]
  /// The column of the labels, which nothing is learnt from.
  public var label: String?

  /// Asks for columns by their names.
  public init(only: [String] = [], ignored: [String] = [], label: String? = nil) {
    self.only = only
    self.ignored = ignored
    self.label = label
  }

  /// Whether a column's values are wanted.
  func holds(_ name: String) -> Bool {
    name == label || ((only.isEmpty || only.contains(name)) && !ignored.contains(name))
  }

  /// The names that a table must have.
  var names: [String] { [label].compactMap { $0 } + only + ignored }
}
