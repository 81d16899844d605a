/// Reads comma-separated values as RFC 4180 describes them: a header row, fields that may be
/// quoted, a doubled quote inside quotes, line breaks inside quotes, LF or CRLF.
public struct CSVReader {
  /// The column names, in the file's order.
  public let header: [String]
  /// The file read, for its path and progress.
  public var input: GzipInput { source.input }

  private var source: ByteSource

  /// Opens the reader on a file and reads the header.
  /// - Throws: `FileError` when there is no header or it names a column twice.
  public init(_ input: GzipInput) throws(FileError) {
    input.passByteOrderMark()
    source = ByteSource(input)
    var row = CSVRow()
    guard try source.parseRow(&row), row.malformed == nil else {
      throw FileError(path: input.path, reason: row.malformed ?? "is empty, expected a header row")
    }
    var names: [String] = []
    for field in 0..<row.count {
      let name = String(decoding: row.bytes[row.range(field)], as: UTF8.self)
      guard !names.contains(name) else {
        throw FileError(path: input.path, reason: "its header names the column '\(name)' twice")
      }
      names.append(name)
    }
    header = names
  }

  /// Reads the next row; false at the end of the file. A row that is not well formed or whose
  /// number of fields is not the header's has `malformed` set; reading goes on after it.
  public mutating func next(_ row: inout CSVRow) throws(FileError) -> Bool {
    repeat {
      guard try source.parseRow(&row) else { return false }
    } while row.isBlank
    if row.malformed == nil && row.count != header.count {
      row.malformed = "has \(row.count) fields where the header has \(header.count)"
    }
    return true
  }
}

/// One row of a CSV file: its fields, unquoted, one after the other. Reused from row to row.
public struct CSVRow {
  /// The fields' bytes without quotes and separators; `range(_:)` cuts them.
  public fileprivate(set) var bytes: [UInt8] = []
  fileprivate var ends: [Int] = []
  fileprivate var quoted = false
  /// Why the row cannot be used, nil if it can.
  public fileprivate(set) var malformed: String?

  /// A row to be filled by `CSVReader.next(_:)`.
  public init() {}

  /// Number of fields.
  public var count: Int { ends.count }

  /// Where a field's bytes lie in `bytes`.
  public func range(_ field: Int) -> Range<Int> {
    (field == 0 ? 0 : ends[field - 1])..<ends[field]
  }

  fileprivate var isBlank: Bool { ends.count == 1 && ends[0] == 0 && !quoted && malformed == nil }

  fileprivate mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    quoted = false
    malformed = nil
  }
}

/// The buffered bytes of the file and the row parser over them.
private struct ByteSource {
  let input: GzipInput
  private var buffer = [UInt8](repeating: 0, count: 1 << 18)
  private var position = 0
  private var end = 0

  private static let longestRow = 16 << 20

  private enum State { case start, plain, quoted, quoteInQuoted }

  init(_ input: GzipInput) { self.input = input }

  private mutating func refill() throws(FileError) -> Bool {
    position = 0
    var failure: FileError?
    end = buffer.withUnsafeMutableBytes { raw -> Int in
      do throws(FileError) { return try input.read(into: raw) } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    return end > 0
  }

  /// Parses one row; false if the file ends before it begins.
  mutating func parseRow(_ row: inout CSVRow) throws(FileError) -> Bool {
    row.reset()
    var state = State.start
    var any = false
    while true {
      if position == end {
        guard try refill() else {
          guard any else { return false }
          if state == .quoted { row.malformed = "ends inside a quoted field" }
          row.ends.append(row.bytes.count)
          return true
        }
      }
      any = true
      guard row.bytes.count <= Self.longestRow else {
        throw FileError(
          path: input.path,
          reason: "has a row of more than \(Self.longestRow >> 20) MiB; is a quote not closed?")
      }
      if scan(&row, &state) { return true }
    }
  }

  /// Takes bytes from the buffer into the row; true when the row is complete.
  private mutating func scan(_ row: inout CSVRow, _ state: inout State) -> Bool {
    let comma = UInt8(ascii: ",")
    let newline = UInt8(ascii: "\n")
    let quote = UInt8(ascii: "\"")
    let from = position
    let to = end
    var index = from
    let complete = buffer.withUnsafeBufferPointer { bytes -> Bool in
      while index < to {
        switch state {
        case .start, .plain:
          // The common case, a run of plain bytes, is copied in one piece.
          let run = index
          while index < to, bytes[index] != comma, bytes[index] != newline, bytes[index] != quote {
            index += 1
          }
          if index > run {
            row.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[run..<index]))
            state = .plain
          }
          guard index < to else { return false }
          let byte = bytes[index]
          index += 1
          if byte == comma {
            row.ends.append(row.bytes.count)
            state = .start
          } else if byte == newline {
            finish(&row)
            return true
          } else if state == .start {
            row.quoted = true
            state = .quoted
          } else {
            row.malformed = "has a quote inside an unquoted field"
          }
        case .quoted:
          let run = index
          while index < to, bytes[index] != quote { index += 1 }
          row.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[run..<index]))
          guard index < to else { return false }
          index += 1
          state = .quoteInQuoted
        case .quoteInQuoted:
          let byte = bytes[index]
          index += 1
          if byte == quote {
            row.bytes.append(quote)
            state = .quoted
          } else if byte == comma {
            row.ends.append(row.bytes.count)
            state = .start
          } else if byte == newline {
            row.ends.append(row.bytes.count)
            return true
          } else if byte != UInt8(ascii: "\r") {
            row.malformed = "has text after a closing quote"
          }
        }
      }
      return false
    }
    position = index
    return complete
  }

  /// Ends an unquoted last field, dropping the CR of a CRLF.
  private func finish(_ row: inout CSVRow) {
    let start = row.ends.last ?? 0
    if row.bytes.count > start, row.bytes.last == UInt8(ascii: "\r") { row.bytes.removeLast() }
    row.ends.append(row.bytes.count)
  }
}
