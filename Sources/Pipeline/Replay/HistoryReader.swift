import Features
import Files

/// Reads the events of a file of history: CSV with a header, or JSON lines, gzipped or plain.
public struct HistoryReader {
  /// For messages: the path as given, or `standard input`.
  public let path: String
  /// Rows read so far, refused ones among them.
  public private(set) var rows: UInt64 = 0
  /// Rows that were refused, and why the first few were.
  public private(set) var refused: UInt64 = 0
  /// At most five: the row, counted from 0, and why it was refused.
  public private(set) var firstRefusals: [(row: UInt64, reason: Rejection)] = []

  private let input: GzipInput
  private let decoder: EventDecoder
  private var identifiers: RecentIdentifiers
  // One of the two.
  private var table: Table?
  private var lines: LineReader?

  private struct Table {
    var reader: CSVReader
    var row = CSVRow()
    let binding: EventDecoder.CSVBinding

    mutating func next() throws(FileError) -> Bool { try reader.next(&row) }
  }

  /// Opens a file; `-` is standard input.
  /// - Throws: `FileError` if it cannot be read or lacks a column that may not be missing.
  /// - Parameter requiresLabel: whether a table must have the column of the label.
  public init(path: String, schema: EventSchema, requiresLabel: Bool = false) throws {
    input = try GzipInput(path: path)
    self.path = input.path
    decoder = EventDecoder(schema: schema, readsLabel: true)
    identifiers = RecentIdentifiers(capacity: schema.uniqueWithin)
    if input.peek() == UInt8(ascii: "{") {
      lines = LineReader(input)
    } else {
      let reader = try CSVReader(input)
      let binding = try decoder.bind(
        header: reader.header, of: input.path, requiresLabel: requiresLabel)
      table = Table(reader: reader, binding: binding)
    }
  }

  /// Share of the file read so far; nil where its size is unknown.
  public var fraction: Double? {
    input.fileSize > 0 ? min(1, Double(input.consumed) / Double(input.fileSize)) : nil
  }

  /// What reading a row came to.
  public enum Row {
    /// The row is in the block.
    case event
    /// The row was refused; the block is as before.
    case refused
    /// There are no more rows; the block is as before.
    case end
  }

  /// Reads the next row into the block, which must not be full. Where the schema has no time field,
  /// rows count seconds; where it has no identifier, their number is it.
  public mutating func next(into block: inout EventBlock) throws -> Row {
    let number = rows
    let timestamp = Int64(number) * 1000
    var refusal: Rejection?
    if table != nil {
      // In place: a copy of the row would cost more than reading it.
      guard try table!.next() else { return .end }
      do throws(Rejection) {
        try decoder.decode(
          csv: table!.row, table!.binding, position: number, timestamp: timestamp, into: &block)
      } catch { refusal = error }
    } else {
      let decoder = decoder
      let line: Void? = try lines?.nextNonEmpty { line in
        do throws(Rejection) {
          try decoder.decode(json: line, position: number, timestamp: timestamp, into: &block)
        } catch { refusal = error }
      }
      guard line != nil else { return .end }
    }
    if refusal == nil {
      do throws(Rejection) { try block.checkLastIsNew(&identifiers) } catch { refusal = error }
    }
    rows += 1
    guard let refusal else { return .event }
    refused += 1
    if firstRefusals.count < 5 { firstRefusals.append((number, refusal)) }
    return .refused
  }
}
