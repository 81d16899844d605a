private let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

extension Array where Element == UInt8 {
  /// Appends bytes in base64 (RFC 4648, section 4).
  public mutating func append(base64 bytes: UnsafeRawBufferPointer) {
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = Swift.min(3, bytes.count - start)
      var group = 0
      for index in 0..<3 { group = group << 8 | (index < count ? Int(bytes[start + index]) : 0) }
      for index in 0..<4 {
        append(index <= count ? digits[group >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
      }
    }
  }

  /// The bytes that a text in base64 stands for; nil if it is none.
  public init?(base64 text: some Collection<UInt8>) {
    guard text.count % 4 == 0 else { return nil }
    self = []
    reserveCapacity(text.count / 4 * 3)
    var group = 0
    var count = 0
    var padding = 0
    for byte in text {
      if byte == UInt8(ascii: "="), count >= 2 {
        padding += 1
        group <<= 6
      } else if padding == 0, let value = digits.firstIndex(of: byte) {
        group = group << 6 | value
      } else {
        return nil
      }
      count += 1
      guard count == 4 else { continue }
      for index in 0..<(3 - padding) { append(UInt8(group >> (16 - 8 * index) & 255)) }
      group = 0
      count = 0
      if padding > 0 { count = -4 }
    }
    guard count <= 0 else { return nil }
  }
}
