import Features
import Files
import Pipeline

/// Writes the feature vectors of a history as CSV, as they were scored: event identifier, time, and
/// a named column a feature. Numbers are written so that they read back as they were.
final class FeatureTable {
  private let output: GzipOutput
  private let range: Range<Int64>
  private var line: [UInt8] = []

  /// - Parameter range: event times that are written, ms since 1970.
  init(path: String, names: [String], range: Range<Int64>) throws {
    output = try GzipOutput(path: path)
    self.range = range
    line.append(csvFields: ["event_id", "time"] + names)
    try output.write(line)
  }

  func write(_ block: ScoredBlock) throws {
    for row in 0..<block.rows where range.contains(block.time(row)) {
      line.removeAll(keepingCapacity: true)
      line.append(csvField: block.id(row))
      line.append(UInt8(ascii: ","))
      EventTime.append(block.time(row), to: &line)
      for column in 0..<block.features {
        line.append(UInt8(ascii: ","))
        line.append(decimal: block.feature(column, row: row))
      }
      line.append(UInt8(ascii: "\n"))
      try output.write(line)
    }
  }

  func close() throws { try output.close() }
}

extension [UInt8] {
  fileprivate mutating func append(csvFields names: [String]) {
    for (index, name) in names.enumerated() {
      if index > 0 { append(UInt8(ascii: ",")) }
      append(csvField: Array(name.utf8)[...])
    }
    append(UInt8(ascii: "\n"))
  }

  /// A field in quotes where it needs them (RFC 4180).
  fileprivate mutating func append(csvField bytes: ArraySlice<UInt8>) {
    let special: [UInt8] = Array(",\"\r\n".utf8)
    guard bytes.contains(where: special.contains) else { return append(contentsOf: bytes) }
    append(UInt8(ascii: "\""))
    for byte in bytes {
      if byte == UInt8(ascii: "\"") { append(byte) }
      append(byte)
    }
    append(UInt8(ascii: "\""))
  }
}
