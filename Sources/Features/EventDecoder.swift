import CSimdJSON
import Files
import Glibc

/// Decodes events, JSON objects or rows of a CSV file, into the columns of a block, and refuses
/// what does not fit the schema. Used by one thread at a time.
///
/// This file owns simdjson's handle and the row of values it fills; no pointer leaves it.
public final class EventDecoder {
  /// What is read of an event.
  public let schema: EventSchema

  private struct Column {
    var names: [String]
  }

  private let handle: OpaquePointer
  private let row: UnsafeMutablePointer<weir_json_value>
  private let columns: [Column]
  private let idColumn: Int?
  private let timeColumn: Int?
  private let labelColumn: Int?
  private let valueColumns: [Int]
  /// Whether each value is a number; apart from the schema, so that nothing is retained to ask.
  private let isNumber: [Bool]
  private let entityColumns: [Int]

  /// A decoder of a schema's events.
  /// - Parameter readsLabel: whether the label is read where the event carries it. History files
  ///   do; on a topic labels come on their own, and an event's label field is ignored.
  public init(schema: EventSchema, readsLabel: Bool) {
    self.schema = schema
    var columns: [Column] = []
    // Two uses of the same field share its column.
    func column(_ names: [String]) -> Int {
      if let known = columns.firstIndex(where: { $0.names.first == names.first }) { return known }
      columns.append(Column(names: names))
      return columns.count - 1
    }
    idColumn = schema.id.map { column([$0.name] + $0.aliases) }
    timeColumn = schema.time.map { column([$0.name] + $0.aliases) }
    valueColumns = schema.values.map { column([$0.name] + $0.aliases) }
    isNumber = schema.values.map { $0.type == .number }
    entityColumns = schema.entities.map { column([$0.name] + $0.aliases) }
    labelColumn = readsLabel ? schema.label.map { column([$0.name] + $0.aliases) } : nil
    self.columns = columns

    row = .allocate(capacity: max(columns.count, 1))
    row.initialize(repeating: weir_json_value(), count: max(columns.count, 1))
    let names = columns.enumerated().flatMap { index, column in
      column.names.map { (name: strdup($0)!, column: Int32(index)) }
    }
    defer { for entry in names { free(entry.name) } }
    let pointers: [UnsafePointer<CChar>?] = names.map { UnsafePointer($0.name) }
    guard
      let handle = weir_json_decoder_create(
        pointers, names.map(\.column), names.count, columns.count)
    else { fatalError("out of memory") }
    self.handle = handle
  }

  deinit {
    weir_json_decoder_destroy(handle)
    row.deallocate()
  }

  /// Decodes a JSON object and appends it to the block, which must not be full.
  /// - Parameters:
  ///   - position: the identifier where the schema names no field for it.
  ///   - timestamp: the event time where the schema names no field for it, ms since 1970.
  /// - Throws: the reason why the event is refused; the block is then as before.
  public func decode(
    json: UnsafeRawBufferPointer, position: UInt64, timestamp: Int64, into block: inout EventBlock
  ) throws(Rejection) {
    guard json.count <= schema.maximumBytes else {
      throw .oversized(bytes: json.count, limit: schema.maximumBytes)
    }
    var repeated: Int32 = 0
    let error = weir_json_decode(
      handle, json.baseAddress?.assumingMemoryBound(to: CChar.self), json.count, row, &repeated)
    guard error == 0 else {
      if error == weir_json_error_repeated {
        throw .malformed("field '\(columns[Int(repeated)].names[0])' is given twice")
      }
      throw .malformed("not a JSON object: \(String(cString: weir_json_error_text(error)))")
    }
    try take(position: position, timestamp: timestamp, into: &block)
  }

  /// Which CSV column feeds each of the decoder's columns.
  public struct CSVBinding {
    fileprivate let fields: [Int?]
  }

  /// Finds the schema's fields in a file's header.
  /// - Throws: `FileError` naming the fields that are not there and may not be missing.
  public func bind(
    header: [String], of path: String, requiresLabel: Bool = false
  ) throws(FileError) -> CSVBinding {
    let fields = columns.map { column in
      column.names.lazy.compactMap { header.firstIndex(of: $0) }.first
    }
    var required = [idColumn, timeColumn, requiresLabel ? labelColumn : nil].compactMap { $0 }
    for (value, column) in zip(schema.values, valueColumns) where value.missing == .reject {
      required.append(column)
    }
    for (entity, column) in zip(schema.entities, entityColumns) where entity.missing == .reject {
      required.append(column)
    }
    let absent = required.filter { fields[$0] == nil }.map {
      columns[$0].names.joined(separator: "' or '")
    }
    guard absent.isEmpty else {
      throw FileError(
        path: path,
        reason: "has no column '\(absent.joined(separator: "', '"))'; its columns are "
          + header.joined(separator: ", "))
    }
    return CSVBinding(fields: fields)
  }

