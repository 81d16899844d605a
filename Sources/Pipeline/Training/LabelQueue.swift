import DequeModule
import Features
import HeapModule
import StateCoding

/// Labels that are read but not known yet: each becomes known at its time, in the order of times.
///
/// Labels mostly come in that order and then stand in a plain queue; one that is dated earlier
/// than the last in it goes to a heap beside it. So a label dated far ahead holds up no other.
struct LabelQueue {
  /// Where a label comes from.
  struct Origin {
    /// Where it was read.
    var offset: UInt64 = 0
    /// As in ``GivenLabel``.
    var weight = 1.0
    var source: String?
  }

  private struct Entry: Comparable {
    var time: Int64
    /// Order among labels of the same time.
    var number: UInt64
    var id: [UInt8]
    var label: Label
    var origin: Origin

    static func < (a: Entry, b: Entry) -> Bool { (a.time, a.number) < (b.time, b.number) }
    static func == (a: Entry, b: Entry) -> Bool { a.number == b.number }
  }

  private var inOrder: Deque<Entry> = []
  /// The times of `inOrder`, which are asked for much more often than its entries.
  private var times: Deque<Int64> = []
  private var others: Heap<Entry> = []
  private var next: UInt64 = 0

  var count: Int { inOrder.count + others.count }
  var isEmpty: Bool { inOrder.isEmpty && others.isEmpty }

  /// When the next label becomes known; nil if there is none.
  var earliest: Int64? {
    guard let other = others.min?.time else { return times.first }
    return times.first.map { min($0, other) } ?? other
  }

  /// Where the labels were read that are not delivered, in no order.
  var offsets: [UInt64] { inOrder.map(\.origin.offset) + others.unordered.map(\.origin.offset) }

  mutating func append(id: [UInt8], _ label: Label, time: Int64, origin: Origin = .init()) {
    let entry = Entry(time: time, number: next, id: id, label: label, origin: origin)
    next += 1
    if let last = times.last, time < last {
      others.insert(entry)
    } else {
      inOrder.append(entry)
      times.append(time)
    }
  }

  /// Whether at least `wanted` labels are known by `time`.
  func has(_ wanted: Int, dueBy time: Int64) -> Bool {
    guard wanted <= count else { return false }
    // The plain queue is sorted; of the heap it is only known whether there is any.
    if wanted - 1 < times.count, times[wanted - 1] <= time { return true }
    return others.min.map { $0.time <= time } ?? false
  }

  /// Delivers, in order, all labels known by `time`; nil: all there are.
  mutating func deliver(
    dueBy time: Int64?,
    _ body: (_ id: [UInt8], _ label: Label, _ time: Int64, _ origin: Origin) throws -> Void
  ) rethrows {
    while let entry = pop(dueBy: time ?? .max) {
      try body(entry.id, entry.label, entry.time, entry.origin)
    }
  }

  private mutating func pop(dueBy time: Int64) -> Entry? {
    guard let earliest, earliest <= time else { return nil }
    if let other = others.min, inOrder.first.map({ other < $0 }) ?? true { return others.popMin() }
    times.removeFirst()
    return inOrder.removeFirst()
  }

  // MARK: State

  func encode(into writer: inout StateWriter) {
    let entries = (Array(inOrder) + others.unordered).sorted()
    writer.write(UInt64(entries.count))
    for entry in entries {
      writer.write(entry.id)
      writer.write(entry.label.rawValue)
      writer.write(entry.time)
    }
  }

  /// Labels as they were encoded, but for their origins.
  init(from reader: inout StateReader) throws {
    self.init()
    for _ in 0..<(try reader.readCount(limit: reader.remaining / 17)) {
      let id = try reader.readArray(of: UInt8.self)
      guard let label = Label(rawValue: try reader.read(UInt8.self)) else {
        throw StateError.invalid("label")
      }
      append(id: id, label, time: try reader.read(Int64.self))
    }
  }

  init() {}
}
