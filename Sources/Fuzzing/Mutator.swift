import Learners

/// Makes inputs from inputs: flips, splices, numbers at the edges, tokens.
public struct Mutator {
  /// Where its choices come from.
  public var random: RandomSource
  private let tokens: [[UInt8]]
  private let longest: Int

  private static let edges: [UInt64] = [
    0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
    0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, .max, 0x7ff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
  ]
  private static let numbers = [
    "0", "-0", "1", "-1", "1e308", "1e309", "-1e999", "3.5e38", "1e-400", "0.1", "nan", "inf",
    "2147483648", "4294967296", "9223372036854775808", "-9223372036854775809",
    "18446744073709551616", "99999999999999999999999999999999", "1.7976931348623157e308", "5e-324",
    "253402300800", "1_000", "0x10", "1e", "+1", ".5", "5.",
  ].map { Array($0.utf8) }

  /// A mutator whose choices follow from the seed.
  /// - Parameters:
  ///   - tokens: pieces to put in.
  ///   - longest: the most bytes of an input.
  public init(seed: UInt64, tokens: [[UInt8]], longest: Int) {
    self.longest = longest
    random = RandomSource(seed: seed)
    self.tokens = tokens + Self.numbers
  }

  /// A changed copy of an input.
  /// - Parameter other: gives an input to splice with.
  public mutating func mutate(_ input: [UInt8], other: (inout RandomSource) -> [UInt8]) -> [UInt8] {
    var bytes = input
    for _ in 0..<(1 << random.below(5)) { change(&bytes, other) }
    if bytes.count > longest { bytes.removeLast(bytes.count - longest) }
    return bytes
  }

  private mutating func change(
    _ bytes: inout [UInt8], _ other: (inout RandomSource) -> [UInt8]
  ) {
    guard !bytes.isEmpty else {
      bytes = random.below(2) == 0 ? other(&random) : token()
      return
    }
    let at = random.below(bytes.count)
    switch random.below(12) {
    case 0: bytes[at] ^= 1 << UInt8(random.below(8))
    case 1: bytes[at] = UInt8(random.below(256))
    case 2: bytes.removeSubrange(range(bytes, from: at))
    case 3: bytes.insert(contentsOf: Array(bytes[range(bytes, from: at)]), at: at)
    case 4: bytes.insert(contentsOf: token(), at: at)
    case 5: bytes.replaceSubrange(range(bytes, from: at), with: token())
    case 6:
      let bytesOfOther = other(&random)
      guard !bytesOfOther.isEmpty else { return }
      let from = random.below(bytesOfOther.count)
      bytes.replaceSubrange(at..., with: bytesOfOther[from...])
    case 7:
      let bytesOfOther = other(&random)
      guard !bytesOfOther.isEmpty else { return }
      let from = random.below(bytesOfOther.count)
      bytes.insert(contentsOf: bytesOfOther[range(bytesOfOther, from: from)], at: at)
    case 8: store(Self.edges[random.below(Self.edges.count)], in: &bytes, at: at)
    case 9: bytes.removeLast(bytes.count - at)
    case 10: replaceNumber(&bytes, at: at)
    default:
      let count = 1 + random.below(1 << random.below(11))
      bytes.insert(contentsOf: repeatElement(bytes[at], count: count), at: at)
    }
  }

  private mutating func token() -> [UInt8] { tokens[random.below(tokens.count)] }

  /// A stretch that is mostly short.
  private mutating func range(_ bytes: [UInt8], from: Int) -> Range<Int> {
    from..<min(bytes.count, from + 1 + random.below(1 << random.below(9)))
  }

  /// Writes the low 1, 2, 4 or 8 bytes of a number, little-endian.
  private mutating func store(_ value: UInt64, in bytes: inout [UInt8], at: Int) {
    for byte in 0..<(1 << random.below(4)) where at + byte < bytes.count {
      bytes[at + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
    }
  }

  /// Replaces the run of digits at or behind a place.
  private mutating func replaceNumber(_ bytes: inout [UInt8], at: Int) {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let start = bytes[at...].firstIndex(where: digits.contains) else { return }
    let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
    bytes.replaceSubrange(start..<end, with: Self.numbers[random.below(Self.numbers.count)])
  }
}
