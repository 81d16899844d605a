/// The entities whose key falls to this shard, and their events.
///
/// What is asked of a window lies in running sums: an event costs what enters and what leaves, however
/// long the window. An event that comes out of order is put where it belongs, and its own windows
/// are counted anew, entry by entry.
///
/// A value, so that an image of it can be saved while it changes. This file and the two of
/// `EntityCursor` own the unsafe pointers into its arrays; none outlives a call.
struct EntityShard: Sendable {
  /// Record number by key.
  private var index = HashIndex()
  private var records: [UInt64] = []
  private var freeRecords: [UInt32] = []
  /// The rings, in pieces of a power of two entries.
  private var entries: [UInt64] = []
  /// Free pieces by their size: offsets of those with 2^n entries.
  private var freeRings: [[Int]] = []
  /// The newest event's number by entity, category field and category.
  private var latest = HashIndex()

  /// Entities known.
  var count: Int { index.count }
  /// Entries kept.
  private(set) var entryCount = 0

  static let firstRing: UInt32 = 4

  // MARK: Reading ahead

  /// The number of an entity's record; `UInt32.max` if it is not known.
  func find(_ key: UInt64) -> UInt32 { index[key] ?? .max }

  /// Reads what the entity's next event will need, and gives a word made of it that means nothing.
  func touch(_ record: UInt32, _ layout: WindowShape) -> UInt64 {
    guard record != .max else { return 0 }
    let base = Int(record) * layout.recordWords
    let ring = Ring(word: records[base + 1])
    var word = records[base + layout.recordWords - 1]
    for frame in 0..<layout.frames.count {
      let ends = records[base + WindowShape.frameAt + frame * layout.frameWords]
      let (head, tail) = (UInt32(truncatingIfNeeded: ends), UInt32(truncatingIfNeeded: ends >> 32))
      word ^= entries[ring.at + Int(head & (ring.capacity - 1)) * layout.entryWords]
      word ^= entries[ring.at + Int(tail & (ring.capacity - 1)) * layout.entryWords]
    }
    return word
  }

  // MARK: Events

  /// Takes an event's place in the windows of its entity, and gives what they hold then.
  /// - Parameters:
  ///   - key: hash of the entity.
  ///   - entry: the event, laid out; the links are 0.
  ///   - isTimely: whether it may change windows; if not, they are counted as if they ended with it.
  ///   - counts: whether it is among the events that the windows count.
  ///   - results: gets the figures of all frames.
  /// - Returns: the entries let go of before their time, because the entity had too many.
  mutating func observe(
    key: UInt64, entry: [UInt64], isTimely: Bool, counts: Bool, layout: WindowShape,
    results: inout [Double]
  ) -> Int {
    let known = index[key].map(Int.init)
    guard known != nil || (isTimely && counts) else {
      EntityCursor.scan(nil, entry, counts: counts, layout, into: &results)
      return 0
    }
    let time = Int64(bitPattern: entry[0])
    let record = known ?? makeRecord(key, time, layout)
    let isInOrder =
      isTimely && time >= Int64(bitPattern: records[record * layout.recordWords + 2])
    let isFull = withCursor(record, layout) { cursor in
      if isInOrder {
        cursor.advance(to: time)
        cursor.fill(&results, counting: false)
        if !counts { cursor.fill(&results, counting: true) }
      } else {
        EntityCursor.scan(cursor, entry, counts: counts, layout, into: &results)
      }
      return cursor.isFull
    }
    guard isTimely, counts else { return 0 }
    let crowdedOut = isFull ? makeRoom(record, layout) : 0
    entryCount += 1
    if layout.distinctCount > 0 || !isInOrder {
      let at = withCursor(record, layout) { isInOrder ? $0.append(entry) : $0.insert(entry) }
      if layout.distinctCount > 0 { link(record, at, isInOrder: isInOrder, layout) }
      guard isInOrder else { return crowdedOut }
      withCursor(record, layout) { cursor in
        cursor.enter(at)
        cursor.fill(&results, counting: true)
      }
    } else {
      withCursor(record, layout) { cursor in
        cursor.enter(cursor.append(entry))
        cursor.fill(&results, counting: true)
      }
    }
    return crowdedOut
  }

  /// Gives an event another label.
  /// - Parameters:
  ///   - time: the event's.
  ///   - mark: hash of its identifier, the two lowest bits 0.
  ///   - state: 1 negative, 2 positive.
  mutating func label(
    key: UInt64, time: Int64, mark: UInt64, state: UInt64, layout: WindowShape
  ) {
    guard let record = index[key].map(Int.init) else { return }
    withCursor(record, layout) { $0.label(time: time, mark: mark, state: state) }
  }

  /// Lets go of events that no window will ask for, and of entities without any.
  /// - Parameter time: no event enters that is older.
  mutating func sweep(to time: Int64, layout: WindowShape) {
    var idle: [(key: UInt64, record: Int)] = []
    forEachRecord(layout) { shard, record, key in
      shard.withCursor(record, layout) { cursor in
        if time > cursor.lastTime { cursor.advance(to: time) }
      }
      shard.dropExpired(record, layout)
      if shard.withCursor(record, layout, { $0.isEmpty }) { idle.append((key, record)) }
    }
    for (key, record) in idle { remove(key, record, layout) }
  }

