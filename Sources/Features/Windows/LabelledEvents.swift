/// Where the events are that windows still want the labels of, by the hashes of their identifiers.
struct LabelledEvents: Sendable {
  /// Rows of: hash of the identifier, event time, twice the time at which the label was given plus 1
  /// if it is positive (0: there is none), and a key a group, 0 where the event did not enter.
  private var rows: [UInt64] = []
  private let width: Int
  private var first: UInt32 = 0
  private var end: UInt32 = 0
  /// Row number by hash.
  private var index = HashIndex()

  init(groups: Int) { width = 3 + groups }

  var count: Int { Int(end &- first) }

  /// Bytes an event takes, at the most.
  static func byteCount(groups: Int) -> Int { (3 + groups) * 8 * 2 + HashIndex.bytesPerKey }

  private var capacity: UInt32 { UInt32(rows.count / width) }

  @inline(__always)
  private func at(_ number: UInt32) -> Int { Int(number & (capacity &- 1)) * width }

  /// Reads what `append` and `label` will need, and gives a word made of it that means nothing.
  func touch(_ hash: UInt64) -> UInt64 {
    rows.isEmpty ? 0 : rows[at(index[hash] ?? end)]
  }

  /// - Parameter label: as a row has it; 0 without one.
  mutating func append(_ hash: UInt64, time: Int64, label: UInt64 = 0, keys: [UInt64]) {
    if UInt32(count) == capacity { grow() }
    let at = self.at(end)
    rows[at] = hash
    rows[at + 1] = UInt64(bitPattern: time)
    rows[at + 2] = label
    for (offset, key) in keys.enumerated() { rows[at + 3 + offset] = key }
    index.set(hash, end)
    end &+= 1
  }

  /// What is to be done about an event's label.
  enum Change {
    /// The event is not known.
    case unknown
    /// Nothing: it counts as positive or not as before, or its label was given later.
    case none
    /// It counts otherwise from now on: its time, and where its keys lie.
    case found(time: Int64, keys: Int)
  }

  /// Gives an event a label.
  mutating func label(_ hash: UInt64, isPositive: Bool, at time: Int64) -> Change {
    guard let number = index[hash] else { return .unknown }
    let at = self.at(number)
    let before = rows[at + 2]
    guard time >= Int64(before >> 1) else { return .none }
    rows[at + 2] = UInt64(bitPattern: max(0, time)) << 1 | (isPositive ? 1 : 0)
    // Most labels are negative, and an event that is not known to be positive counts so already.
    guard (before & 1 == 1) != isPositive else { return .none }
    return .found(time: Int64(bitPattern: rows[at + 1]), keys: at + 3)
  }

  /// The key of a found event in a group; 0 if it did not enter.
  func key(_ keys: Int, group: Int) -> UInt64 { rows[keys + group] }

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
    let wider = max(8, capacity * 2)
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
        words[at], time: Int64(bitPattern: words[at + 1]),
        label: words[at + 2], keys: Array(words[at + 3..<at + width]))
    }
  }
}
