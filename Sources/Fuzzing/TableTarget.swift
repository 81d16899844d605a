import Detection
import Files
import LinearAlgebra

/// The reader of tables, what it guesses of their columns, and what becomes features.
public struct TableTarget: FuzzTarget {
  /// As the command line names it.
  public static let name = "table"
  /// Sound inputs to start from.
  public let seeds: [[UInt8]]
  /// Pieces that inputs are made of.
  public let tokens: [[UInt8]]

  private let file: MemoryFile

  /// The reader alone.
  public init() throws {
    file = try MemoryFile()
    let rows = (0..<20).map {
      "\($0),\($0 * $0).5,2020-01-0\($0 % 9 + 1),k\($0 % 3),yes,\($0 % 2)\n"
    }
    seeds = [
      "id,a,t,k,b,y\n" + rows.joined(), "a,y\n1,0\n,1\n1e39,\nx,0\n\"p,q\",1\n",
      "{\"a\":1,\"b\":\"x\",\"y\":0}\n{\"a\":null,\"c\":true}\n{\"a\":2,\"y\":1}\n",
      "0,1,y\n1,2,0\n",
    ].map { Array($0.utf8) }
    tokens = [
      ",", "\n", "\r\n", "\"", "id", "a", "y", "NA", "nan", "inf", "?", "1e999", "-1e39", "0.1",
      "2020-01-01T00:00:00Z", "true", "no", "{\"a\":", "}", "[", "null", "\u{feff}", "\u{0}", ";",
    ].map { Array($0.utf8) }
  }

  /// Reads an input; what is accepted has finite features or missing ones.
  public mutating func read(_ input: [UInt8]) throws -> String {
    try file.replace(with: input)
    do {
      let table = try Table(path: file.path, selection: ColumnSelection(label: "y"))
      let features = try TableFeatures(table)
      var block = Matrix(columns: features.count, capacity: table.rows)
      features.fill(0..<table.rows, into: &block)
      let limit = Double(Float.greatestFiniteMagnitude)
      try Finding.unless(
        block.values.allSatisfy { abs($0) <= limit || ($0.isNaN && features.hasMissing) },
        "a feature is out of range")
      let labels = try table.labels()
      try Finding.unless(labels?.count == table.rows, "a label is lost")
      return "accepted " + features.guesses.map { "\($0.kind) \($0.use)" }.joined(separator: " ")
    } catch let error as FileError {
      return String(error.reason.filter { !$0.isNumber }.prefix(16))
    }
  }
}
