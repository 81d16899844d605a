import DequeModule
import Features
import Learners
import StateCoding

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
    /// Its id was waiting already; it takes no label and is not learnt.
    case duplicate = 4
  }

  /// How far a block has got.
  private struct Progress {
    /// Events before this one have matured.
    var swept = 0
    /// Event time when the block came: an event dated later has waited since then all the same.
    var arrived: Int64
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
    /// The other label was there before: the last one wins. Here is the example if it was learnt
    /// already.
    case contradiction(Place?)
    /// The event's delay had passed.
    case late
  }

  private struct EarlyLabel {
    var label: Label
    var time: Int64
  }

  /// The blocks held, oldest first: number `first` and those after it; what became of their
  /// events; how far they have got.
  private var blocks: Deque<ScoredBlock> = []
  private var states: Deque<[UInt8]> = []
  private var progress: Deque<Progress> = []
  private(set) var first: UInt64 = 0
  /// The number of the next block.
  var next: UInt64 { first + UInt64(blocks.count) }
  private var index = EventIndex()
  private var early: [[UInt8]: EarlyLabel] = [:]
  private var earlyChanged = false
  /// Event time through which early labels were let go.
  private var earlySwept = Int64.min
  private var removed: [UInt64] = []

  /// Events held.
  var count: Int { index.count }
  /// Labels held that came before their event.
  var earlyCount: Int { early.count }

  /// The block of a place.
  func block(_ place: Place) -> ScoredBlock { blocks[Int(place.block - first)] }

  private func find(_ id: ArraySlice<UInt8>, _ hash: UInt64) -> Place? {
    index.find(hash) { block($0).hasID(id, row: $0.row) }
  }

  /// Takes a block of scored events in.
  /// - Parameter now: event time.
  /// - Returns: the events whose label was there before them, and how many events have an id that
  ///   is already waiting.
  mutating func add(_ block: ScoredBlock, now: Int64) -> (
    labelled: [(Place, Label)], duplicates: Int
  ) {
    let number = next
    var rowStates = [UInt8](repeating: RowState.waiting.rawValue, count: block.rows)
    var labelled: [(Place, Label)] = []
    var duplicates = 0
    // Entered first, so that an id that comes twice within the block is found.
    append(block, [], Progress(arrived: now))
    for row in 0..<block.rows {
      let id = block.id(row)
      let hash = EventIndex.hash(id)
      let place = Place(block: number, row: row)
      guard find(id, hash) == nil else {
        duplicates += 1
        rowStates[row] = RowState.duplicate.rawValue
        continue
      }
      index.insert(hash, place)
      guard !early.isEmpty, let known = early.removeValue(forKey: Array(id)) else { continue }
      earlyChanged = true
      rowStates[row] = Self.learnt(known.label).rawValue
      labelled.append((place, known.label))
    }
    states[states.count - 1] = rowStates
    return (labelled, duplicates)
  }

  /// Takes a label in.
  /// - Parameters:
  ///   - time: when it was given; its event is no younger.
  ///   - matured: event time through which events have matured.
  mutating func label(
    id: [UInt8], _ label: Label, time: Int64, matured: Int64
  ) -> LabelOutcome {
    let slice = id[...]
    guard let place = find(slice, EventIndex.hash(slice)) else {
      guard time > matured else { return .late }
      earlyChanged = true
      let before = early.updateValue(EarlyLabel(label: label, time: time), forKey: id)
      guard let before else { return .early }
      return before.label == label ? .duplicate : .contradiction(nil)
    }
    let at = Int(place.block - first)
    switch RowState(rawValue: states[at][place.row])! {
    case .waiting:
      states[at][place.row] = Self.learnt(label).rawValue
      progress[at].changed = true
      return .example(place)
    case .learntNegative, .learntPositive:
      let learnt = Self.learnt(label).rawValue
      guard states[at][place.row] != learnt else { return .duplicate }
      states[at][place.row] = learnt
      progress[at].changed = true
      return .contradiction(place)
    case .expired: return .late
    case .duplicate: preconditionFailure("a duplicate is never indexed")
    }
  }

  /// Lets go of all events at or before `time`; `unlabelled` is called for those without a label.
  mutating func mature(through time: Int64, unlabelled: (ScoredBlock, Int) -> Void) {
    while let block = blocks.first {
      let arrived = progress[0].arrived
      var swept = progress[0].swept
      while swept < block.rows, min(block.time(swept), arrived) <= time {
        if states[0][swept] == RowState.waiting.rawValue {
          unlabelled(block, swept)
          states[0][swept] = RowState.expired.rawValue
        }
        swept += 1
      }
      progress[0].changed = progress[0].changed || swept > progress[0].swept
      progress[0].swept = swept
      guard swept == block.rows else { break }
      for row in 0..<block.rows where states[0][row] != RowState.duplicate.rawValue {
        index.remove(EventIndex.hash(block.id(row)), Place(block: first, row: row))
      }
      if progress[0].saved { removed.append(first) }
      blocks.removeFirst()
      states.removeFirst()
      progress.removeFirst()
      first += 1
    }
    // Looking at all early labels costs; once an hour of event time is soon enough.
    guard !early.isEmpty, time - 3_600_000 >= earlySwept else { return }
    earlySwept = time
    let before = early.count
    early = early.filter { $0.value.time > time }
    earlyChanged = earlyChanged || early.count != before
  }

  private mutating func append(_ block: ScoredBlock, _ states: [UInt8], _ progress: Progress) {
    blocks.append(block)
    self.states.append(states)
    self.progress.append(progress)
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
    for at in blocks.indices where progress[at].changed {
      let number = first + UInt64(at)
      if !progress[at].saved { changes.append((Self.blockKey(number), blocks[at].bytes)) }
      var writer = StateWriter()
      writer.write(UInt64(progress[at].swept))
      writer.write(progress[at].arrived)
      writer.write(states[at])
      changes.append((Self.rowsKey(number), writer.bytes))
      progress[at].saved = true
      progress[at].changed = false
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
    for number in first..<next {
      guard let bytes = try load(Self.blockKey(number)),
        let rows = try load(Self.rowsKey(number))
      else { throw StateError.truncated }
      let block = try ScoredBlock(bytes: bytes)
      var reader = StateReader(rows)
      let swept = try reader.readCount(limit: block.rows)
      let arrived = try reader.read(Int64.self)
      let states = try reader.readArray(of: UInt8.self, count: block.rows)
      guard states.allSatisfy({ RowState(rawValue: $0) != nil }) else {
        throw StateError.invalid("state of an event")
      }
      append(block, states, Progress(swept: swept, arrived: arrived, saved: true, changed: false))
      for row in 0..<block.rows where states[row] != RowState.duplicate.rawValue {
        index.insert(EventIndex.hash(block.id(row)), Place(block: number, row: row))
      }
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
