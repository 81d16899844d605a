import LinearAlgebra
import StateCoding

/// What became of an event, as windows know it.
public struct WindowLabel: Sendable, BitwiseCopyable {
  /// Of the event's identifier.
  public let hash: UInt64
  /// Whether it turned out positive.
  public let isPositive: Bool

  /// The label of an event with this hash, as ``FeatureMemory/windowLabel(id:isPositive:)`` made it.
  public init(hash: UInt64, isPositive: Bool) {
    self.hash = hash
    self.isPositive = isPositive
  }
}

/// What the windows of a pipeline remember: per kind of entity its events, and where the labels that
/// are still to come belong.
///
/// Kept in shards, by the hashes of entities and of event identifiers. A shard is a value: a copy of
/// the memory costs nothing until a shard changes, so that an image of one moment can be written
/// piece by piece while scoring goes on.
public struct WindowMemory: Sendable {
  /// What became of events and labels, since the pipeline began.
  public struct Counters: Sendable, Equatable {
    /// Events that came out of order and changed windows behind the newest one.
    public var outOfOrder: UInt64 = 0
    /// Events that were too late, or dated too far ahead, to change any window.
    public var leftOut: UInt64 = 0
    /// Events let go of before their time, because their entity had too many.
    public var crowdedOut: UInt64 = 0
    /// Entities forgotten before their time, because there were too many.
    public var forgotten: UInt64 = 0
    /// Labels of events in windows.
    public var labels: UInt64 = 0
    /// Labels of events that have not come, not kept because there were too many.
    public var labelsNotKept: UInt64 = 0

    /// Events, entities and labels let go of for want of room.
    public var crowded: UInt64 { crowdedOut + forgotten + labelsNotKept }

    static var fields: [WritableKeyPath<Self, UInt64>] {
      [\.outOfOrder, \.leftOut, \.crowdedOut, \.forgotten, \.labels, \.labelsNotKept]
    }
  }

  /// Counted since the pipeline began.
  public internal(set) var counters = Counters()

  let plan: WindowPlan
  private let usesLabels: Bool
  let entities: Int
  /// Per group.
  var shards: [[EntityShard]]
  /// Entities per group.
  var counts: [Int]
  var labelled: [LabelledEvents]
  /// Labels of events that have not come, by the hash of the identifier.
  var early: [UInt64: EarlyLabel] = [:]
  /// Events seen; says which shard is swept next.
  var events: UInt64 = 0

  struct EarlyLabel {
    var state: UInt64
    var time: Int64
  }

  /// Many, so that a block of events touches few: a shard that changes while an image of it is
  /// wanted is copied whole.
  static let shardCount = 4096
  /// Events between two sweeps of a shard.
  private static let sweepEvery: UInt64 = 16
  /// The most labels kept for events that have not come.
  private static let mostEarly = 1 << 20

  /// Figures of the block's events taken in so far: row by row, a row's columns in the order of the
  /// features.
  private(set) var values: [Double] = []

  // Reused, so that an event allocates nothing.
  /// Of the block's events, those of each key, row by row; and of their identifiers.
  private var hashes: [UInt64] = []
  private var marks: [UInt64] = []
  private var records: [UInt32] = []
  /// Depends on all that was read ahead, so that it is read indeed.
  private var touched: UInt64 = 0
  private var entry: [UInt64] = []
  private var results: [Double] = []
  private var labelKeys: [UInt64] = []

  init(plan: WindowPlan, settings: WindowSettings) {
    self.plan = plan
    usesLabels = plan.usesLabels
    entities = settings.entities
    shards = plan.groups.map { _ in
      Array(repeating: EntityShard(), count: Self.shardCount)
    }
    counts = plan.groups.map { _ in 0 }
    labelled =
      plan.usesLabels
      ? Array(
        repeating: LabelledEvents(groups: plan.groups.count), count: Self.shardCount)
      : []
    labelKeys = Array(repeating: 0, count: plan.groups.count)
  }

  /// Entities kept, of all kinds.
  public var entityCount: Int { counts.reduce(0, +) }
  /// Events kept; one counts once a kind of entity.
  public var entryCount: Int { shards.joined().reduce(0) { $0 + $1.entryCount } }
  /// Labels kept for events that have not come.
  public var earlyCount: Int { early.count }

  @inline(__always)
  private static func shard(_ hash: UInt64) -> Int { Int(hash >> 52) }

  /// What windows hold, and what did not enter them or left before its time, by name.
  public var tallies: [(name: String, count: UInt64)] {
    [
      ("entities", UInt64(entityCount)), ("events", UInt64(entryCount)),
      ("out_of_order", counters.outOfOrder), ("left_out", counters.leftOut),
      ("crowded_out", counters.crowdedOut), ("forgotten", counters.forgotten),
      ("labels", counters.labels), ("labels_not_kept", counters.labelsNotKept),
    ]
  }

