/// A set of page numbers below a bound, one bit each.
struct PageSet {
  private var words: [UInt64]
  private(set) var count = 0

  init(bound: UInt64) { words = [UInt64](repeating: 0, count: Int(bound / 64 + 1)) }

  func contains(_ page: UInt64) -> Bool {
    let word = page / 64
    return word < UInt64(words.count) && words[Int(word)] >> (page % 64) & 1 == 1
  }

  /// Whether a page is in both sets.
  func intersects(_ other: PageSet) -> Bool {
    zip(words, other.words).contains { $0 & $1 != 0 }
  }

  /// Adds a page; false if it is in the set already, or beyond the bound.
  mutating func insert(_ page: UInt64) -> Bool {
    guard page / 64 < UInt64(words.count), !contains(page) else { return false }
    words[Int(page / 64)] |= 1 << (page % 64)
    count += 1
    return true
  }
}
