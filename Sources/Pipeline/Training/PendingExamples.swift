import Features
import Learners

/// Scored events that wait for their label, joined to labels by event id.
///
/// Blocks are kept as they came until the label delay has passed for all of their events. Labels
/// that come before their event are kept as well. All bounds are by event time.
struct PendingExamples {
  /// What became of an event.
  private enum RowState: UInt8 {
    case waiting = 0
    case learntNegative = 1
    case learntPositive = 2
    /// The delay passed without a label.
    case expired = 3
  }

  private struct Entry {
    var block: ScoredBlock
    var states: [UInt8]
    /// Where the sweep over matured events stands.
    var swept = 0
    /// Whether the block itself is part of the last saved state.
    var saved = false
    var changed = true
  }

  /// Where an event is kept.
  struct Place: Equatable {
    var block: UInt64
    var row: Int
  }

  /// What a label led to.
  enum LabelOutcome: Equatable {
    /// Here is the example; it is marked as learnt.
    case example(Place)
    /// The event has not come yet: the label is kept.
    case early
    /// The event was learnt with this label already.
    case duplicate
    /// The event was learnt with the other label.
    case contradiction
    /// The event's delay had passed.
    case late
  }

  private struct EarlyLabel {
    var label: Label
    var time: Int64
  }

  private var entries: [UInt64: Entry] = [:]
  /// The blocks held are `first ..< next`.
  private(set) var first: UInt64 = 0
  private(set) var next: UInt64 = 0
  private var places: [[UInt8]: Place] = [:]
  private var early: [[UInt8]: EarlyLabel] = [:]
  private var earlyChanged = false
  private var removed: [UInt64] = []

  /// Events held.
  var count: Int { places.count }
  /// Labels held that came before their event.
  var earlyCount: Int { early.count }

  /// The block of a place.
  func block(_ place: Place) -> ScoredBlock { entries[place.block]!.block }

  /// Takes a block of scored events in.
  /// - Returns: the events whose label was there before them, and how many events were dropped
  ///   because their id is already waiting.
  mutating func add(_ block: ScoredBlock) -> (labelled: [(Place, Label)], duplicates: Int) {
    var entry = Entry(block: block, states: [UInt8](repeating: 0, count: block.rows))
    var labelled: [(Place, Label)] = []
    var duplicates = 0
    for row in 0..<block.rows {
      let id = Array(block.id(row))
      let place = Place(block: next, row: row)
      guard places.updateValue(place, forKey: id) == nil else {
        // The newer one takes the label; the older one matures without.
        duplicates += 1
        continue
      }
      guard !early.isEmpty, let known = early.removeValue(forKey: id) else { continue }
      earlyChanged = true
      entry.states[row] = Self.learnt(known.label).rawValue
      labelled.append((place, known.label))
    }
    entries[next] = entry
    next += 1
    return (labelled, duplicates)
  }

  /// Takes a label in.
  /// - Parameter expires: event time before which an event of this id can no longer come.
  mutating func label(id: [UInt8], _ label: Label, time: Int64) -> LabelOutcome {
    guard let place = places[id] else {
      earlyChanged = true
      return early.updateValue(EarlyLabel(label: label, time: time), forKey: id) == nil
        ? .early : .duplicate
    }
    switch RowState(rawValue: entries[place.block]!.states[place.row])! {
    case .waiting:
      entries[place.block]!.states[place.row] = Self.learnt(label).rawValue
      entries[place.block]!.changed = true
      return .example(place)
    case .learntNegative: return label == .negative ? .duplicate : .contradiction
    case .learntPositive: return label == .positive ? .duplicate : .contradiction
    case .expired: return .late
    }
  }

  /// Lets go of all events at or before `time`; `unlabelled` is called for those without a label.
  mutating func mature(through time: Int64, unlabelled: (ScoredBlock, Int) -> Void) {
    while first < next {
      var entry = entries[first]!
      let start = entry.swept
      while entry.swept < entry.block.rows, entry.block.time(entry.swept) <= time {
        let row = entry.swept
        if entry.states[row] == RowState.waiting.rawValue {
          unlabelled(entry.block, row)
          entry.states[row] = RowState.expired.rawValue
        }
        entry.swept += 1
      }
      if entry.swept > start {
        entry.changed = true
        entries[first] = entry
      }
      guard entry.swept == entry.block.rows else { break }
      for row in 0..<entry.block.rows {
        let id = Array(entry.block.id(row))
        if places[id] == Place(block: first, row: row) { places[id] = nil }
      }
      if entry.saved { removed.append(first) }
      entries[first] = nil
      first += 1
    }
    if !early.isEmpty {
      let before = early.count
      early = early.filter { $0.value.time > time }
      earlyChanged = earlyChanged || early.count != before
    }
  }

  private static func learnt(_ label: Label) -> RowState {
    label == .positive ? .learntPositive : .learntNegative
  }

  // MARK: State

  /// What changed since the last call, to be put into (nil: removed from) a store of named bytes.
  mutating func takeChanges() -> [(key: String, bytes: [UInt8]?)] {
    var changes: [(key: String, bytes: [UInt8]?)] = removed.flatMap {
      [(Self.blockKey($0), nil), (Self.rowsKey($0), nil)]
    }
    removed.removeAll()
    for number in first..<next {
      guard var entry = entries[number], entry.changed else { continue }
      if !entry.saved { changes.append((Self.blockKey(number), entry.block.bytes)) }
      var writer = StateWriter()
      writer.write(UInt64(entry.swept))
      writer.write(entry.states)
      changes.append((Self.rowsKey(number), writer.bytes))
      entry.saved = true
      entry.changed = false
      entries[number] = entry
    }
    if earlyChanged {
      var writer = StateWriter()
      writer.write(UInt64(early.count))
      for (id, label) in early.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        writer.write(id)
        writer.write(label.label.rawValue)
        writer.write(label.time)
      }
      changes.append((Self.earlyKey, writer.bytes))
      earlyChanged = false
    }
    return changes
  }

  init() {}

  /// Restores what the changes put into the store.
  init(first: UInt64, next: UInt64, load: (String) throws -> [UInt8]?) throws {
    self.first = first
    self.next = next
    for number in first..<next {
      guard let bytes = try load(Self.blockKey(number)),
        let rows = try load(Self.rowsKey(number))
      else { throw StateError.truncated }
      let block = try ScoredBlock(bytes: bytes)
      var reader = StateReader(rows)
      let swept = try reader.readCount(limit: block.rows)
      let states = try reader.readArray(of: UInt8.self, count: block.rows)
      guard states.allSatisfy({ RowState(rawValue: $0) != nil }) else {
        throw StateError.invalid("state of an event")
      }
      entries[number] = Entry(
        block: block, states: states, swept: swept, saved: true, changed: false)
      for row in 0..<block.rows { places[Array(block.id(row))] = Place(block: number, row: row) }
    }
    guard let bytes = try load(Self.earlyKey) else { return }
    var reader = StateReader(bytes)
    for _ in 0..<(try reader.readCount(limit: bytes.count)) {
      let id = try reader.readArray(of: UInt8.self)
      guard let label = Label(rawValue: try reader.read(UInt8.self)) else {
        throw StateError.invalid("label")
      }
      early[id] = EarlyLabel(label: label, time: try reader.read(Int64.self))
    }
    try reader.finish()
  }

  private static let earlyKey = "pending/early"
  private static func blockKey(_ number: UInt64) -> String { "pending/block/\(number)" }
  private static func rowsKey(_ number: UInt64) -> String { "pending/rows/\(number)" }
}