  // MARK: Events

  /// Takes an event into the windows and puts their figures into ``values``. Called for a block's
  /// events in turn.
  /// - Parameters:
  ///   - row: the event's place in the block.
  ///   - clock: event time as of this event, ms since 1970. An event that is older by more than the
  ///     lateness, or younger, leaves the windows as they are.
  mutating func observe(_ block: EventBlock, row: Int, clock: Int64) {
    if row == 0 { lookUp(block) }
    let time = block.times[row]
    let isTimely = time <= clock && time >= clock - block.lateness
    if !isTimely { counters.leftOut += 1 } else if time < clock { counters.outOfOrder += 1 }
    let mark = usesLabels ? marks[row] : 0
    for number in 0..<plan.groups.count {
      let group = plan.groups[number]
      observe(group, number, block, row, mark: mark & ~3, isTimely: isTimely)
      for output in group.outputs {
        values[row * plan.columns.count + output.column] = value(
          output.output, output.base, output.reach, group.layout.shape, time)
      }
    }
    if usesLabels, isTimely {
      labelled[Self.shard(mark)].append(mark, time: time, keys: labelKeys)
      // Its own label counts only from the next event on, even if it was there before.
      if !early.isEmpty, let known = early.removeValue(forKey: mark) { label(mark, known) }
    }
    events += 1
    if events % Self.sweepEvery == 0 { sweep(clock) }
  }

  /// Hashes the names of a block's entities and reads what their events are about to need.
  ///
  /// An entity lies anywhere in memory, behind one pointer after another. Event by event the processor
  /// would wait for each of them in turn; here it waits for those of many events at once.
  private mutating func lookUp(_ block: EventBlock) {
    hashes.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    for row in 0..<block.count {
      for key in plan.keys {
        switch key {
        case .entity(let field): hashes.append(plan.hash.hash(block.entity(field, row)))
        case .category(let field): hashes.append(plan.hash.hash(block.category(field, row)))
        }
      }
      if usesLabels { marks.append(plan.hash.hash(block.id(row))) }
    }
    let size = block.count * plan.columns.count
    if values.count < size { values = Array(repeating: 0, count: size) }
    guard block.count > 1 else { return }
    for (number, group) in plan.groups.enumerated() {
      records.removeAll(keepingCapacity: true)
      for row in 0..<block.count {
        let key = key(group, row)
        records.append(shards[number][Self.shard(key)].find(key))
      }
      for row in 0..<block.count {
        touched ^= shards[number][Self.shard(key(group, row))].touch(
          records[row], group.layout.shape)
      }
    }
    for mark in marks { touched ^= labelled[Self.shard(mark)].touch(mark) }
  }

  /// The hash by which a group knows the entity of an event.
  @inline(__always)
  private func key(_ group: WindowPlan.Group, _ row: Int) -> UInt64 {
    let keys = row * plan.keys.count
    var key = hashes[keys + group.entity[0]]
    for other in group.entity.dropFirst() {
      key = EntityHash.combine(key, hashes[keys + other])
    }
    return key
  }

  private mutating func observe(
    _ group: WindowPlan.Group, _ number: Int, _ block: EventBlock, _ row: Int, mark: UInt64,
    isTimely: Bool
  ) {
    let layout = group.layout.shape
    let keys = row * plan.keys.count
    let key = key(group, row)
    entry.removeAll(keepingCapacity: true)
    entry.append(UInt64(bitPattern: block.times[row]))
    if layout.hasLabels { entry.append(mark) }
    for field in group.numbers {
      entry.append(block.numbers[field * block.capacity + row].bitPattern)
    }
    for field in group.distinct {
      entry.append(hashes[keys + field])
      entry.append(0)
    }
    let isCounted = passes(group.test, block, row)
    labelKeys[number] = isTimely && isCounted && layout.hasLabels ? key : 0
    let size = layout.frames.count * layout.resultWords
    if results.count < size { results = Array(repeating: 0, count: size) }
    let at = Self.shard(key)
    let before = shards[number][at].count
    counters.crowdedOut += UInt64(
      shards[number][at].observe(
        key: key, entry: entry, isTimely: isTimely, counts: isCounted, layout: layout,
        results: &results))
    if shards[number][at].count > before {
      counts[number] += 1
      if counts[number] > entities { forget(number, after: at) }
    }
  }

  /// Forgets the entity of a shard that was seen longest ago: of the next shard that has any beside
  /// the newcomer.
  private mutating func forget(_ number: Int, after newcomer: Int) {
    var at = newcomer
    while shards[number][at].count < (at == newcomer ? 2 : 1) { at = (at + 1) % Self.shardCount }
    shards[number][at].forgetOldest(plan.groups[number].layout.shape)
    counts[number] -= 1
    counters.forgotten += 1
  }