  /// Forgets the entity that was seen longest ago. Looks at all of them.
  mutating func forgetOldest(_ layout: WindowShape) {
    var oldest: (time: Int64, key: UInt64, record: Int)?
    forEachRecord(layout) { shard, record, key in
      let time = Int64(bitPattern: shard.records[record * layout.recordWords + 2])
      if oldest.map({ (time, key) < ($0.time, $0.key) }) ?? true { oldest = (time, key, record) }
    }
    if let oldest { remove(oldest.key, oldest.record, layout) }
  }

  // MARK: Records and rings

  private mutating func makeRecord(_ key: UInt64, _ time: Int64, _ layout: WindowShape) -> Int {
    let record: Int
    if let free = freeRecords.popLast() {
      record = Int(free)
    } else {
      record = records.count / layout.recordWords
      records.append(contentsOf: repeatElement(0, count: layout.recordWords))
    }
    let base = record * layout.recordWords
    for word in 0..<layout.recordWords { records[base + word] = 0 }
    records[base + 1] = Ring(at: takeRing(Self.firstRing, layout), capacity: Self.firstRing).word
    records[base + 2] = UInt64(bitPattern: time)
    records[base + 3] = key
    index.set(key, UInt32(record))
    return record
  }

  private mutating func remove(_ key: UInt64, _ record: Int, _ layout: WindowShape) {
    while !withCursor(record, layout, { $0.isEmpty }) { dropFirst(record, layout) }
    let base = record * layout.recordWords
    free(Ring(word: records[base + 1]))
    records[base + 1] = 0
    freeRecords.append(UInt32(record))
    index.remove(key)
  }

  private mutating func forEachRecord(
    _ layout: WindowShape, _ body: (inout EntityShard, _ record: Int, _ key: UInt64) -> Void
  ) {
    for record in 0..<records.count / layout.recordWords {
      let base = record * layout.recordWords
      if records[base + 1] != 0 { body(&self, record, records[base + 3]) }
    }
  }

  /// A piece of the entries with room for a number of them; a word of 0 is no ring.
  struct Ring {
    var at: Int
    var capacity: UInt32

    init(at: Int, capacity: UInt32) {
      self.at = at
      self.capacity = capacity
    }

    @inline(__always)
    init(word: UInt64) {
      at = Int(word & 0xffff_ffff_ffff)
      capacity = 1 << UInt32(word >> 56)
    }

    var word: UInt64 { UInt64(at) | UInt64(capacity.trailingZeroBitCount) << 56 }
  }

  private mutating func takeRing(_ capacity: UInt32, _ layout: WindowShape) -> Int {
    let size = capacity.trailingZeroBitCount
    if size < freeRings.count, let at = freeRings[size].popLast() { return at }
    let at = entries.count
    let needed = at + Int(capacity) * layout.entryWords
    // By a quarter, not to the double: memory is stated before it is taken.
    if entries.capacity < needed { entries.reserveCapacity(needed + needed / 4) }
    entries.append(contentsOf: repeatElement(0, count: Int(capacity) * layout.entryWords))
    return at
  }

  private mutating func free(_ ring: Ring) {
    let size = ring.capacity.trailingZeroBitCount
    while freeRings.count <= size { freeRings.append([]) }
    freeRings[size].append(ring.at)
  }

  /// Makes room for one more entry in a full ring.
  /// - Returns: the entries that had to go before their time.
  private mutating func makeRoom(_ record: Int, _ layout: WindowShape) -> Int {
    let base = record * layout.recordWords
    let ring = Ring(word: records[base + 1])
    dropExpired(record, layout)
    let kept = withCursor(record, layout) { $0.count }
    if kept < ring.capacity { return 0 }
    guard ring.capacity < layout.largestRing else {
      dropFirst(record, layout)
      return 1
    }
    move(record, to: ring.capacity * 2, layout)
    return 0
  }

  /// Moves an entity's entries into a ring of another size.
  private mutating func move(_ record: Int, to capacity: UInt32, _ layout: WindowShape) {
    let base = record * layout.recordWords
    let old = Ring(word: records[base + 1])
    let new = Ring(at: takeRing(capacity, layout), capacity: capacity)
    let first = UInt32(truncatingIfNeeded: records[base])
    let end = UInt32(truncatingIfNeeded: records[base] >> 32)
    var number = first
    while number != end {
      let from = old.at + Int(number & (old.capacity - 1)) * layout.entryWords
      let to = new.at + Int(number & (capacity - 1)) * layout.entryWords
      for word in 0..<layout.entryWords { entries[to + word] = entries[from + word] }
      number &+= 1
    }
    records[base + 1] = new.word
    free(old)
  }

  private mutating func dropExpired(_ record: Int, _ layout: WindowShape) {
    while withCursor(record, layout, { $0.isFirstExpired }) { dropFirst(record, layout) }
    let ring = Ring(word: records[record * layout.recordWords + 1])
    let kept = withCursor(record, layout) { $0.count }
    var capacity = ring.capacity
    while capacity > Self.firstRing, kept * 4 <= capacity { capacity /= 2 }
    if capacity < ring.capacity { move(record, to: capacity, layout) }
  }

