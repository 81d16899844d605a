import Features
import Files

/// Takes in a column's values one by one and holds them as numbers or times as long as all of them
/// are.
struct ColumnBuilder {
  private enum Form { case missing, numbers, times, texts, manyTexts }

  let name: String
  let isHeld: Bool
  /// Values so far, missing ones among them.
  private(set) var count = 0
  private var form = Form.missing
  private var missing = 0
  private var notFinite = 0
  private var numbers: [Double] = []
  private var codes: [UInt32] = []
  private var texts: [String] = []
  private var codeOfText: [String: UInt32] = [:]
  private var firstText: (row: Int, text: String)?

  init(name: String, isHeld: Bool) {
    self.name = name
    self.isHeld = isHeld
  }

  var column: TableColumn {
    let values: TableColumn.Values =
      if isHeld {
        switch form {
        case .missing: .missing
        case .numbers: .numbers(numbers)
        case .times: .times(numbers)
        case .texts: .texts(codes: codes, distinct: texts)
        case .manyTexts: .manyTexts
        }
      } else {
        .notHeld
      }
    return TableColumn(
      name: name, values: values, missing: missing, notFinite: notFinite, firstText: firstText)
  }

  // MARK: Values

  /// Takes a value as it is written, whatever is around it but spaces.
  mutating func append(_ field: UnsafeRawBufferPointer) {
    guard isHeld else { return }
    let text = Self.trimmed(field)
    if form == .numbers, let number = Decimal.parse(text) { return append(number) }
    if Self.isMissing(text) { return appendMissing() }
    switch form {
    case .missing:
      if let number = Decimal.parse(text) ?? Self.infinity(text) {
        begin(.numbers)
        append(number)
      } else if let time = EventTime.parse(text) {
        begin(.times)
        append(time: time)
      } else {
        begin(.texts)
        append(String(decoding: text, as: UTF8.self))
      }
    case .numbers:
      if let infinity = Self.infinity(text) {
        append(infinity)
      } else {
        becomeTexts(at: text)
      }
    case .times:
      if let time = EventTime.parse(text) { append(time: time) } else { becomeTexts(at: text) }
    case .texts:
      // A number is the same text however it is spelled, as it was while there were only numbers.
      append(
        Decimal.parse(text).map(Self.numberText) ?? String(decoding: text, as: UTF8.self))
    case .manyTexts: count += 1
    }
  }

  /// Takes a number, which may be infinite.
  mutating func append(_ number: Double) {
    guard isHeld else { return }
    switch form {
    case .missing: begin(.numbers)
    case .numbers: break
    case .times:
      becomeTexts(at: Self.numberText(number))
      return
    case .texts: return append(Self.numberText(number))
    case .manyTexts:
      count += 1
      return
    }
    if abs(number) <= Double(Float.greatestFiniteMagnitude) {
      numbers.append(number)
      count += 1
    } else {
      notFinite += 1
      appendMissing()
    }
  }

  /// Takes rows without a value.
  mutating func appendMissing(_ rows: Int = 1) {
    guard isHeld else { return }
    missing += rows
    count += rows
    switch form {
    case .missing, .manyTexts: break
    case .numbers, .times: numbers.append(contentsOf: repeatElement(.nan, count: rows))
    case .texts:
      codes.append(contentsOf: repeatElement(TableColumn.missingCode, count: rows))
    }
  }

  /// Takes a value that is written in JSON.
  /// - Returns: false for an array or an object.
  mutating func append(_ value: JSONValue) -> Bool {
    switch value {
    case .null: appendMissing()
    case .bool(let value): append(value ? "true" : "false", isRead: true)
    case .integer(let value): append(Double(value))
    case .number(let value): append(value)
    case .string(let value): append(value, isRead: true)
    case .array, .object: return false
    }
    return true
  }

  private mutating func append(_ text: String, isRead: Bool) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  private mutating func append(time: Int64) {
    numbers.append(Double(time))
    count += 1
  }

  private mutating func append(_ text: String) {
    count += 1
    if let code = codeOfText[text] {
      codes.append(code)
    } else if texts.count < TableColumn.largestTextCount, text.utf8.count <= TableColumn.longestText
    {
      let code = UInt32(texts.count)
      codeOfText[text] = code
      texts.append(text)
      codes.append(code)
    } else {
      form = .manyTexts
      (codes, texts, codeOfText) = ([], [], [:])
    }
  }

  // MARK: Forms

  /// Leaves the form without values; the rows so far are all missing.
  private mutating func begin(_ form: Form) {
    self.form = form
    if form == .texts {
      codes = Array(repeating: TableColumn.missingCode, count: count)
    } else {
      numbers = Array(repeating: .nan, count: count)
    }
  }

  private mutating func becomeTexts(at text: UnsafeRawBufferPointer) {
    becomeTexts(at: String(decoding: text, as: UTF8.self))
  }

  /// Makes texts of what is held, then takes `text`.
  private mutating func becomeTexts(at text: String) {
    firstText = (count + 1, String(text.prefix(40)))
    let held = numbers
    let spelling = form == .times ? Self.timeText : Self.numberText
    numbers = []
    form = .texts
    let whole = count
    for number in held where form == .texts {
      if number.isNaN {
        codes.append(TableColumn.missingCode)
      } else {
        append(spelling(number))
      }
    }
    count = whole
    if form == .texts { append(text) } else { count += 1 }
  }

  // MARK: Spelling

  static func timeText(_ milliseconds: Double) -> String { EventTime.text(Int64(milliseconds)) }

  /// As people write it: a whole number without a point.
  static func numberText(_ number: Double) -> String {
    Int64(exactly: number).map(String.init) ?? number.description
  }

  private static func trimmed(_ field: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var (start, end) = (0, field.count)
    while start < end, field[start] == 0x20 || field[start] == 0x09 { start += 1 }
    while end > start, field[end - 1] == 0x20 || field[end - 1] == 0x09 { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: field[start..<end])
  }

  /// What tables write where a value is missing: nothing, NA, N/A, NaN, null, none or ?.
  private static func isMissing(_ text: UnsafeRawBufferPointer) -> Bool {
    switch text.count {
    case 0: true
    case 1: text[0] == UInt8(ascii: "?")
    case 2...4: ["na", "n/a", "nan", "null", "none"].contains { isSpelled(text, $0) }
    default: false
    }
  }

  private static func infinity(_ text: UnsafeRawBufferPointer) -> Double? {
    guard (3...9).contains(text.count) else { return nil }
    let words: [StaticString] = [
      "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity",
    ]
    return words.contains { isSpelled(text, $0) } ? .infinity : nil
  }

  /// Whether a text is a lower-case word, in any case.
  private static func isSpelled(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
    text.count == word.utf8CodeUnitCount
      && text.indices.allSatisfy { index in
        let byte = text[index]
        let isUpper = byte &- UInt8(ascii: "A") < 26
        return (isUpper ? byte | 0x20 : byte) == word.utf8Start[index]
      }
  }
}
