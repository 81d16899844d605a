import CSodium

/// SipHash-2-4 (Aumasson and Bernstein, 2012): by it entities, events and categories are told apart
/// in windows. Two of n collide with a probability of n² ÷ 2⁶⁵: of a million, once in 30 million
/// pipelines.
///
/// Its key is fixed, because windows are saved. This file owns the pointers that libsodium takes.
struct EntityHash: Sendable {
  private let key: [UInt8] = (0..<16).map { UInt8($0 * 17) }

  init() { precondition(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8) }

  func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var hash: UInt64 = 0
    _ = bytes.withUnsafeBufferPointer { bytes in
      withUnsafeMutableBytes(of: &hash) { hash in
        crypto_shorthash(
          hash.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.baseAddress,
          UInt64(bytes.count), key)
      }
    }
    return hash
  }

  /// One hash of several.
  @inline(__always)
  static func combine(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var hash = (a ^ (b &* 0x9e37_79b9_7f4a_7c15)) &+ 0x632b_e59b_d9b4_e019
    hash = (hash ^ (hash >> 32)) &* 0xd6e8_feb8_6659_fd93
    hash = (hash ^ (hash >> 32)) &* 0xd6e8_feb8_6659_fd93
    return hash ^ (hash >> 32)
  }
}
