import Files
import Foundation
import Testing

/// A file that is removed with the test.
struct TemporaryFile {
  let path: String

  init(_ bytes: [UInt8], suffix: String = ".csv") throws {
    path = NSTemporaryDirectory() + "weir-" + UUID().uuidString + suffix
    let output = try GzipOutput(path: path)
    try output.write(bytes)
    try output.close()
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct CSVReaderTests {
  func rows(_ text: String, suffix: String = ".csv") throws -> (
    header: [String], rows: [[String]], malformed: [String?]
  ) {
    let file = try TemporaryFile(Array(text.utf8), suffix: suffix)
    defer { file.remove() }
    var reader = try CSVReader(GzipInput(path: file.path))
    var row = CSVRow()
    var rows: [[String]] = []
    var malformed: [String?] = []
    while try reader.next(&row) {
      rows.append((0..<row.count).map { String(decoding: row.bytes[row.range($0)], as: UTF8.self) })
      malformed.append(row.malformed)
    }
    return (reader.header, rows, malformed)
  }

  @Test(arguments: [".csv", ".csv.gz"])
  func readsPlainAndGzippedFiles(suffix: String) throws {
    let read = try rows("a,b\n1,2\r\n3,4", suffix: suffix)
    #expect(read.header == ["a", "b"])
    #expect(read.rows == [["1", "2"], ["3", "4"]])
    #expect(read.malformed == [nil, nil])
  }

  @Test func aByteOrderMarkIsNoPartOfTheFirstName() throws {
    #expect(try rows("\u{feff}a,b\n1,2").header == ["a", "b"])
    #expect(try rows(",\u{feff}a\n1,2").header == ["", "\u{feff}a"])
    // Letters that begin with a byte of it.
    #expect(try rows("\u{ff49}\u{ff44},b\n1,2").header == ["\u{ff49}\u{ff44}", "b"])
    #expect(try rows("\u{fefc}").header == ["\u{fefc}"])
  }

  @Test func whatATextBeginsWithIsSeenBeforeItIsRead() throws {
    for (text, first) in [
      ("\u{feff} \r\n{\"a\":1}", UInt8(ascii: "{")), ("\u{ff49},b", 0xef), ("\u{feff}", nil),
      ("", nil),
    ] {
      let file = try TemporaryFile(Array(text.utf8))
      defer { file.remove() }
      let input = try GzipInput(path: file.path)
      #expect(input.peek() == first)
      var rest = [UInt8](repeating: 0, count: 20)
      let count = try rest.withUnsafeMutableBytes { try input.read(into: $0) }
      let expected = text.drop { "\u{feff} \r\n".contains($0) }
      #expect(String(decoding: rest.prefix(count), as: UTF8.self) == expected)
    }
  }

  @Test func unquotesFields() throws {
    let read = try rows("a,b\n\"x,\"\"y\"\"\nz\",\"\"\n,\n")
    #expect(read.rows == [["x,\"y\"\nz", ""], ["", ""]])
  }

  @Test func skipsBlankLinesAndNamesMalformedRows() throws {
    let read = try rows("a,b\n\n1\n\"p\"q,2\n5,6\n\"open,7\n")
    #expect(read.rows.count == 4)
    #expect(read.malformed[0] == "has 1 fields where the header has 2")
    #expect(read.malformed[1] == "has text after a closing quote")
    #expect(read.malformed[2] == nil)
    #expect(read.malformed[3] == "ends inside a quoted field")
  }

  @Test func rowsAcrossBufferEdgesStayWhole() throws {
    // Rows of growing length pass every alignment of the reader's buffer.
    var text = "id,text\n"
    let count = 3_000
    for index in 0..<count {
      text += "\(index),\"\(String(repeating: "x\"\"", count: index % 211))\"\n"
    }
    let read = try rows(text, suffix: ".csv.gz")
    #expect(read.rows.count == count)
    for (index, row) in read.rows.enumerated() {
      #expect(row == ["\(index)", String(repeating: "x\"", count: index % 211)])
    }
  }

  @Test func headerMustBeThereAndUnambiguous() throws {
    #expect(throws: FileError.self) { try rows("") }
    #expect(throws: FileError.self) { try rows("a,b,a\n1,2,3\n") }
  }

