/// The draws of CPython's `random.Random`, number for number (3.2 and later).
public struct CPythonRandom: Sendable {
  private var generator: MersenneTwister

  /// The stream after `random.seed(seed)`.
  public init(seed: UInt64) {
    let low = UInt32(truncatingIfNeeded: seed)
    let high = UInt32(truncatingIfNeeded: seed >> 32)
    self.init(key: high == 0 ? [low] : [low, high])
  }

  /// The stream after `random.seed` with the integer whose 32-bit digits are `key`, the least
  /// significant first.
  ///
  /// - Parameter key: at least one digit; the last is not 0 unless it is the only one, because
  ///   Python's integers have no leading zeros.
  public init(key: [UInt32]) {
    generator = MersenneTwister(key: key)
  }

  /// `random()`: uniform in [0, 1).
  public mutating func uniform() -> Double {
    generator.nextUniform()
  }

  /// `getrandbits(count)`.
  ///
  /// - Parameter count: 1...32.
  public mutating func bits(_ count: Int) -> UInt32 {
    precondition(count >= 1 && count <= 32, "one word holds 1 to 32 bits")
    return generator.next() >> UInt32(32 - count)
  }

  /// A uniform integer below `bound`, by refusing draws of `bound`'s bit length that are too large;
  /// this is the index that `choice` takes.
  ///
  /// - Parameter bound: 1...Int(UInt32.max).
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound >= 1, "nothing lies below \(bound)")
    let width = Int.bitWidth - bound.leadingZeroBitCount
    var value = bits(width)
    while value >= bound { value = bits(width) }
    return Int(value)
  }

  /// The positions that `sample(population, k: size)` draws from `count` elements, in its order.
  ///
  /// Small samples of large populations are drawn by refusing repeats, others out of a shrinking
  /// pool; the border between the two is part of the stream.
  ///
  /// - Precondition: `size` is at most `count`.
  public mutating func sample(_ size: Int, from count: Int) -> [Int] {
    precondition(size >= 0 && size <= count, "a sample is no larger than what it is drawn from")
    var drawn: [Int] = []
    drawn.reserveCapacity(size)
    if count <= Self.largestPooled(size) {
      var pool = Array(0..<count)
      for step in 0..<size {
        let index = integer(below: count - step)
        drawn.append(pool[index])
        pool[index] = pool[count - step - 1]
      }
    } else {
      var seen = Set<Int>(minimumCapacity: size)
      while drawn.count < size {
        let index = integer(below: count)
        if seen.insert(index).inserted { drawn.append(index) }
      }
    }
    return drawn
  }

  /// 21, and for more than five elements the least power of four not below 3 · size on top: where
  /// CPython reckons that a list stops being smaller than a set.
  private static func largestPooled(_ size: Int) -> Int {
    if size <= 5 { return 21 }
    var power = 4
    while power < 3 * size { power *= 4 }
    return 21 + power
  }
}
