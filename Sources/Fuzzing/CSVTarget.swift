import Features
import Files
import Pipeline

/// The reader of CSV files, plain or gzipped, and the decoder of their rows.
public struct CSVTarget: FuzzTarget {
  /// As the command line names it.
  public static let name = "csv"
  /// Sound inputs to start from.
  public let seeds: [[UInt8]]
  /// Pieces that inputs are made of.
  public let tokens: [[UInt8]]

  private let file: MemoryFile
  private let copy: MemoryFile
  private let decoder: EventDecoder
  private var block: EventBlock
  private let schema: EventSchema

  /// The reader of files for a pipeline with fields of every type.
  public init() throws {
    file = try MemoryFile()
    copy = try MemoryFile()
    schema = try Pipeline(yaml: EventTarget.pipelineText, path: "fuzz.yaml").schema
    decoder = EventDecoder(schema: schema, readsLabel: true)
    block = EventBlock(schema: schema, capacity: 1)
    let header = "id,time,amount,balance,country,colour,fraud\n"
    seeds = [
      header
        + "a,1700000000000,1.5,2,DE,red,0\nb,2018-04-01 10:00:00,3,,,\"blue, \"\"green\"\"\",1\n",
      header.replacing("\n", with: "\r\n")
        + "\"a\nb\",5,1e3,nan,\"\",x,true\r\n\r\nc,6,1,1,1,1,\r\n",
      "\u{feff}id,time,amount,saldo,country,colour\n1,2,3,4,5,6",
      "{\"id\":1,\"time\":2,\"amount\":3,\"colour\":\"x\"}\n\n{\"id\":2}\n",
    ].map { Array($0.utf8) }
    tokens = [
      ",", "\n", "\r\n", "\r", "\"", "\"\"", "\",\"", "\"\n", "id", "time", "amount", "fraud",
      header, "nan", "-inf", "\u{feff}", "\u{0}", "2018-04-01", "\u{1f}\u{8b}\u{8}", "{", "}",
    ].map { Array($0.utf8) }
  }

  /// Reads an input and checks what came of it.
  public mutating func read(_ input: [UInt8]) throws -> String {
    try file.replace(with: input)
    let history = try readHistory()
    let reader: CSVReader
    do { reader = try CSVReader(try GzipInput(path: file.path)) } catch {
      return "\(kind(of: error)), \(history)"
    }
    do { return try readRows(reader) + ", \(history)" } catch let error as FileError {
      return "\(kind(of: error)), \(history)"
    }
  }

  // The rest of a reason names columns of the input.
  private func kind(_ text: String) -> String { String(text.filter { !$0.isNumber }.prefix(16)) }
  private func kind(of error: FileError) -> String { kind(error.reason) }

  private mutating func readRows(_ opened: CSVReader) throws -> String {
    var reader = opened
    let binding = try? decoder.bind(header: reader.header, of: file.path)
    var row = CSVRow()
    var sound: [[[UInt8]]] = []
    var outcomes: Set<String> = []
    while try reader.next(&row) {
      var end = 0
      for field in 0..<row.count {
        let range = row.range(field)
        try Finding.unless(
          range.lowerBound == end && range.upperBound <= row.bytes.count, "fields out of order")
        end = range.upperBound
      }
      if let malformed = row.malformed {
        outcomes.insert(kind(malformed))
      } else {
        try Finding.unless(row.count == reader.header.count, "a sound row of \(row.count) fields")
        sound.append((0..<row.count).map { Array(row.bytes[row.range($0)]) })
      }
      guard let binding else { continue }
      block.removeAll()
      do throws(Rejection) {
        try decoder.decode(csv: row, binding, position: 0, timestamp: 0, into: &block)
        outcomes.insert("accepted")
      } catch {
        outcomes.insert(error.kind)
        continue
      }
      try Finding.unless(row.malformed == nil, "a malformed row is accepted")
      try EventTarget.check(block)
    }
    try checkRewritten(sound, header: reader.header)
    return outcomes.sorted().joined(separator: " ")
  }

  /// What was read is read again from a file in which every field is quoted.
  private func checkRewritten(_ rows: [[[UInt8]]], header: [String]) throws {
    let quote = UInt8(ascii: "\"")
    var text: [UInt8] = []
    for row in [header.indices.map { Array("\($0)".utf8) }] + rows {
      for (field, bytes) in row.enumerated() {
        if field > 0 { text.append(UInt8(ascii: ",")) }
        text.append(quote)
        for byte in bytes { text += byte == quote ? [quote, quote] : [byte] }
        text.append(quote)
      }
      text.append(UInt8(ascii: "\n"))
    }
    try copy.replace(with: text)
    var reader = try CSVReader(try GzipInput(path: copy.path))
    var row = CSVRow()
    for expected in rows {
      try Finding.unless(try reader.next(&row), "rows are lost when written and read again")
      let fields = (0..<row.count).map { Array(row.bytes[row.range($0)]) }
      try Finding.unless(fields == expected, "\(expected) is read again as \(fields)")
    }
    try Finding.unless(try !reader.next(&row), "rows are added when written and read again")
  }

  /// The reader of histories, on CSV and on JSON lines.
  private mutating func readHistory() throws -> String {
    do {
      var reader = try HistoryReader(path: file.path, schema: schema)
      var events = 0
      reading: while true {
        block.removeAll()
        switch try reader.next(into: &block) {
        case .event:
          events += 1
          try EventTarget.check(block)
        case .refused: try Finding.unless(block.isEmpty, "a refused row stays in the block")
        case .end: break reading
        }
      }
      return "\(events.bitWidth - events.leadingZeroBitCount) events, refused \(reader.refused > 0)"
    } catch let error as FileError { return kind(of: error) }
  }
}
