import Glibc

/// A sum in twice the precision of `Double` (Dekker, "A floating-point technique for extending the
/// available precision", 1971; Knuth, TAOCP volume 2, section 4.2.2): what leaves a window takes out
/// what it brought in, and rounding does not pile up however long the stream runs.
struct DoubleDouble {
  var high = 0.0
  var low = 0.0

  @inline(__always)
  mutating func add(_ x: Double) {
    let sum = high + x
    let part = sum - high
    let error = (high - (sum - part)) + (x - part)
    let rest = low + error
    high = sum + rest
    low = rest - (high - sum)
  }

  @inline(__always)
  mutating func addSquare(_ x: Double, sign: Double) {
    let square = x * x
    let error = fma(x, x, -square)
    add(sign * square)
    add(sign * error)
  }

  /// The standard deviation of a sample, n − 1 in the denominator; 0 for fewer than two values.
  static func deviation(sum: DoubleDouble, squares: DoubleDouble, count: Int) -> Double {
    guard count > 1 else { return 0 }
    // squares − sum² ÷ n, the square of the sum in twice the precision as well.
    let n = Double(count)
    var rest = DoubleDouble(high: squares.high * n, low: 0)
    rest.add(fma(squares.high, n, -rest.high))
    rest.add(squares.low * n)
    rest.addSquare(sum.high, sign: -1)
    rest.add(-2 * sum.high * sum.low)
    return max(0, rest.high / n / (n - 1)).squareRoot()
  }
}
