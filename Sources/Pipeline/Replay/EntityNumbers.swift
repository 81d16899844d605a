import Features

/// Numbers entities in the order in which they appear.
///
/// An open-addressing table with linear probing; the names lie one after the other, so that an
/// entity costs its name and about 16 bytes.
struct EntityNumbers {
  /// What stands for no entity.
  static let none = UInt32.max

  private(set) var count = 0
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  /// Number + 1; 0 is a free slot.
  private var slots = [UInt32](repeating: 0, count: 1024)

  /// The number of an entity; an empty name is none.
  mutating func number(_ name: ArraySlice<UInt8>) -> UInt32 {
    guard !name.isEmpty else { return Self.none }
    var slot = Int(truncatingIfNeeded: stableHash(name)) & (slots.count - 1)
    while slots[slot] != 0 {
      if self.name(Int(slots[slot]) - 1).elementsEqual(name) { return slots[slot] - 1 }
      slot = (slot + 1) & (slots.count - 1)
    }
    bytes.append(contentsOf: name)
    ends.append(bytes.count)
    count += 1
    slots[slot] = UInt32(count)
    if count * 2 > slots.count { grow() }
    return UInt32(count - 1)
  }

  private func name(_ number: Int) -> ArraySlice<UInt8> {
    bytes[(number == 0 ? 0 : ends[number - 1])..<ends[number]]
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for number in 0..<count {
      var slot = Int(truncatingIfNeeded: stableHash(name(number))) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(number + 1)
    }
  }
}
