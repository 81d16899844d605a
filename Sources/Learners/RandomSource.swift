import StateCoding

/// The xoshiro256** generator of Blackman and Vigna ("Scrambled linear pseudorandom number
/// generators", 2021), seeded through SplitMix64 (Steele, Lea, Flood, 2014).
///
/// Its state is four words, so that a learner can be saved in the middle of its random sequence.
/// It is not fit for secrets.
public struct RandomSource: RandomNumberGenerator, Sendable, Equatable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// A generator whose sequence follows from the seed; every seed is good, 0 too.
  public init(seed: UInt64) {
    var mixer = SplitMix64(state: seed)
    s0 = mixer.next()
    s1 = mixer.next()
    s2 = mixer.next()
    s3 = mixer.next()
  }

  /// A generator that goes on where the one with this ``state`` stood, or nil unless there are four
  /// words that are not all zero.
  public init?(state: [UInt64]) {
    guard state.count == 4, state.contains(where: { $0 != 0 }) else { return nil }
    (s0, s1, s2, s3) = (state[0], state[1], state[2], state[3])
  }

  /// The four words of state.
  public var state: [UInt64] { [s0, s1, s2, s3] }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    let result = Self.rotate(s1 &* 5, by: 7) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = Self.rotate(s3, by: 45)
    return result
  }

  /// A number in [0, 1), one of 2⁵³ equally spaced ones.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A whole number in `0 ..< bound`, each equally likely (Lemire, "Fast random integer generation
  /// in an interval", 2019). `bound` must be positive.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a random number needs a positive bound")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold {
        product = next().multipliedFullWidth(by: bound)
      }
    }
    return Int(product.high)
  }

  private static func rotate(_ value: UInt64, by count: UInt64) -> UInt64 {
    (value << count) | (value >> (64 - count))
  }
}

/// Spreads a seed over the words of ``RandomSource``.
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension StateWriter {
  /// Appends the four words of a generator.
  public mutating func write(_ value: RandomSource) {
    for word in value.state { write(word) }
  }
}

extension StateReader {
  /// Reads the four words of a generator.
  public mutating func readRandomSource() throws(StateError) -> RandomSource {
    var words: [UInt64] = []
    for _ in 0..<4 { words.append(try read(UInt64.self)) }
    guard let source = RandomSource(state: words) else { throw .invalid("generator") }
    return source
  }
}
