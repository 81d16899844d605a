/// One entity's record and ring, where they lie: see `WindowShape`. Made and used by `EntityShard`
/// within one call.
struct EntityCursor {
  private let record: UnsafeMutablePointer<UInt64>
  private let entries: UnsafeMutablePointer<UInt64>
  private let mask: UInt32
  private let layout: WindowShape

  @inline(__always)
  init(
    record: UnsafeMutablePointer<UInt64>, entries: UnsafeMutablePointer<UInt64>, mask: UInt32,
    layout: WindowShape
  ) {
    self.record = record
    self.entries = entries
    self.mask = mask
    self.layout = layout
  }

  // MARK: Record

  /// Number of the oldest entry.
  var first: UInt32 {
    get { UInt32(truncatingIfNeeded: record[0]) }
    nonmutating set { record[0] = UInt64(newValue) | UInt64(end) << 32 }
  }
  /// Number behind the newest entry.
  var end: UInt32 {
    get { UInt32(truncatingIfNeeded: record[0] >> 32) }
    nonmutating set { record[0] = UInt64(first) | UInt64(newValue) << 32 }
  }
  /// The time that windows have moved on to.
  var lastTime: Int64 {
    get { Int64(bitPattern: record[2]) }
    nonmutating set { record[2] = UInt64(bitPattern: newValue) }
  }
  var key: UInt64 { record[3] }
  var count: UInt32 { end &- first }
  var isEmpty: Bool { first == end }
  var isFull: Bool { count == mask &+ 1 }

  @inline(__always)
  func entry(_ number: UInt32) -> UnsafeMutablePointer<UInt64> {
    entries + Int(number & mask) * layout.entryWords
  }

  @inline(__always)
  func time(_ number: UInt32) -> Int64 { Int64(bitPattern: entry(number)[0]) }

  func forEach(_ body: (UInt32) -> Void) {
    var number = first
    while number != end {
      body(number)
      number &+= 1
    }
  }

  // MARK: Frames

  /// One frame's part of the record.
  private struct FrameSums {
    let words: UnsafeMutablePointer<UInt64>

    /// Number of the first entry within.
    var head: UInt32 {
      get { UInt32(truncatingIfNeeded: words[0]) }
      nonmutating set { words[0] = UInt64(newValue) | UInt64(tail) << 32 }
    }
    /// Number behind the last entry within.
    var tail: UInt32 {
      get { UInt32(truncatingIfNeeded: words[0] >> 32) }
      nonmutating set { words[0] = UInt64(head) | UInt64(newValue) << 32 }
    }

    @inline(__always)
    func double(_ at: Int) -> Double { Double(bitPattern: words[at]) }

    @inline(__always)
    func set(_ at: Int, _ value: Double) { words[at] = value.bitPattern }

    @inline(__always)
    func sum(_ at: Int) -> DoubleDouble { DoubleDouble(high: double(at), low: double(at + 1)) }

    @inline(__always)
    func set(_ at: Int, _ sum: DoubleDouble) {
      set(at, sum.high)
      set(at + 1, sum.low)
    }
  }

  @inline(__always)
  private func frame(_ number: Int) -> FrameSums {
    FrameSums(words: record + WindowShape.frameAt + number * layout.frameWords)
  }

  /// Moves all windows on to a time, which is no earlier than the last one.
  func advance(to time: Int64) {
    lastTime = time
    let end = self.end
    for number in 0..<layout.frames.count {
      let sums = frame(number)
      let upper = time - layout.frames[number].delay
      let lower = upper - layout.frames[number].span
      var tail = sums.tail
      while tail != end, self.time(tail) <= upper {
        add(tail, to: sums)
        tail &+= 1
        sums.tail = tail
      }
      var head = sums.head
      guard head != tail, self.time(head) <= lower else { continue }
      var lostExtreme = false
      repeat {
        lostExtreme = take(head, from: sums) || lostExtreme
        head &+= 1
        sums.head = head
      } while head != tail && self.time(head) <= lower
      settle(sums, lostExtreme: lostExtreme)
    }
  }

  /// Takes an entry's share into a frame. It is the first or the last within.
  private func add(_ number: UInt32, to sums: FrameSums) {
    let entry = self.entry(number)
    let isFirst = sums.head == sums.tail
    for offset in 0..<layout.values.count {
      let value = layout.values[offset]
      let x = Double(bitPattern: entry[layout.valueAt + offset])
      var sum = sums.sum(value.sumAt)
      sum.add(x)
      sums.set(value.sumAt, sum)
      if value.hasSquares {
        var squares = sums.sum(value.squaresAt)
        squares.addSquare(x, sign: 1)
        sums.set(value.squaresAt, squares)
      }
      if value.hasExtremes {
        let at = value.extremesAt
        sums.set(at, isFirst ? x : min(x, sums.double(at)))
        sums.set(at + 1, isFirst ? x : max(x, sums.double(at + 1)))
      }
    }
    if layout.hasLabels, entry[WindowShape.labelAt] & 3 == 2 {
      sums.words[layout.positivesAt] += 1
    }
    for field in 0..<layout.distinctCount where !hasPrevious(number, field, since: sums.head) {
      sums.words[layout.distinctCountAt + field] += 1
    }
  }

