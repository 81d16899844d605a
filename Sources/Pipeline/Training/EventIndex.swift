import Features

/// Finds waiting events by id: an open-addressing table of the ids' hashes with linear probing
/// (Knuth, TAOCP volume 3, section 6.4). The ids themselves stay in their blocks, so an event
/// costs no allocation: a slot has 16 bytes, and of the slots three eighths to three quarters are
/// used, which makes 21 to 43 bytes an event.
struct EventIndex {
  /// A free slot has a place of all ones.
  private struct Slot {
    var hash: UInt64
    var place: UInt64

    static let free = Slot(hash: 0, place: .max)
    var isFree: Bool { place == .max }
  }

  /// A block has at most 2²⁰ events, which leaves numbers for 2⁴⁴ blocks.
  private static let rowBits: UInt64 = 20

  private var slots: [Slot]
  private(set) var count = 0

  init() { slots = Array(repeating: .free, count: 1024) }

  private var mask: Int { slots.count - 1 }

  private static func pack(_ place: PendingExamples.Place) -> UInt64 {
    place.block << rowBits | UInt64(place.row)
  }

  private static func unpack(_ place: UInt64) -> PendingExamples.Place {
    PendingExamples.Place(block: place >> rowBits, row: Int(place & (1 << rowBits - 1)))
  }

  /// The hash by which an id is found.
  static func hash(_ id: ArraySlice<UInt8>) -> UInt64 {
    id.withUnsafeBufferPointer { stableHash($0) }
  }

  /// The place of the id with this hash for which `isSame` holds.
  func find(_ hash: UInt64, isSame: (PendingExamples.Place) -> Bool) -> PendingExamples.Place? {
    var at = Int(truncatingIfNeeded: hash) & mask
    while !slots[at].isFree {
      if slots[at].hash == hash {
        let place = Self.unpack(slots[at].place)
        if isSame(place) { return place }
      }
      at = (at + 1) & mask
    }
    return nil
  }

  /// Enters an id that is not there.
  mutating func insert(_ hash: UInt64, _ place: PendingExamples.Place) {
    if (count + 1) * 4 > slots.count * 3 { grow() }
    put(Slot(hash: hash, place: Self.pack(place)))
    count += 1
  }

  private mutating func put(_ slot: Slot) {
    var at = Int(truncatingIfNeeded: slot.hash) & mask
    while !slots[at].isFree { at = (at + 1) & mask }
    slots[at] = slot
  }

  /// Removes the id at a place, if it is there; later ones of its chain close the gap.
  mutating func remove(_ hash: UInt64, _ place: PendingExamples.Place) {
    let packed = Self.pack(place)
    var at = Int(truncatingIfNeeded: hash) & mask
    while !slots[at].isFree, slots[at].place != packed { at = (at + 1) & mask }
    guard !slots[at].isFree else { return }
    count -= 1
    var gap = at
    while true {
      at = (at + 1) & mask
      let slot = slots[at]
      if slot.isFree { break }
      // A slot may move into the gap unless its home lies behind the gap.
      let home = Int(truncatingIfNeeded: slot.hash) & mask
      if (at &- home) & mask >= (at &- gap) & mask {
        slots[gap] = slot
        gap = at
      }
    }
    slots[gap] = .free
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: .free, count: old.count * 2)
    for slot in old where !slot.isFree { put(slot) }
  }
}
