/// Reads one JSON document by the grammar of RFC 8259 and nothing beyond it.
struct JSONParser {
  /// Arrays and objects within each other; deeper ones are refused, so that no document can use up
  /// the stack.
  static let largestDepth = 128

  private let bytes: [UInt8]
  private var index = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The whole document.
  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let result = try value(depth: 0)
    skipSpace()
    guard index == bytes.count else { throw failure("something follows the document") }
    return result
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    guard depth <= Self.largestDepth else {
      throw failure("nested deeper than \(Self.largestDepth) levels")
    }
    skipSpace()
    guard let first = peek else { throw failure("the document ends too early") }
    switch first {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take("true"): return .bool(true)
    case UInt8(ascii: "f") where take("false"): return .bool(false)
    case UInt8(ascii: "n") where take("null"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw failure("no value begins here")
    }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    index += 1
    var members: [(String, JSONValue)] = []
    var names: Set<String> = []
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw failure("a member's name is missing") }
      let name = try string()
      guard names.insert(name).inserted else { throw failure("a member is given twice") }
      skipSpace()
      guard take(":") else { throw failure("a colon is missing") }
      members.append((name, try value(depth: depth + 1)))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw failure("a comma or a closing brace is missing") }
    }
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    index += 1
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(values) }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(values) }
      guard take(",") else { throw failure("a comma or a closing bracket is missing") }
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let start = index
    while let byte = peek, Self.numberCharacters.contains(byte) { index += 1 }
    let text = bytes[start..<index]
    guard text.withUnsafeBytes(Decimal.isJSONNumber) else { throw failure("no number of JSON") }
    if let integer = Int64(String(decoding: text, as: UTF8.self)) { return .integer(integer) }
    guard let number = text.withUnsafeBytes(Decimal.parse), number.isFinite else {
      throw failure("a number that is too large")
    }
    return .number(number)
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    index += 1
    var text: [UInt8] = []
    while let byte = peek, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw failure("a control character in a string") }
      index += 1
      if byte == UInt8(ascii: "\\") { text += try escaped() } else { text.append(byte) }
    }
    guard take("\"") else { throw failure("a string has no end") }
    guard let result = String(validating: text, as: UTF8.self) else {
      throw failure("a string that is not UTF-8")
    }
    return result
  }

  /// What stands behind a backslash, as UTF-8.
  private mutating func escaped() throws(JSONSyntaxError) -> [UInt8] {
    guard let byte = peek else { throw failure("a string has no end") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), take("\\u") { units.append(try codeUnit()) }
      guard let text = String(validating: units, as: UTF16.self) else {
        throw failure("half of a surrogate pair")
      }
      return Array(text.utf8)
    default: throw failure("an unknown escape in a string")
    }
  }

  /// Four hexadecimal digits.
  private mutating func codeUnit() throws(JSONSyntaxError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("four hexadecimal digits are missing")
      }
      value = value << 4 | UInt16(digit)
      index += 1
    }
    return value
  }

  // MARK: Characters

  private static let numberCharacters = Set("+-.0123456789Ee".utf8)

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      index += 1
    }
  }

  /// Steps over `text` if it stands here.
  private mutating func take(_ text: StaticString) -> Bool {
    let found = text.withUTF8Buffer { bytes[index...].starts(with: $0) }
    if found { index += text.utf8CodeUnitCount }
    return found
  }

  private func failure(_ reason: String) -> JSONSyntaxError {
    let line = bytes[..<min(index, bytes.count)].count(where: { $0 == UInt8(ascii: "\n") }) + 1
    return JSONSyntaxError(line: line, reason: reason)
  }
}
