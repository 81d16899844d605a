import Files

/// Decoded events, column by column: what features are computed from. Reused from block to block,
/// so that decoding allocates nothing per event.
public struct EventBlock: Sendable {
  /// The most events a block holds.
  public let capacity: Int
  /// Events in the block, up to `capacity`.
  public private(set) var count = 0
  /// Event times in milliseconds since 1970, one an event.
  public private(set) var times: [Int64]
  /// Number fields in the schema's order; the value of field f in event e is at f * capacity + e.
  public private(set) var numbers: [Double]
  /// 1 where a number or category was missing and its stand-in was taken, laid out over all of the
  /// schema's values like `numbers`.
  public private(set) var missing: [UInt8]
  /// 0 or 1, or -1 where the event came without a label.
  public private(set) var labels: [Int8]

  private var idBytes: [UInt8] = []
  private var idEnds: [Int]
  private var categoryBytes: [UInt8] = []
  /// Where the categories of the finished events end.
  private var categoryEnd = 0
  private var categoryRanges: [(start: Int, end: Int)]

  let numberCount: Int
  let categoryCount: Int
  let entityCount: Int
  let valueCount: Int

  /// An empty block for events of a schema.
  public init(schema: EventSchema, capacity: Int = 256) {
    precondition(capacity > 0, "a block holds at least one event")
    self.capacity = capacity
    numberCount = schema.values.count { $0.type == .number }
    categoryCount = schema.values.count - numberCount
    valueCount = schema.values.count
    times = [Int64](repeating: 0, count: capacity)
    numbers = [Double](repeating: 0, count: capacity * numberCount)
    missing = [UInt8](repeating: 0, count: capacity * valueCount)
    labels = [Int8](repeating: -1, count: capacity)
    idEnds = [Int](repeating: 0, count: capacity)
    entityCount = schema.entities.count
    categoryRanges = Array(repeating: (0, 0), count: capacity * (categoryCount + entityCount))
  }

  /// Whether there is no event in it.
  public var isEmpty: Bool { count == 0 }
  /// Whether there is no room for another event.
  public var isFull: Bool { count == capacity }

  /// Forgets the events and keeps the storage.
  public mutating func removeAll() {
    count = 0
    idBytes.removeAll(keepingCapacity: true)
    categoryBytes.removeAll(keepingCapacity: true)
    categoryEnd = 0
  }

  /// Takes the last event out again. Its categories' bytes stay until all are removed.
  public mutating func removeLast() {
    precondition(count > 0, "there is no event to take out")
    count -= 1
    idBytes.removeLast(idBytes.count - (count == 0 ? 0 : idEnds[count - 1]))
  }

  /// The bytes of an event's identifier.
  public func id(_ event: Int) -> ArraySlice<UInt8> {
    idBytes[(event == 0 ? 0 : idEnds[event - 1])..<idEnds[event]]
  }

  /// All identifiers one after the other, and where each ends.
  public var identifiers: (bytes: [UInt8], ends: ArraySlice<Int>) { (idBytes, idEnds[..<count]) }

  /// The bytes of a category.
  func category(_ field: Int, _ event: Int) -> ArraySlice<UInt8> {
    let range = categoryRanges[field * capacity + event]
    return categoryBytes[range.start..<range.end]
  }

  /// The bytes of an entity's name; none if the event has no such entity.
  /// - Parameter field: index in the schema's entities.
  public func entity(_ field: Int, _ event: Int) -> ArraySlice<UInt8> {
    category(categoryCount + field, event)
  }

  // The decoder fills row `count` piece by piece and then calls `finishEvent`; an event that is
  // refused halfway is dropped by `abandonEvent`.

  mutating func set(number: Double, field: Int) { numbers[field * capacity + count] = number }

  mutating func set(category: UnsafeRawBufferPointer, field: Int) {
    let start = categoryBytes.count
    categoryBytes.append(contentsOf: category)
    categoryRanges[field * capacity + count] = (start, categoryBytes.count)
  }

  mutating func set(entity: UnsafeRawBufferPointer, field: Int) {
    set(category: entity, field: categoryCount + field)
  }

  mutating func set(missing: Bool, value: Int) {
    self.missing[value * capacity + count] = missing ? 1 : 0
  }

  mutating func set(id: UnsafeRawBufferPointer) { idBytes.append(contentsOf: id) }

  mutating func set(position: UInt64) { idBytes.append(decimal: Int64(position)) }

  mutating func finishEvent(time: Int64, label: Int8) {
    times[count] = time
    labels[count] = label
    idEnds[count] = idBytes.count
    categoryEnd = categoryBytes.count
    count += 1
  }

  mutating func abandonEvent() {
    idBytes.removeLast(idBytes.count - (count == 0 ? 0 : idEnds[count - 1]))
    categoryBytes.removeLast(categoryBytes.count - categoryEnd)
  }
}
