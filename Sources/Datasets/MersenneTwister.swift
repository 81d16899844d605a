/// The 32-bit Mersenne Twister MT19937, with both seedings its authors published.
///
/// Source: M. Matsumoto and T. Nishimura, "Mersenne Twister: A 623-dimensionally equidistributed
/// uniform pseudo-random number generator", ACM TOMACS 8(1), 1998, with the initialisation of
/// 2002. NumPy's legacy generator and CPython's `random` both stand on it and differ only in what
/// they make of its words; see ``NumPyLegacyRandom`` and ``CPythonRandom``.
public struct MersenneTwister: Sendable {
  private static let size = 624
  private static let shift = 397

  private var state: [UInt32]
  private var position: Int

  /// Seeds by a single word (`init_genrand`), as NumPy's `RandomState(integer)` does.
  public init(seed: UInt32) {
    state = [UInt32](repeating: 0, count: Self.size)
    position = Self.size
    state[0] = seed
    for index in 1..<Self.size {
      let previous = state[index - 1]
      state[index] = 1_812_433_253 &* (previous ^ (previous >> 30)) &+ UInt32(index)
    }
  }

  /// Seeds by several words (`init_by_array`), as CPython's `random.seed` does.
  ///
  /// - Parameter key: at least one word, the least significant first.
  public init(key: [UInt32]) {
    precondition(!key.isEmpty, "a key holds at least one word")
    self.init(seed: 19_650_218)
    var index = 1
    var keyIndex = 0
    for _ in 0..<max(Self.size, key.count) {
      let previous = state[index - 1]
      let mixed = (previous ^ (previous >> 30)) &* 1_664_525
      state[index] = (state[index] ^ mixed) &+ key[keyIndex] &+ UInt32(truncatingIfNeeded: keyIndex)
      advance(&index)
      keyIndex = keyIndex + 1 == key.count ? 0 : keyIndex + 1
    }
    for _ in 1..<Self.size {
      let previous = state[index - 1]
      let mixed = (previous ^ (previous >> 30)) &* 1_566_083_941
      state[index] = (state[index] ^ mixed) &- UInt32(index)
      advance(&index)
    }
    state[0] = 0x8000_0000
  }

  private mutating func advance(_ index: inout Int) {
    index += 1
    if index == Self.size {
      state[0] = state[Self.size - 1]
      index = 1
    }
  }

  /// The next 32 uniform bits.
  public mutating func next() -> UInt32 {
    if position == Self.size { refill() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9d2c_5680
    word ^= (word << 15) & 0xefc6_0000
    return word ^ (word >> 18)
  }

  /// The next uniform number in [0, 1) with 53 random bits, from two words.
  public mutating func nextUniform() -> Double {
    let high = Double(next() >> 5)
    let low = Double(next() >> 6)
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  private mutating func refill() {
    for index in 0..<Self.size {
      let following = index + 1 == Self.size ? 0 : index + 1
      let partner =
        index + Self.shift < Self.size ? index + Self.shift : index + Self.shift - Self.size
      let joined = (state[index] & 0x8000_0000) | (state[following] & 0x7fff_ffff)
      state[index] = state[partner] ^ (joined >> 1) ^ ((joined & 1) &* 0x9908_b0df)
    }
    position = 0
  }
}
