import CSodium

/// 32 bytes that name content: BLAKE2b-256 (RFC 7693).
public struct Digest: Sendable, Hashable, CustomStringConvertible {
  /// Always 32.
  public let bytes: [UInt8]

  /// The digest of some bytes.
  public init(of content: [UInt8]) { bytes = blake2b(content, count: 32) }

  /// The digest of a list of digests, in order.
  public init(of digests: some Sequence<Digest>) {
    bytes = blake2b(digests.flatMap(\.bytes), count: 32)
  }

  /// A digest from its 32 bytes; nil for any other count.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// 64 hexadecimal digits.
  public var description: String { hexadecimal(bytes) }

  /// The first 12 hexadecimal digits, for people.
  public var short: String { String(description.prefix(12)) }
}

/// BLAKE2b of `count` bytes (16 to 64).
func blake2b(_ content: [UInt8], count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { out, filled in
    // Fails only for a count out of range.
    let status = crypto_generichash(
      out.baseAddress!, count, content, UInt64(content.count), nil, 0)
    precondition(status == 0, "BLAKE2b of \(count) bytes")
    filled = count
  }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