  private func passes(_ test: WindowPlan.Test?, _ block: EventBlock, _ row: Int) -> Bool {
    switch test {
    case nil: return true
    case .key(let key, let isEqual, let hash)?:
      return (hashes[row * plan.keys.count + key] == hash) == isEqual
    case .number(let field, let comparison, let constant)?:
      let x = block.numbers[field * block.capacity + row]
      return switch comparison {
      case .less: x < constant
      case .lessOrEqual: x <= constant
      case .greater: x > constant
      case .greaterOrEqual: x >= constant
      case .equal: x == constant
      case .unequal: x != constant
      }
    }
  }

  /// A column's value from the figures of its frame. All are defined and finite.
  private func value(
    _ output: WindowPlan.Output, _ base: Int, _ span: Int64, _ layout: WindowShape, _ time: Int64
  ) -> Double {
    let count = results[base]
    func figure(_ value: Int, _ offset: Int) -> Double {
      bounded(results[base + WindowShape.result(value: value) + offset])
    }
    switch output {
    case .count: return count
    case .sum(let value): return figure(value, 0)
    case .mean(let value): return count == 0 ? 0 : bounded(figure(value, 0) / count)
    case .deviation(let value): return figure(value, 1)
    case .least(let value): return figure(value, 2)
    case .largest(let value): return figure(value, 3)
    case .distinct(let field): return results[base + layout.distinctResult + field]
    case .sinceLast:
      let newest = results[base + layout.newestResult]
      return (newest.isNaN ? Double(span) : Double(time) - newest) / 1000
    case .positives: return results[base + layout.positivesResult]
    case .positiveRate:
      return count == 0 ? 0 : results[base + layout.positivesResult] / count
    }
  }

  // MARK: Labels

  /// An event turned out positive or negative; of several labels the one given last holds. One that
  /// comes before its event is kept for it.
  /// - Parameter time: when the label was given, ms since 1970.
  mutating func label(_ label: WindowLabel, time: Int64) {
    guard usesLabels else { return }
    self.label(label.hash, EarlyLabel(state: label.isPositive ? 2 : 1, time: time))
  }

  /// Reads what a label that is about to come will need.
  mutating func readAhead(_ label: WindowLabel) {
    guard usesLabels else { return }
    touched ^= labelled[Self.shard(label.hash)].touch(label.hash)
  }

  private mutating func label(_ hash: UInt64, _ label: EarlyLabel) {
    switch labelled[Self.shard(hash)].label(hash, isPositive: label.state == 2, at: label.time) {
    case .none: counters.labels += 1
    case .found(let eventTime, let keys):
      counters.labels += 1
      for number in 0..<plan.groups.count {
        let key = labelled[Self.shard(hash)].key(keys, group: number)
        guard key != 0 else { continue }
        shards[number][Self.shard(key)].label(
          key: key, time: eventTime, mark: hash & ~3, state: label.state,
          layout: plan.groups[number].layout.shape)
      }
    case .unknown:
      if let other = early[hash] {
        if label.time >= other.time { early[hash] = label }
      } else if early.count < Self.mostEarly {
        early[hash] = label
      } else {
        counters.labelsNotKept += 1
      }
    }
  }

  // MARK: Letting go

  /// Sweeps one shard of each kind; which one follows from the number of events, so that a run that
  /// was interrupted lets go of the same at the same point.
  private mutating func sweep(_ clock: Int64) {
    let round = events / Self.sweepEvery
    let at = Int(round % UInt64(Self.shardCount))
    for (number, group) in plan.groups.enumerated() {
      let layout = group.layout.shape
      let before = shards[number][at].count
      guard before > 0 else { continue }
      shards[number][at].sweep(to: clock - layout.lateness, layout: layout)
      counts[number] -= before - shards[number][at].count
    }
    guard usesLabels else { return }
    let horizon = clock - (plan.groups.map(\.layout.shape.horizon).max() ?? 0)
    labelled[at].removeFirst(through: horizon)
    if at == 0, !early.isEmpty { early = early.filter { $0.value.time > horizon } }
  }

  // MARK: Size

  /// Bytes that windows take, from the plan alone.
  public struct Cost: Sendable, Equatable {
    /// The entity's name or names.
    public var entity: [String]
    /// An entity itself, without its events.
    public var bytesPerEntity: Int
    /// Each event that is kept of it.
    public var bytesPerEvent: Int
    /// Events are kept for so long, ms.
    public var horizon: Int64
    /// The most events kept of one entity.
    public var eventsPerEntity: Int
  }
}
