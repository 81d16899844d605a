/// Where the events are that windows still want the labels of, by the hashes of their identifiers.
struct LabelledEvents: Sendable {
  /// Rows of: hash of the identifier, event time, and a key a group; 0 where the event did not enter.
  private var rows: [UInt64] = []
  private let width: Int
  private var first: UInt32 = 0
  private var end: UInt32 = 0
  /// Row number by hash.
  private var index = HashIndex()

  init(groups: Int) { width = 2 + groups }

  var count: Int { Int(end &- first) }

  /// Bytes an event takes, at the most.
  static func byteCount(groups: Int) -> Int { (2 + groups) * 8 * 2 + HashIndex.bytesPerKey }

  private var capacity: UInt32 { UInt32(rows.count / width) }

  @inline(__always)
  private func at(_ number: UInt32) -> Int { Int(number & (capacity &- 1)) * width }

  mutating func append(_ hash: UInt64, time: Int64, keys: [UInt64]) {
    if UInt32(count) == capacity { grow() }
    let at = self.at(end)
    rows[at] = hash
    rows[at + 1] = UInt64(bitPattern: time)
    for (offset, key) in keys.enumerated() { rows[at + 2 + offset] = key }
    index.set(hash, end)
    end &+= 1
  }

  /// Gives an event's time and its key in each group; false if it is not known.
  func find(_ hash: UInt64, _ body: (_ time: Int64, _ keys: ArraySlice<UInt64>) -> Void) -> Bool {
    guard let number = index[hash] else { return false }
    let at = self.at(number)
    body(Int64(bitPattern: rows[at + 1]), rows[at + 2..<at + width])
    return true
  }

  /// Lets go of the first ones to come as long as they are no younger than `time`.
  mutating func removeFirst(through time: Int64) {
    while first != end, Int64(bitPattern: rows[at(first) + 1]) <= time {
      let hash = rows[at(first)]
      // An identifier that came again belongs to the later event.
      if index[hash] == first { index.remove(hash) }
      first &+= 1
    }
  }

  private mutating func grow() {
    let wider = max(64, capacity * 2)
    var grown = [UInt64](repeating: 0, count: Int(wider) * width)
    var number = first
    while number != end {
      let (from, to) = (at(number), Int(number & (wider - 1)) * width)
      for word in 0..<width { grown[to + word] = rows[from + word] }
      number &+= 1
    }
    rows = grown
  }

  // MARK: State

  func encode() -> [UInt64] {
    var words: [UInt64] = []
    words.reserveCapacity(count * width)
    var number = first
    while number != end {
      words.append(contentsOf: rows[at(number)..<at(number) + width])
      number &+= 1
    }
    return words
  }

  /// Nil if the words are no such events.
  init?(_ words: [UInt64], groups: Int) {
    self.init(groups: groups)
    guard words.count % width == 0 else { return nil }
    for at in stride(from: 0, to: words.count, by: width) {
      append(
        words[at], time: Int64(bitPattern: words[at + 1]), keys: Array(words[at + 2..<at + width]))
    }
  }
}
