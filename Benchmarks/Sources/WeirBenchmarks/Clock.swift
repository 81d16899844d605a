import Glibc

/// Nanoseconds on a clock that only goes forward.
@inline(__always)
func nanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// How long something took, in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = nanoseconds()
  try body()
  return Double(nanoseconds() - start) * 1e-9
}

/// Values in order, to take quantiles of.
struct Sample {
  private let sorted: [Double]

  init(_ values: [Double]) {
    precondition(!values.isEmpty, "a sample needs a value")
    sorted = values.sorted()
  }

  var min: Double { sorted[0] }
  var max: Double { sorted[sorted.count - 1] }

  /// The mean of the two values in the middle, where there are two.
  var median: Double {
    (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// The smallest value that at least this share of the values does not exceed.
  func quantile(_ share: Double) -> Double {
    sorted[Swift.max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
  }
}