  /// Takes the first entry's share out of a frame, whose head is still there.
  /// - Returns: whether it was the least or largest, of which the frame now knows nothing.
  private func take(_ number: UInt32, from sums: FrameSums) -> Bool {
    let entry = self.entry(number)
    var lostExtreme = false
    for offset in 0..<layout.values.count {
      let value = layout.values[offset]
      let x = Double(bitPattern: entry[layout.valueAt + offset])
      var sum = sums.sum(value.sumAt)
      sum.add(-x)
      sums.set(value.sumAt, sum)
      if value.hasSquares {
        var squares = sums.sum(value.squaresAt)
        squares.addSquare(x, sign: -1)
        sums.set(value.squaresAt, squares)
      }
      if value.hasExtremes {
        let at = value.extremesAt
        lostExtreme = lostExtreme || x <= sums.double(at) || x >= sums.double(at + 1)
      }
    }
    if layout.hasLabels, entry[WindowShape.labelAt] & 3 == 2 {
      sums.words[layout.positivesAt] -= 1
    }
    for field in 0..<layout.distinctCount where !hasNext(number, field, before: sums.tail) {
      sums.words[layout.distinctCountAt + field] -= 1
    }
    return lostExtreme
  }

  /// Puts right what taking entries out leaves: an empty frame has no remains of rounding.
  private func settle(_ sums: FrameSums, lostExtreme: Bool) {
    if sums.head == sums.tail {
      for at in 1..<layout.frameWords { sums.words[at] = 0 }
    } else if lostExtreme {
      for offset in 0..<layout.values.count where layout.values[offset].hasExtremes {
        let value = layout.values[offset]
        var (least, largest) = (Double.infinity, -Double.infinity)
        var number = sums.head
        while number != sums.tail {
          let x = Double(bitPattern: entry(number)[layout.valueAt + offset])
          least = min(least, x)
          largest = max(largest, x)
          number &+= 1
        }
        sums.set(value.extremesAt, least)
        sums.set(value.extremesAt + 1, largest)
      }
    }
  }

  /// Gives the figures of the frames that count the current event, or of the others.
  func fill(_ results: inout [Double], counting current: Bool) {
    for number in 0..<layout.frames.count where layout.frames[number].countsCurrent == current {
      let sums = frame(number)
      let base = layout.result(frame: number)
      let count = Int(sums.tail &- sums.head)
      results[base] = Double(count)
      results[base + layout.newestResult] = count == 0 ? .nan : Double(time(sums.tail &- 1))
      for offset in 0..<layout.values.count {
        let value = layout.values[offset]
        let at = base + WindowShape.result(value: offset)
        let sum = sums.sum(value.sumAt)
        results[at] = sum.high
        if value.hasSquares {
          results[at + 1] = DoubleDouble.deviation(
            sum: sum, squares: sums.sum(value.squaresAt), count: count)
        }
        if value.hasExtremes {
          results[at + 2] = sums.double(value.extremesAt)
          results[at + 3] = sums.double(value.extremesAt + 1)
        }
      }
      if layout.hasLabels {
        results[base + layout.positivesResult] = Double(sums.words[layout.positivesAt])
      }
      for field in 0..<layout.distinctCount {
        results[base + layout.distinctResult + field] = Double(
          sums.words[layout.distinctCountAt + field])
      }
    }
  }

  // MARK: Entries

  /// Puts an entry behind the newest; there is room.
  func append(_ words: [UInt64]) -> UInt32 {
    let number = end
    let entry = self.entry(number)
    for word in 0..<layout.entryWords { entry[word] = words[word] }
    end = number &+ 1
    return number
  }

  /// The newest entry, just appended, enters the windows without a delay.
  func enter(_ number: UInt32) {
    for index in 0..<layout.frames.count where layout.frames[index].delay == 0 {
      let sums = frame(index)
      add(number, to: sums)
      sums.tail = number &+ 1
    }
  }

  /// Puts an entry where its time belongs, behind those of the same time; there is room. Windows
  /// that have passed over that time count it as if it had come then.
  func insert(_ words: [UInt64]) -> UInt32 {
    let time = Int64(bitPattern: words[0])
    var number = end
    end = number &+ 1
    while number != first, self.time(number &- 1) > time {
      let (to, from) = (entry(number), entry(number &- 1))
      for word in 0..<layout.entryWords { to[word] = from[word] }
      number &-= 1
    }
    let entry = self.entry(number)
    for word in 0..<layout.entryWords { entry[word] = words[word] }
    for field in 0..<layout.distinctCount { linkAnew(field) }
    for index in 0..<layout.frames.count {
      let sums = frame(index)
      let upper = lastTime - layout.frames[index].delay
      if time > upper { continue }
      if time <= upper - layout.frames[index].span {
        sums.head &+= 1
        sums.tail &+= 1
      } else {
        sums.tail &+= 1
        recount(sums)
      }
    }
    return number
  }