  private mutating func dropFirst(_ record: Int, _ layout: WindowShape) {
    for field in 0..<layout.distinctCount {
      let (key, hash, first, hasNext) = withCursor(record, layout) { cursor in
        (cursor.key, cursor.hash(cursor.first, field), cursor.first, cursor.unlinkFirst(field))
      }
      let name = Self.name(key, field, hash)
      if !hasNext, latest[name] == first { latest.remove(name) }
    }
    withCursor(record, layout) { $0.dropFirst() }
    entryCount -= 1
  }

  // MARK: Distinct categories

  private static func name(_ key: UInt64, _ field: Int, _ hash: UInt64) -> UInt64 {
    EntityHash.combine(key &+ UInt64(field), hash)
  }

  /// Links a new entry with those of the same category.
  private mutating func link(_ record: Int, _ at: UInt32, isInOrder: Bool, _ layout: WindowShape) {
    guard isInOrder else { return findLatest(record, layout) }
    for field in 0..<layout.distinctCount {
      let (key, hash) = withCursor(record, layout) { ($0.key, $0.hash(at, field)) }
      let name = Self.name(key, field, hash)
      if let previous = latest[name] {
        withCursor(record, layout) { $0.link(previous, at, field) }
      }
      latest.set(name, at)
    }
  }

  /// Finds the newest entries of an entity's categories: numbers have moved.
  private mutating func findLatest(_ record: Int, _ layout: WindowShape) {
    for field in 0..<layout.distinctCount {
      let key = withCursor(record, layout) { $0.key }
      var newest: [UInt64: UInt32] = [:]
      withCursor(record, layout) { cursor in
        cursor.forEach { newest[cursor.hash($0, field)] = $0 }
      }
      for (hash, number) in newest { latest.set(Self.name(key, field, hash), number) }
    }
  }

  @inline(__always)
  private mutating func withCursor<T>(
    _ record: Int, _ layout: WindowShape, _ body: (inout EntityCursor) -> T
  ) -> T {
    records.withUnsafeMutableBufferPointer { records in
      entries.withUnsafeMutableBufferPointer { entries in
        let base = records.baseAddress! + record * layout.recordWords
        let ring = Ring(word: base[1])
        var cursor = EntityCursor(
          record: base, entries: entries.baseAddress! + ring.at, mask: ring.capacity - 1,
          layout: layout)
        return body(&cursor)
      }
    }
  }

  // MARK: State

  /// Records and entries, in no order that means anything.
  func encode(_ layout: WindowShape) -> [UInt64] {
    var words: [UInt64] = [UInt64(count)]
    words.reserveCapacity(1 + count * layout.recordWords + entryCount * layout.entryWords)
    for record in 0..<records.count / layout.recordWords {
      let base = record * layout.recordWords
      guard records[base + 1] != 0 else { continue }
      words.append(contentsOf: records[base..<base + layout.recordWords])
      // Where the ring lies means nothing elsewhere.
      words[words.count - layout.recordWords + 1] = 0
      let ring = Ring(word: records[base + 1])
      var number = UInt32(truncatingIfNeeded: records[base])
      let end = UInt32(truncatingIfNeeded: records[base] >> 32)
      while number != end {
        let at = ring.at + Int(number & (ring.capacity - 1)) * layout.entryWords
        words.append(contentsOf: entries[at..<at + layout.entryWords])
        number &+= 1
      }
    }
    return words
  }

  init() {}

  /// A shard as it was encoded; nil if the words are no such shard.
  init?(_ words: [UInt64], layout: WindowShape) {
    guard let entities = words.first, entities <= UInt64(words.count) else { return nil }
    var at = 1
    for _ in 0..<entities {
      guard at + layout.recordWords <= words.count else { return nil }
      let base = records.count
      let record = base / layout.recordWords
      records.append(contentsOf: words[at..<at + layout.recordWords])
      at += layout.recordWords
      let first = UInt32(truncatingIfNeeded: records[base])
      let count = UInt32(truncatingIfNeeded: records[base] >> 32) &- first
      guard count <= 1 << 30, index[records[base + 3]] == nil,
        at + Int(count) * layout.entryWords <= words.count
      else { return nil }
      var capacity = Self.firstRing
      while capacity < count { capacity *= 2 }
      let ring = Ring(at: takeRing(capacity, layout), capacity: capacity)
      records[base + 1] = ring.word
      for offset in 0..<count {
        let to = ring.at + Int((first &+ offset) & (capacity - 1)) * layout.entryWords
        for word in 0..<layout.entryWords { entries[to + word] = words[at + word] }
        at += layout.entryWords
      }
      entryCount += Int(count)
      index.set(records[base + 3], UInt32(record))
      guard withCursor(record, layout, { $0.isSound }) else { return nil }
      for field in 0..<layout.distinctCount {
        withCursor(record, layout) { $0.linkAnew(field) }
      }
      findLatest(record, layout)
    }
    guard at == words.count else { return nil }
  }
}
