/// The number that stands for a category, or a combination of several, in a column of its own:
/// the lowest bits of a ``StableHash`` of the feature's name and, each behind a byte 255, the
/// categories. The name is there as a salt, so that the features of a pipeline can share one table of
/// weights. Every such number is exact in Float32 and Float64.
public struct CategoryHash: Sendable {
  /// Numbers are below 2 to the power of it.
  public static let bits = 20
  /// Stands for no category: of a combination, at least one is empty.
  public static let none = -1.0

  private let salted: StableHash

  /// Hashes of a feature's categories.
  public init(feature name: String) {
    var hash = StableHash()
    hash.add(name.utf8)
    salted = hash
  }

  /// The number of categories, each as its bytes.
  @inline(__always)
  public func value(_ categories: some Sequence<some Collection<UInt8>>) -> Double {
    var hash = salted
    for category in categories {
      if category.isEmpty { return Self.none }
      hash.add(255)
      hash.add(category)
    }
    return Double(hash.value & (1 << UInt64(Self.bits) - 1))
  }
}
