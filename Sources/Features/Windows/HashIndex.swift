/// Finds a small number by a 64-bit hash: an open-addressing table with linear probing (Knuth, TAOCP
/// volume 3, section 6.4). Hashes have to be spread well already; two equal ones are one key.
struct HashIndex {
  /// 0 is a free slot.
  private var hashes: [UInt64] = []
  private var values: [UInt32] = []
  private(set) var count = 0

  private static let smallest = 8

  init() {}

  /// Bytes a key takes in a table that has just grown: at most a quarter of it is full then.
  static let bytesPerKey = 4 * 12

  private var mask: Int { hashes.count - 1 }

  /// A hash that may stand in the table.
  @inline(__always)
  private static func key(_ hash: UInt64) -> UInt64 { hash == 0 ? 1 : hash }

  /// Shards are chosen by the upper bits of a hash, slots by the lower ones.
  @inline(__always)
  private func slot(_ key: UInt64) -> (at: Int, isFound: Bool) {
    guard !hashes.isEmpty else { return (0, false) }
    var at = Int(truncatingIfNeeded: key) & mask
    while hashes[at] != 0 {
      if hashes[at] == key { return (at, true) }
      at = (at + 1) & mask
    }
    return (at, false)
  }

  @inline(__always)
  subscript(hash: UInt64) -> UInt32? {
    let (at, isFound) = slot(Self.key(hash))
    return isFound ? values[at] : nil
  }

  /// Enters a value, in the place of the one before.
  mutating func set(_ hash: UInt64, _ value: UInt32) {
    let key = Self.key(hash)
    var (at, isFound) = slot(key)
    if !isFound {
      if count * 2 >= hashes.count {
        grow()
        at = slot(key).at
      }
      hashes[at] = key
      count += 1
    }
    values[at] = value
  }

  /// Frees a hash's slot, if it has one; later ones of its chain close the gap.
  mutating func remove(_ hash: UInt64) {
    var (gap, isFound) = slot(Self.key(hash))
    guard isFound else { return }
    count -= 1
    var at = gap
    while true {
      at = (at + 1) & mask
      guard hashes[at] != 0 else { break }
      // A hash may move into the gap unless its home lies behind the gap.
      let home = Int(truncatingIfNeeded: hashes[at]) & mask
      if (at &- home) & mask >= (at &- gap) & mask {
        hashes[gap] = hashes[at]
        values[gap] = values[at]
        gap = at
      }
    }
    hashes[gap] = 0
  }

  private mutating func grow() {
    let (oldHashes, oldValues) = (hashes, values)
    let size = max(Self.smallest, oldHashes.count * 2)
    hashes = Array(repeating: 0, count: size)
    values = Array(repeating: 0, count: size)
    for (hash, value) in zip(oldHashes, oldValues) where hash != 0 {
      let at = slot(hash).at
      hashes[at] = hash
      values[at] = value
    }
  }
}
