/// Where the events are that windows still want the labels of, by the hashes of their identifiers.
struct LabelledEvents: Sendable {
  /// Rows of: hash of the identifier, event time, when its label was given (0: there is none), and a
  /// key a group, 0 where the event did not enter.
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

  mutating func append(_ hash: UInt64, time: Int64, labelTime: Int64 = 0, keys: [UInt64]) {
    if UInt32(count) == capacity { grow() }
    let at = self.at(end)
    rows[at] = hash
    rows[at + 1] = UInt64(bitPattern: time)
    rows[at + 2] = UInt64(bitPattern: labelTime)
    for (offset, key) in keys.enumerated() { rows[at + 3 + offset] = key }
    index.set(hash, end)
    end &+= 1
  }

  /// What is known of an event that is to take a label.
  enum Place {
    case unknown
    /// It has a label that was given later.
    case outdated
    /// Its time, and where its keys lie.
    case found(time: Int64, keys: Int)
  }

  /// Finds an event that is to take a label.
  mutating func label(_ hash: UInt64, at labelTime: Int64) -> Place {
    guard let number = index[hash] else { return .unknown }
    let at = self.at(number)
    guard labelTime >= Int64(bitPattern: rows[at + 2]) else { return .outdated }
    rows[at + 2] = UInt64(bitPattern: labelTime)
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
        labelTime: Int64(bitPattern: words[at + 2]), keys: Array(words[at + 3..<at + width]))
    }
  }
}