  @Test func missingFilesAndTornGzipAreErrors() throws {
    #expect(throws: FileError.self) { try GzipInput(path: "/nonexistent/file.csv") }
    let file = try TemporaryFile(
      Array(("a,b\n" + String(repeating: "1,2\n", count: 10_000)).utf8), suffix: ".csv.gz")
    defer { file.remove() }
    let whole = try Data(contentsOf: URL(fileURLWithPath: file.path))
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: file.path))
    var reader = try CSVReader(GzipInput(path: file.path))
    var row = CSVRow()
    #expect(throws: FileError.self) { while try reader.next(&row) {} }
  }
}

@Suite struct LineReaderTests {
  @Test func splitsLinesOfAnyLength() throws {
    let long = String(repeating: "y", count: 600_000)
    let file = try TemporaryFile(Array("one\r\n\n\(long)\nlast".utf8), suffix: ".jsonl.gz")
    defer { file.remove() }
    var reader = LineReader(try GzipInput(path: file.path))
    var lines: [String] = []
    while let line = try reader.next({ String(decoding: $0, as: UTF8.self) }) { lines.append(line) }
    #expect(lines == ["one", "", long, "last"])
    #expect(reader.lineNumber == 4)
  }

  @Test func passesOverAnyNumberOfEmptyLines() throws {
    let text = String(repeating: "\n", count: 300_000) + "one\r\n\r\n\ntwo\n\n"
    let file = try TemporaryFile(Array(text.utf8), suffix: ".jsonl")
    defer { file.remove() }
    var reader = LineReader(try GzipInput(path: file.path))
    var lines: [String] = []
    while let line = try reader.nextNonEmpty({ String(decoding: $0, as: UTF8.self) }) {
      lines.append(line)
    }
    #expect(lines == ["one", "two"])
  }
}

@Suite struct DecimalTests {
  func parse(_ text: String) -> Double? { Array(text.utf8).withUnsafeBytes { Decimal.parse($0) } }

  @Test func agreesWithTheStandardLibraryToTheBit() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SplitMix(state: seed)
    for _ in 0..<50_000 {
      let value = Double(bitPattern: generator.next())
      guard value.isFinite, Float(value).isFinite else { continue }
      for text in [
        "\(value)", "\(Float(value))",
        "\(Int64(truncatingIfNeeded: generator.next()))", "\(value / 1e300)",
      ] {
        #expect(parse(text)?.bitPattern == Double(text)?.bitPattern, "\(text), seed \(seed)")
      }
    }
    for text in [
      "85.64999999999999", "0.1", "-0", "+1.5e3", "1e400", "00012",
      "123456789012345678901234567890", ".5", "5.", "9007199254740993",
    ] {
      #expect(
        parse(text)?.bitPattern == Double(text.hasSuffix(".") ? text + "0" : text)?.bitPattern,
        "\(text)")
    }
  }

  @Test(arguments: [
    "", "-", "+", ".", "e5", "1e", "1e+", "1x", "0x10", " 1", "1 ", "nan", "inf", "1,5", "--1",
  ])
  func refusesWhatIsNoDecimal(text: String) { #expect(parse(text) == nil) }

  @Test func writesJSONStringsThatReadBack() throws {
    for text in ["plain", "quote\" back\\slash", "line\nfeed\ttab\r\u{1}", "ünï©ødé 🐟"] {
      var bytes: [UInt8] = []
      bytes.append(jsonString: text)
      let read = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
      #expect(read as? String == text)
    }
  }
}

@Suite struct JSONMembersTests {
  @Test func leavesMembersOutAndTheRestAsItIsWritten() {
    let object = #"{ "a": [1, {"label": 2}, "},{"], "label" : "x\"y", "n": -1.50e3 , "t":"q,r"}"#
    let members = JSONMembers(of: Array(object.utf8))
    func text(_ name: String) -> String? {
      members.value(of: name).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(text("n") == "-1.50e3")
    #expect(text("t") == "q,r")
    #expect(text("none") == nil)
    let rest = members.encode { $0 != "label" }
    let expected = #"{"a":[1, {"label": 2}, "},{"],"n":-1.50e3,"t":"q,r"}"#
    #expect(String(decoding: rest, as: UTF8.self) == expected)
  }

  @Test func anyBytesAreHarmless() {
    for text in ["", "{", "{}", "{\"a", "{\"a\":", "{\"a\":\"", "[1]", "{\"a\":1}}}", "{\"\\"] {
      _ = JSONMembers(of: Array(text.utf8)).encode { _ in true }
    }
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
