/// FNV-1a of 64 bits (Fowler, Noll and Vo) with a final mix: the same on every machine and in every
/// run, unlike `Hasher`.
public struct StableHash: Sendable {
  @usableFromInline var state: UInt64 = 0xcbf2_9ce4_8422_2325

  /// The hash of no bytes.
  @inlinable
  public init() {}

  /// Takes in one byte.
  @inlinable
  public mutating func add(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }

  /// Takes in bytes.
  @inlinable
  public mutating func add(_ bytes: some Sequence<UInt8>) { for byte in bytes { add(byte) } }

  /// The hash of all bytes taken in.
  @inlinable
  public var value: UInt64 {
    let mixed = (state ^ (state >> 32)) &* 0xd6e8_feb8_6659_fd93
    return mixed ^ (mixed >> 32)
  }
}

/// The ``StableHash`` of bytes.
@inlinable
public func stableHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
  var hash = StableHash()
  hash.add(bytes)
  return hash.value
}
