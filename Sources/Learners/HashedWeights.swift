/// Log-odds of categories, looked up by their hashes (Weinberger et al., "Feature hashing for large
/// scale multitask learning", 2009, without the sign).
///
/// A hashed column holds, as a number, a hash of ``HashedWeightsOptions/largestBits`` bits of an
/// event's category, salted with the name of its feature, so that all columns can share one table:
/// the entry is given by the hash's lowest bits. A value that is no such hash, −1 or NaN or too
/// large, stands for no category and adds nothing.
public struct HashedWeights: Sendable, Equatable {
  /// Columns that look up the table.
  public let columns: Int
  /// One weight an entry, in log-odds; a power of 2 of them.
  public let table: [Float]

  /// A table of 2ⁿ entries, n from 1 to ``HashedWeightsOptions/largestBits``.
  public init(columns: Int, table: [Float]) {
    precondition(
      columns > 0 && table.count.nonzeroBitCount == 1 && table.count > 1
        && table.count <= 1 << HashedWeightsOptions.largestBits,
      "a table needs columns, and a power of 2 of entries")
    self.columns = columns
    self.table = table
  }

  /// The binary logarithm of the number of entries.
  public var bits: Int { table.count.trailingZeroBitCount }

  /// The weight of a column's value.
  @inline(__always)
  public func weight(of value: Double) -> Double {
    guard let entry = Self.entry(of: value, in: table.count) else { return 0 }
    return Double(table[entry])
  }

  /// Whether every weight is finite.
  public var isFinite: Bool { table.allSatisfy(\.isFinite) }

  /// The largest absolute weight.
  public var largestMagnitude: Double { Double(table.reduce(0) { max($0, abs($1)) }) }

  /// The entry of a value in a table of `count` entries; nil for one that is no hash.
  @inline(__always)
  static func entry(of value: Double, in count: Int) -> Int? {
    guard value >= 0, value < Double(1 << HashedWeightsOptions.largestBits) else { return nil }
    return Int(value) & (count - 1)
  }
}
