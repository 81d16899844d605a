import Features

/// Finds waiting events by id: an open-addressing table of the ids' hashes with linear probing
/// (Knuth, TAOCP volume 3, section 6.4). The ids themselves stay in their blocks, so an event
/// costs no allocation.
struct EventIndex {
  private struct Slot {
    var hash: UInt64
    var place: PendingExamples.Place
  }

  private var slots: [Slot?]
  private(set) var count = 0

  init() { slots = Array(repeating: nil, count: 1024) }

  private var mask: Int { slots.count - 1 }

  /// The hash by which an id is found.
  static func hash(_ id: ArraySlice<UInt8>) -> UInt64 {
    id.withUnsafeBufferPointer { stableHash($0) }
  }

  /// The place of the id with this hash for which `isSame` holds.
  func find(_ hash: UInt64, isSame: (PendingExamples.Place) -> Bool) -> PendingExamples.Place? {
    var at = Int(truncatingIfNeeded: hash) & mask
    while let slot = slots[at] {
      if slot.hash == hash, isSame(slot.place) { return slot.place }
      at = (at + 1) & mask
    }
    return nil
  }

  /// Enters an id that is not there.
  mutating func insert(_ hash: UInt64, _ place: PendingExamples.Place) {
    if count * 2 >= slots.count { grow() }
    var at = Int(truncatingIfNeeded: hash) & mask
    while slots[at] != nil { at = (at + 1) & mask }
    slots[at] = Slot(hash: hash, place: place)
    count += 1
  }

  /// Removes the id at a place, if it is there; later ones of its chain close the gap.
  mutating func remove(_ hash: UInt64, _ place: PendingExamples.Place) {
    var at = Int(truncatingIfNeeded: hash) & mask
    while let slot = slots[at] {
      if slot.hash == hash, slot.place == place { break }
      at = (at + 1) & mask
    }
    guard slots[at] != nil else { return }
    count -= 1
    var gap = at
    while true {
      at = (at + 1) & mask
      guard let slot = slots[at] else { break }
      // A slot may move into the gap unless its home lies behind the gap.
      let home = Int(truncatingIfNeeded: slot.hash) & mask
      if (at &- home) & mask >= (at &- gap) & mask {
        slots[gap] = slot
        gap = at
      }
    }
    slots[gap] = nil
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: nil, count: old.count * 2)
    count = 0
    for case let slot? in old { insert(slot.hash, slot.place) }
  }
}
