import Features
import Files

/// Reads the rows of a file into columns.
struct TableBuilder {
  private let path: String
  private let selection: ColumnSelection
  private let progress: (Int) -> Void
  private var columns: [ColumnBuilder] = []
  private var placeOfName: [String: Int] = [:]
  private var held = 0
  /// Rows read so far.
  private(set) var rows = 0

  /// - Parameter progress: Is told the number of rows now and then.
  init(path: String, selection: ColumnSelection, progress: @escaping (Int) -> Void) {
    self.path = path
    self.selection = selection
    self.progress = progress
  }

  /// The columns of all rows.
  func finish() throws(FileError) -> [TableColumn] {
    guard rows > 0 else { throw failure("has a header, but no rows") }
    try checkNames()
    return columns.map(\.column)
  }

  // MARK: CSV

  mutating func readCSV(_ input: GzipInput) throws(FileError) {
    var reader = try CSVReader(input)
    try check(header: reader.header)
    for name in reader.header { try addColumn(name) }
    try checkNames()
    var row = CSVRow()
    while try reader.next(&row) {
      if let reason = row.malformed { throw failure("row \(rows + 1) \(reason)") }
      row.bytes.withUnsafeBytes { bytes in
        for field in columns.indices {
          columns[field].append(UnsafeRawBufferPointer(rebasing: bytes[row.range(field)]))
        }
      }
      try endRow()
    }
  }

  /// Refuses what is no header of a table.
  private func check(header: [String]) throws(FileError) {
    if header.contains(where: { $0.utf8.contains { $0 < 0x20 && $0 != 0x09 && $0 != 0x0a } }) {
      throw failure("is no text; expected CSV with a header, or JSON lines")
    }
    if header.count == 1, let separator = [";", "\t", "|"].first(where: header[0].contains) {
      let name = separator == "\t" ? "tabs" : "'\(separator)'"
      throw failure("its columns seem to be separated by \(name); expected commas")
    }
    let numbers = header.map { Array($0.utf8).withUnsafeBytes(Decimal.parse) }
    guard numbers.allSatisfy({ $0 != nil }) else { return }
    // Columns may be named by their numbers.
    for first in [0, 1] where numbers == header.indices.map({ Double($0 + first) }) { return }
    throw failure(
      "its first row is all numbers (\(header.prefix(3).joined(separator: ", "))…); expected a "
        + "header with the names of the columns")
  }

  // MARK: JSON lines

  mutating func readJSONLines(_ input: GzipInput) throws {
    var lines = LineReader(input)
    while let line = try lines.nextNonEmpty({ Array($0) }) {
      let object: JSONValue
      do throws(JSONSyntaxError) { object = try JSONValue(parsing: line) } catch {
        throw failure("row \(rows + 1) is no JSON object: \(error.reason)")
      }
      guard case .object = object else { throw failure("row \(rows + 1) is no JSON object") }
      for (name, value) in object.members {
        let place = try placeOfName[name] ?? addColumn(name)
        guard columns[place].append(value) else {
          throw failure(
            "row \(rows + 1), column '\(name)': an array or object; expected a number, a text, "
              + "true or false")
        }
      }
      try endRow()
    }
  }

  // MARK: Columns

  /// Adds a column whose values are missing so far.
  @discardableResult
  private mutating func addColumn(_ name: String) throws(FileError) -> Int {
    guard columns.count < Table.largestColumnCount else {
      throw failure("has more than \(Table.largestColumnCount) columns")
    }
    var column = ColumnBuilder(name: name, isHeld: selection.holds(name))
    column.appendMissing(rows)
    placeOfName[name] = columns.count
    columns.append(column)
    if column.isHeld { held += 1 }
    return columns.count - 1
  }

  private mutating func endRow() throws(FileError) {
    rows += 1
    for place in columns.indices where columns[place].isHeld && columns[place].count < rows {
      columns[place].appendMissing()
    }
    guard rows * held <= Table.largestValueCount else {
      throw failure(
        "has more than \(Table.largestValueCount / 1_000_000) million values in \(held) columns, "
          + "which is what is held in memory; take fewer rows or columns")
    }
    if rows % 8_192 == 0 { progress(rows) }
  }

  private func checkNames() throws(FileError) {
    let names = columns.map(\.name)
    for name in selection.names where !names.contains(name) {
      let near = nearestName(to: name, in: names)
      let all = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
      throw failure("has no column '\(name)'" + (near.isEmpty ? "; it has \(all)" : near))
    }
  }

  private func failure(_ reason: String) -> FileError { FileError(path: path, reason: reason) }
}
