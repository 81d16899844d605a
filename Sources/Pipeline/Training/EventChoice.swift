import Features

/// Chooses events at random by nothing but their id: the same ones in whatever order they and their
/// labels come, and after every restart.
struct EventChoice {
  private let key: UInt64

  /// - Parameter purpose: choices for different purposes are independent of each other.
  init(seed: UInt64, purpose: String) {
    key = Self.mix(seed &+ stableHash(purpose.utf8))
  }

  /// An event's number: uniform over all of UInt64.
  /// - Parameter hash: of its id.
  func number(_ hash: UInt64) -> UInt64 { Self.mix(hash ^ key) }

  /// Whether an event is among a share of all.
  func takes(_ hash: UInt64, share: Double) -> Bool {
    Double(number(hash) >> 11) * 0x1p-53 < share
  }

  /// The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
  /// generators", 2014).
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
