/// The identifiers of the latest events, for finding the ones that come again.
///
/// What is kept of an identifier is a 64-bit SipHash under a key that each process draws anew, so
/// nobody outside can make two identifiers collide. Two of the last n collide by chance with a
/// probability of n ÷ 2⁶⁴ an event: for a million, once in 2 × 10¹³ events.
///
/// An open-addressing table with linear probing (Knuth, TAOCP volume 3, section 6.4) beside a ring
/// of the hashes in the order in which they came: 24 to 40 bytes an identifier.
public struct RecentIdentifiers: Sendable {
  /// The most identifiers kept; the oldest make room.
  public let capacity: Int
  /// Identifiers kept.
  public private(set) var count = 0

  /// Hashes in order; `oldest` is where the first one is once the ring is full.
  private var ring: [UInt64] = []
  private var oldest = 0
  /// 0 is a free slot.
  private var slots: [UInt64] = Array(repeating: 0, count: 1024)

  /// No identifiers yet.
  /// - Parameter capacity: 0: none are ever kept.
  public init(capacity: Int) {
    precondition(capacity >= 0, "a number of identifiers")
    self.capacity = capacity
  }

  /// Keeps an identifier.
  /// - Returns: false if it was there already; it is not kept anew then.
  public mutating func insert(_ id: ArraySlice<UInt8>) -> Bool {
    capacity > 0 ? insert(hash: id.withUnsafeBytes(Self.hash)) : true
  }

  /// Keeps an identifier by its hash; as `insert`.
  public mutating func insert(hash: UInt64) -> Bool {
    guard capacity > 0 else { return true }
    var at = Int(truncatingIfNeeded: hash) & mask
    while slots[at] != 0 {
      if slots[at] == hash { return false }
      at = (at + 1) & mask
    }
    if ring.count < capacity {
      ring.append(hash)
      count += 1
    } else {
      remove(ring[oldest])
      ring[oldest] = hash
      oldest = oldest + 1 == capacity ? 0 : oldest + 1
    }
    if count * 2 > slots.count { grow() } else { place(hash) }
    return true
  }

  private var mask: Int { slots.count - 1 }

  /// What is kept of an identifier; never 0, and another in each process.
  public static func hash(_ id: UnsafeRawBufferPointer) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(bytes: id)
    let hash = UInt64(truncatingIfNeeded: Int64(hasher.finalize()))
    return hash == 0 ? 1 : hash
  }

  private mutating func place(_ hash: UInt64) {
    var at = Int(truncatingIfNeeded: hash) & mask
    while slots[at] != 0 { at = (at + 1) & mask }
    slots[at] = hash
  }

  /// Frees a hash's slot; later ones of its chain close the gap.
  private mutating func remove(_ hash: UInt64) {
    var gap = Int(truncatingIfNeeded: hash) & mask
    while slots[gap] != hash { gap = (gap + 1) & mask }
    var at = gap
    while true {
      at = (at + 1) & mask
      guard slots[at] != 0 else { break }
      // A hash may move into the gap unless its home lies behind the gap.
      let home = Int(truncatingIfNeeded: slots[at]) & mask
      if (at &- home) & mask >= (at &- gap) & mask {
        slots[gap] = slots[at]
        gap = at
      }
    }
    slots[gap] = 0
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 2)
    for hash in ring { place(hash) }
  }
}

extension EventBlock {
  /// Refuses the last event if its identifier is among the recent ones; otherwise it is from now on.
  /// - Throws: `Rejection.duplicate`; the event is taken out of the block then.
  public mutating func checkLastIsNew(_ recent: inout RecentIdentifiers) throws(Rejection) {
    let id = id(count - 1)
    guard !recent.insert(id) else { return }
    let text = String(decoding: id, as: UTF8.self)
    removeLast()
    throw .duplicate(id: text)
  }
}
