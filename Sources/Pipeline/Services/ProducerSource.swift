import Features
import Files
import Glibc

/// The rows of a file as JSON objects, and what a pipeline's schema reads of them.
public final class ProducerSource {
  /// What a row came to.
  enum Row: Equatable {
    case event
    /// The schema refuses it; it is produced all the same, for the scorer to refuse it on record.
    case refused
    /// No row of the file's format at all, and why; its bytes are in `malformed`.
    case malformed(String)
    case end
  }

  /// The current row as a JSON object, the schema's label fields left out.
  private(set) var json: [UInt8] = []
  /// The current row, decoded, in event 0. Only with a schema.
  private(set) var block: EventBlock?
  /// The value of the first entity, for the record's key.
  private(set) var key: [UInt8]?
  /// Rows read so far.
  private(set) var rows: UInt64 = 0
  /// Of the rows read so far: tells whether a file still begins as it did.
  private(set) var checksum: UInt64 = 0
  /// The whole path of the file; nil for standard input, which cannot be read again.
  public let path: String?

  private let input: GzipInput
  private let decoder: EventDecoder?
  private var csv: CSVReader?
  private var binding: EventDecoder.CSVBinding?
  private var row = CSVRow()
  private var lines: LineReader?
  private var names: [[UInt8]] = []
  private var skipped: [Bool] = []
  private var entity: Int?
  private let labelNames: [String]
  private let entityName: String?

  /// Opens a file; `-` is standard input.
  public init(path: String, schema: EventSchema?) throws {
    input = try GzipInput(path: path)
    self.path = path == "-" ? nil : Self.wholePath(path)
    decoder = schema.map { EventDecoder(schema: $0, readsLabel: true) }
    block = schema.map { EventBlock(schema: $0, capacity: 1) }
    labelNames = schema?.label.map { [$0.name] + $0.aliases } ?? []
    entityName = schema?.entities.first?.name
    if input.peek() == UInt8(ascii: "{") {
      lines = LineReader(input)
      return
    }
    let reader = try CSVReader(input)
    for name in reader.header {
      var text: [UInt8] = []
      text.append(jsonString: name)
      names.append(text)
      skipped.append(labelNames.contains(name))
    }
    entity = entityName.flatMap { reader.header.firstIndex(of: $0) }
    binding = try decoder?.bind(header: reader.header, of: input.path)
    csv = reader
  }

  private static func wholePath(_ path: String) -> String {
    guard let whole = realpath(path, nil) else { return path }
    defer { free(whole) }
    return String(cString: whole)
  }

  /// Share of the file read so far; nil where its size is unknown.
  public var fraction: Double? {
    input.fileSize > 0 ? min(1, Double(input.consumed) / Double(input.fileSize)) : nil
  }

  /// Reads the next row.
  func next() throws -> Row {
    json.removeAll(keepingCapacity: true)
    key = nil
    block?.removeAll()
    let number = rows
    let timestamp = Int64(number) * 1000
    if lines != nil {
      var refusal: Rejection?
      let line: Void? = try lines!.nextNonEmpty { bytes in
        json.append(contentsOf: bytes)
        guard let decoder else { return }
        do throws(Rejection) {
          try decoder.decode(json: bytes, position: number, timestamp: timestamp, into: &block!)
        } catch { refusal = error }
      }
      if line == nil { return .end }
      rows += 1
      include(json)
      switch refusal {
      case .malformed: return .refused
      case nil where decoder == nil: return .event
      default:
        // An object all the same: its label must not travel with it.
        withholdLabels()
        return refusal == nil ? .event : .refused
      }
    }
    guard try csv!.next(&row) else { return .end }
    rows += 1
    include(row.bytes)
    if let reason = row.malformed { return .malformed(reason) }
    writeJSON()
    key = entity.map { Array(row.bytes[row.range($0)]) }
    guard let decoder, let binding, block != nil else { return .event }
    do throws(Rejection) {
      try decoder.decode(
        csv: row, binding, position: number, timestamp: timestamp, into: &block!)
    } catch { return .refused }
    return .event
  }

  private func include(_ row: [UInt8]) {
    checksum = (checksum ^ stableHash(row)) &* 0x9E37_79B9_7F4A_7C15 &+ rows
  }

  /// The fields of the current row, which is malformed, with commas between them.
  var malformed: [UInt8] {
    Array((0..<row.count).map { row.bytes[row.range($0)] }.joined(separator: [UInt8(ascii: ",")]))
  }

  /// Takes the label fields out of the current object, which the decoder found to be sound, and
  /// finds the record's key.
  private func withholdLabels() {
    let members = JSONMembers(of: json)
    key = entityName.flatMap { members.value(of: $0) }.map(Array.init)
    guard labelNames.contains(where: { members.value(of: $0) != nil }) else { return }
    json = members.encode { !labelNames.contains($0) }
  }

  /// Writes the row as an object: what spells a JSON number is a number, an empty field is left
  /// out, everything else is a string.
  private func writeJSON() {
    json.append(UInt8(ascii: "{"))
    for field in 0..<row.count where !skipped[field] {
      let range = row.range(field)
      guard !range.isEmpty else { continue }
      if json.count > 1 { json.append(UInt8(ascii: ",")) }
      json.append(contentsOf: names[field])
      json.append(UInt8(ascii: ":"))
      row.bytes[range].withUnsafeBytes { text in
        if Decimal.isJSONNumber(text) {
          json.append(contentsOf: text)
        } else {
          json.append(jsonString: text)
        }
      }
    }
    json.append(UInt8(ascii: "}"))
  }
}
