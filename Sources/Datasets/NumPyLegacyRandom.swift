import Glibc

/// The draws of NumPy's legacy `numpy.random.RandomState`, number for number.
///
/// NumPy froze this stream (NEP 19), so data sets published with `numpy.random.seed` can be made
/// again. The logarithm, the exponential and the square root come from the C library, as they do
/// there.
public struct NumPyLegacyRandom: Sendable {
  private var generator: MersenneTwister
  private var cachedNormal: Double?

  /// The stream after `numpy.random.seed(seed)`.
  public init(seed: UInt32) {
    generator = MersenneTwister(seed: seed)
  }

  /// The stream after `numpy.random.seed([key…])`.
  ///
  /// - Parameter key: at least one word.
  public init(key: [UInt32]) {
    generator = MersenneTwister(key: key)
  }

  /// `uniform(low, high)`: uniform in [low, high).
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * generator.nextUniform()
  }

  /// `normal(mean, deviation)`: Marsaglia's polar method.
  ///
  /// The method yields two numbers at a time; the second is kept for the next call, so the stream
  /// depends on how many normals were drawn before.
  public mutating func normal(mean: Double, deviation: Double) -> Double {
    mean + deviation * standardNormal()
  }

  private mutating func standardNormal() -> Double {
    if let cached = cachedNormal {
      cachedNormal = nil
      return cached
    }
    while true {
      let x = 2 * generator.nextUniform() - 1
      let y = 2 * generator.nextUniform() - 1
      let squaredRadius = x * x + y * y
      if squaredRadius < 1 && squaredRadius != 0 {
        let factor = sqrt(-2 * log(squaredRadius) / squaredRadius)
        cachedNormal = factor * x
        return factor * y
      }
    }
  }

  /// `poisson(rate)` for a rate below ten: Knuth's product of uniforms.
  ///
  /// - Parameter rate: 0 ≤ rate < 10; NumPy switches to another method at ten.
  public mutating func poisson(rate: Double) -> Int {
    precondition(rate >= 0 && rate < 10, "the product method serves rates from 0 to below 10")
    if rate == 0 { return 0 }
    let limit = exp(-rate)
    var count = 0
    var product = generator.nextUniform()
    while product > limit {
      count += 1
      product *= generator.nextUniform()
    }
    return count
  }

  /// A uniform integer in 0...maximum: words are masked to the width of `maximum` and those above
  /// it refused.
  public mutating func integer(through maximum: UInt32) -> UInt32 {
    if maximum == 0 { return 0 }
    let mask = UInt32.max >> UInt32(maximum.leadingZeroBitCount)
    var value = generator.next() & mask
    while value > maximum { value = generator.next() & mask }
    return value
  }

  /// `permutation(count)`: the numbers 0..<count, shuffled from the back (Fisher and Yates).
  public mutating func permutation(_ count: Int) -> [Int32] {
    var values = (0..<Int32(count)).map { $0 }
    for index in stride(from: count - 1, to: 0, by: -1) {
      values.swapAt(index, Int(integer(through: UInt32(index))))
    }
    return values
  }

  /// The positions that pandas' `sample(n: size, random_state:)` draws from `count` rows.
  ///
  /// - Precondition: `size` is at most `count`.
  public mutating func sample(_ size: Int, from count: Int) -> [Int32] {
    precondition(size >= 0 && size <= count, "a sample is no larger than what it is drawn from")
    return Array(permutation(count).prefix(size))
  }
}