  /// Decodes a row of a CSV file and appends it to the block, which must not be full.
  /// Parameters and errors as for JSON.
  public func decode(
    csv csvRow: CSVRow, _ binding: CSVBinding, position: UInt64, timestamp: Int64,
    into block: inout EventBlock
  ) throws(Rejection) {
    if let malformed = csvRow.malformed { throw .malformed("the row \(malformed)") }
    guard csvRow.bytes.count <= schema.maximumBytes else {
      throw .oversized(bytes: csvRow.bytes.count, limit: schema.maximumBytes)
    }
    // A result, because the closure may not throw a typed error through `withUnsafeBytes`.
    let result: Result<Void, Rejection> = csvRow.bytes.withUnsafeBytes { bytes in
      for column in columns.indices {
        row[column].kind = Int32(WEIR_JSON_ABSENT.rawValue)
        guard let field = binding.fields[column] else { continue }
        let range = csvRow.range(field)
        guard !range.isEmpty else { continue }
        row[column].kind = Int32(WEIR_JSON_TEXT.rawValue)
        row[column].text = bytes.baseAddress!.assumingMemoryBound(to: CChar.self) + range.lowerBound
        row[column].length = UInt32(range.count)
      }
      for (index, value) in schema.values.enumerated() where value.type == .number {
        spellNumber(valueColumns[index])
      }
      if let timeColumn { spellNumber(timeColumn) }
      do throws(Rejection) {
        try take(position: position, timestamp: timestamp, into: &block)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Turns a CSV field's text into a number where it spells one.
  private func spellNumber(_ column: Int) {
    guard row[column].kind == Int32(WEIR_JSON_TEXT.rawValue) else { return }
    guard let number = Decimal.parse(text(column)) else {
      // CSV writers spell infinities and NaN in words; they are numbers, but refused ones.
      guard row[column].length <= 9 else { return }
      let words = String(decoding: text(column), as: UTF8.self).lowercased()
      if ["nan", "inf", "-inf", "+inf", "infinity", "-infinity"].contains(words) {
        row[column].kind = Int32(WEIR_JSON_BAD_NUMBER.rawValue)
      }
      return
    }
    row[column].kind = Int32(WEIR_JSON_NUMBER.rawValue)
    row[column].number = number
  }

  private func text(_ column: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: row[column].text, count: Int(row[column].length))
  }

  private func kind(_ column: Int) -> UInt32 { UInt32(bitPattern: row[column].kind) }

  private func isMissing(_ column: Int) -> Bool {
    kind(column) == WEIR_JSON_ABSENT.rawValue || kind(column) == WEIR_JSON_NULL.rawValue
  }

  // MARK: From the row of values into the block

  private func take(
    position: UInt64, timestamp: Int64, into block: inout EventBlock
  ) throws(Rejection) {
    precondition(!block.isFull, "the block is full")
    do throws(Rejection) {
      try takeIdentifier(position, into: &block)
      let time = try takeTime(timestamp)
      var number = 0
      var category = 0
      for (index, column) in valueColumns.enumerated() {
        let missing = isMissing(column)
        block.set(missing: missing, value: index)
        if isNumber[index] {
          block.set(number: try takeNumber(index, column, missing), field: number)
          number += 1
        } else {
          try takeCategory(schema.values[index], column, missing, into: &block, field: category)
          category += 1
        }
      }
      for (field, entity) in schema.entities.enumerated() {
        try takeEntity(entity, entityColumns[field], into: &block, field: field)
      }
      block.finishEvent(time: time, label: try takeLabel())
    } catch {
      block.abandonEvent()
      throw error
    }
  }

  private func takeIdentifier(_ position: UInt64, into block: inout EventBlock) throws(Rejection) {
    guard let idColumn else { return block.set(position: position) }
    let name = columns[idColumn].names[0]
    guard !isMissing(idColumn) else { throw .missing(field: name) }
    guard kind(idColumn) == WEIR_JSON_TEXT.rawValue || kind(idColumn) == WEIR_JSON_NUMBER.rawValue
    else { throw .wrongType(field: name, expected: "a string or a number") }
    let id = text(idColumn)
    guard (1...256).contains(id.count) else { throw .badIdentifier(field: name) }
    block.set(id: id)
  }

  private func takeTime(_ timestamp: Int64) throws(Rejection) -> Int64 {
    guard let timeColumn, let field = schema.time else { return timestamp }
    guard !isMissing(timeColumn) else { throw .missing(field: field.name) }
    let time: Int64? =
      switch kind(timeColumn) {
      case WEIR_JSON_NUMBER.rawValue:
        EventTime.milliseconds(number: row[timeColumn].number, unit: field.unit)
      case WEIR_JSON_TEXT.rawValue: EventTime.parse(text(timeColumn))
      default: nil
      }
    guard let time else { throw .unreadableTime(field: field.name) }
    return time
  }

  @inline(__always)
  private func takeNumber(
    _ index: Int, _ column: Int, _ missing: Bool
  ) throws(Rejection) -> Double {
    let number = row[column].number
    // NaN is not below it either.
    if kind(column) == WEIR_JSON_NUMBER.rawValue,
      number.magnitude <= Double(Float.greatestFiniteMagnitude)
    {
      return number
    }
    return try takeUnusualNumber(schema.values[index], column, missing)
  }

  private func takeUnusualNumber(
    _ value: EventSchema.Field, _ column: Int, _ missing: Bool
  ) throws(Rejection) -> Double {
    if missing {
      guard case .number(let standIn) = value.missing else { throw .missing(field: value.name) }
      return standIn
    }
    switch kind(column) {
    case WEIR_JSON_NUMBER.rawValue, WEIR_JSON_BAD_NUMBER.rawValue:
      throw .notFinite(field: value.name)
    default: throw .wrongType(field: value.name, expected: "a number")
    }
  }

  private func takeEntity(
    _ entity: EventSchema.Field, _ column: Int, into block: inout EventBlock, field: Int
  ) throws(Rejection) {
    var name = UnsafeRawBufferPointer(start: nil, count: 0)
    if !isMissing(column) {
      switch kind(column) {
      case WEIR_JSON_TEXT.rawValue, WEIR_JSON_NUMBER.rawValue: name = text(column)
      default: throw .wrongType(field: entity.name, expected: "a string or a number")
      }
    }
    guard !name.isEmpty || entity.missing != .reject else { throw .missing(field: entity.name) }
    guard name.count <= 256 else { throw .badIdentifier(field: entity.name) }
    block.set(entity: name, field: field)
  }

  private func takeCategory(
    _ value: EventSchema.Field, _ column: Int, _ missing: Bool, into block: inout EventBlock,
    field: Int
  ) throws(Rejection) {
    if missing {
      guard case .category(var standIn) = value.missing else { throw .missing(field: value.name) }
      standIn.withUTF8 { block.set(category: UnsafeRawBufferPointer($0), field: field) }
      return
    }
    switch kind(column) {
    case WEIR_JSON_TEXT.rawValue, WEIR_JSON_NUMBER.rawValue, WEIR_JSON_BAD_NUMBER.rawValue:
      block.set(category: text(column), field: field)
    case WEIR_JSON_TRUE.rawValue, WEIR_JSON_FALSE.rawValue:
      var word = kind(column) == WEIR_JSON_TRUE.rawValue ? "true" : "false"
      word.withUTF8 { block.set(category: UnsafeRawBufferPointer($0), field: field) }
    default: throw .wrongType(field: value.name, expected: "a string, a number or a boolean")
    }
  }

  /// 0, 1, or -1 if there is no label.
  private func takeLabel() throws(Rejection) -> Int8 {
    guard let labelColumn, !isMissing(labelColumn) else { return -1 }
    switch kind(labelColumn) {
    case WEIR_JSON_TRUE.rawValue: return 1
    case WEIR_JSON_FALSE.rawValue: return 0
    case WEIR_JSON_NUMBER.rawValue where row[labelColumn].number == 0: return 0
    case WEIR_JSON_NUMBER.rawValue where row[labelColumn].number == 1: return 1
    case WEIR_JSON_TEXT.rawValue:
      switch Label(spelled: text(labelColumn)) {
      case .negative: return 0
      case .positive: return 1
      case nil: break
      }
    default: break
    }
    throw .wrongType(field: columns[labelColumn].names[0], expected: "a label (0 or 1)")
  }
}
