import Detection
import Files
import Foundation

/// A file that is removed with the value.
final class TableFile {
  let path: String

  init(_ text: String, suffix: String = ".csv") throws {
    path = NSTemporaryDirectory() + "weir-table-" + UUID().uuidString + suffix
    let output = try GzipOutput(path: path)
    try output.write(Array(text.utf8))
    try output.close()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func table(_ selection: ColumnSelection = ColumnSelection()) throws -> Table {
    try Table(path: path, selection: selection)
  }
}

/// The table that a text is.
func table(_ text: String, _ selection: ColumnSelection = ColumnSelection()) throws -> Table {
  try TableFile(text).table(selection)
}

/// Why a text is no table, without the path; nil if it is one.
func refusal(_ text: String, _ selection: ColumnSelection = ColumnSelection()) -> String? {
  do {
    let table = try table(text, selection)
    _ = try table.labels()
    _ = try TableFeatures(table)
    return nil
  } catch let error as FileError { return error.reason } catch { return "\(error)" }
}

extension TableColumn {
  /// The values as JSON, with commas between them.
  func text(rows: Int) -> String {
    (0..<rows).map { String(decoding: value($0).encode(pretty: false), as: UTF8.self) }
      .joined(separator: " ")
  }
}
