import Glibc

/// Decimal text to binary and back.
public enum Decimal {
  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  /// The double nearest to the decimal number that `bytes` spell (sign, digits, point, exponent),
  /// nil if they spell none. Correctly rounded: up to 2^53 with a power of ten up to 10^22 is one
  /// exact operation (Clinger, "How to read floating point numbers accurately", 1990, section 3),
  /// everything else goes to `strtod`. Overflow gives an infinity.
  public static func parse(_ bytes: UnsafeRawBufferPointer) -> Double? {
    let count = bytes.count
    var index = 0
    var negative = false
    if index < count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
      negative = bytes[index] == UInt8(ascii: "-")
      index += 1
    }
    var mantissa: UInt64 = 0
    var digits = 0
    var exponent = 0
    while index < count, let digit = digitValue(bytes[index]) {
      if digits < 19 { mantissa = mantissa &* 10 &+ digit } else { exponent += 1 }
      if mantissa > 0 { digits += 1 }
      index += 1
    }
    var any = index > (negative || (count > 0 && bytes[0] == UInt8(ascii: "+")) ? 1 : 0)
    if index < count, bytes[index] == UInt8(ascii: ".") {
      index += 1
      while index < count, let digit = digitValue(bytes[index]) {
        any = true
        if digits < 19 {
          mantissa = mantissa &* 10 &+ digit
          exponent -= 1
        }
        if mantissa > 0 { digits += 1 }
        index += 1
      }
    }
    guard any else { return nil }
    if index < count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      var down = false
      if index < count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
        down = bytes[index] == UInt8(ascii: "-")
        index += 1
      }
      let first = index
      var value = 0
      while index < count, let digit = digitValue(bytes[index]) {
        value = min(value * 10 + Int(digit), 100_000)
        index += 1
      }
      guard index > first else { return nil }
      exponent += down ? -value : value
    }
    guard index == count else { return nil }
    if digits <= 19, mantissa <= 1 << 53, abs(exponent) <= 22 {
      let power = powers[abs(exponent)]
      let magnitude = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
      return negative ? -magnitude : magnitude
    }
    var text = [CChar](repeating: 0, count: count + 1)
    for (offset, byte) in bytes.enumerated() { text[offset] = CChar(bitPattern: byte) }
    return strtod(text, nil)
  }

  @inline(__always)
  private static func digitValue(_ byte: UInt8) -> UInt64? {
    let value = byte &- UInt8(ascii: "0")
    return value < 10 ? UInt64(value) : nil
  }
}

extension Array where Element == UInt8 {
  /// Appends the decimal digits of an integer.
  public mutating func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    let start = count
    repeat {
      append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }

  /// Appends the shortest decimal that reads back as the same value.
  public mutating func append(decimal value: Double) { append(contentsOf: value.description.utf8) }

  /// Appends the shortest decimal that reads back as the same value.
  public mutating func append(decimal value: Float) { append(contentsOf: value.description.utf8) }

  /// Appends a string's UTF-8.
  public mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }

  /// Appends bytes as a JSON string with its quotes. Bytes that are not UTF-8 are replaced as
  /// `String(decoding:as:)` does.
  public mutating func append(jsonString bytes: UnsafeRawBufferPointer) {
    append(UInt8(ascii: "\""))
    var plain = true
    for byte in bytes where byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5c {
      plain = false
      break
    }
    if plain {
      append(contentsOf: bytes)
    } else {
      for byte in String(decoding: bytes, as: UTF8.self).utf8 {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5c: append("\\\\")
        case 0x0a: append("\\n")
        case 0x0d: append("\\r")
        case 0x09: append("\\t")
        case 0..<0x20:
          append("\\u00")
          let hex = Array("0123456789abcdef".utf8)
          append(hex[Int(byte >> 4)])
          append(hex[Int(byte & 15)])
        default: append(byte)
        }
      }
    }
    append(UInt8(ascii: "\""))
  }

  /// Appends a string as a JSON string with its quotes.
  public mutating func append(jsonString text: String) {
    var text = text
    text.withUTF8 { append(jsonString: UnsafeRawBufferPointer($0)) }
  }
}

extension Decimal {
  /// Whether bytes are a number by JSON's grammar (RFC 8259, section 6).
  public static func isJSONNumber(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    func digits() -> Int {
      let start = index
      while index < bytes.count, bytes[index] &- UInt8(ascii: "0") < 10 { index += 1 }
      return index - start
    }
    func take(_ byte: UInt8) -> Bool {
      guard index < bytes.count, bytes[index] == byte else { return false }
      index += 1
      return true
    }
    _ = take(UInt8(ascii: "-"))
    let first = index
    let whole = digits()
    guard whole > 0, whole == 1 || bytes[first] != UInt8(ascii: "0") else { return false }
    if take(UInt8(ascii: ".")), digits() == 0 { return false }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      guard digits() > 0 else { return false }
    }
    return index == bytes.count
  }
}