  /// Makes a frame's sums anew from its entries.
  private func recount(_ sums: FrameSums) {
    let (head, tail) = (sums.head, sums.tail)
    for at in 1..<layout.frameWords { sums.words[at] = 0 }
    sums.tail = head
    var number = head
    while number != tail {
      add(number, to: sums)
      number &+= 1
      sums.tail = number
    }
  }

  /// Whether no window, of any event that may still come, reaches back to the oldest entry.
  var isFirstExpired: Bool {
    guard !isEmpty, time(first) <= lastTime - layout.horizon else { return false }
    return (0..<layout.frames.count).allSatisfy { frame($0).head != first }
  }

  /// Lets go of the oldest entry, whose links are cut.
  func dropFirst() {
    let number = first
    for index in 0..<layout.frames.count {
      let sums = frame(index)
      guard sums.head == number else { continue }
      if sums.tail == number {
        sums.tail = number &+ 1
        sums.head = number &+ 1
      } else {
        let lost = take(number, from: sums)
        sums.head = number &+ 1
        settle(sums, lostExtreme: lost)
      }
    }
    first = number &+ 1
  }

  /// Gives the event with a mark another label.
  func label(time: Int64, mark: UInt64, state: UInt64) {
    // The first entry that is no older.
    var low: UInt32 = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self.time(first &+ middle) < time { low = middle + 1 } else { high = middle }
    }
    var number = first &+ low
    while number != end, self.time(number) == time {
      let entry = self.entry(number)
      if entry[WindowShape.labelAt] & ~3 == mark {
        let wasPositive = entry[WindowShape.labelAt] & 3 == 2
        entry[WindowShape.labelAt] = mark | state
        guard wasPositive != (state == 2) else { return }
        for index in 0..<layout.frames.count {
          let sums = frame(index)
          if number &- sums.head < sums.tail &- sums.head {
            if wasPositive {
              sums.words[layout.positivesAt] -= 1
            } else {
              sums.words[layout.positivesAt] += 1
            }
          }
        }
        return
      }
      number &+= 1
    }
  }

  // MARK: Distinct categories

  /// The category of an entry, hashed.
  func hash(_ number: UInt32, _ field: Int) -> UInt64 {
    entry(number)[layout.distinctAt + 2 * field]
  }

  private func links(_ number: UInt32, _ field: Int) -> UnsafeMutablePointer<UInt64> {
    entry(number) + layout.distinctAt + 2 * field + 1
  }

  /// Whether the category came before, in an entry from `since` on.
  @inline(__always)
  private func hasPrevious(_ number: UInt32, _ field: Int, since: UInt32) -> Bool {
    let distance = UInt32(truncatingIfNeeded: links(number, field).pointee)
    return distance != 0 && distance <= number &- since
  }

  @inline(__always)
  private func hasNext(_ number: UInt32, _ field: Int, before end: UInt32) -> Bool {
    let distance = UInt32(truncatingIfNeeded: links(number, field).pointee >> 32)
    return distance != 0 && distance < end &- number
  }

  /// Makes two entries of the same category neighbours.
  func link(_ previous: UInt32, _ number: UInt32, _ field: Int) {
    let distance = UInt64(number &- previous)
    let (before, after) = (links(previous, field), links(number, field))
    before.pointee = before.pointee & 0xffff_ffff | distance << 32
    after.pointee = after.pointee & ~0xffff_ffff | distance
  }

  /// Cuts the oldest entry's link to the next one; false if there is none.
  func unlinkFirst(_ field: Int) -> Bool {
    let distance = UInt32(truncatingIfNeeded: links(first, field).pointee >> 32)
    guard distance != 0 else { return false }
    // The frames that begin with it count the category until they let it go; what follows must not
    // be counted then, so this link is what `take` looks at, and only the other one is cut.
    let next = links(first &+ distance, field)
    next.pointee &= ~0xffff_ffff
    return true
  }

  /// Links all entries of the same category.
  func linkAnew(_ field: Int) {
    var newest: [UInt64: UInt32] = [:]
    forEach { number in
      links(number, field).pointee = 0
      if let previous = newest.updateValue(number, forKey: hash(number, field)) {
        link(previous, number, field)
      }
    }
  }

  // MARK: State

  /// Whether the record can be one: numbers in range, entries in the order of their times.
  var isSound: Bool {
    guard
      (0..<layout.frames.count).allSatisfy({
        let sums = frame($0)
        return sums.head &- first <= count && sums.tail &- first <= count
          && sums.head &- first <= sums.tail &- first
      })
    else { return false }
    var number = first
    while number != end {
      if number != first, time(number) < time(number &- 1) { return false }
      for offset in layout.values.indices
      where !Double(bitPattern: entry(number)[layout.valueAt + offset]).isFinite { return false }
      number &+= 1
    }
    return true
  }
}
