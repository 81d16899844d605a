import DequeModule
import Features
import Learners
import StateCoding

/// Scored events that wait for their label, joined to labels by event id.
///
/// Blocks are kept as they came until the label delay, and the time in which labels may still be
/// corrected, have passed for all of their events. Labels that come before their event are kept as
/// well. All bounds of time are by event time.
///
/// Events in memory are bounded. Past the bound, the oldest blocks stay in the store alone, where
/// they are saved anyway, and of them only the index of ids is in memory; a block is read back when
/// it is needed. Or events are sampled: half of those held are let go, and of those to come one in
/// two is taken, and so on; what is left weighs as much more.
struct PendingExamples {
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
    /// The event has not come yet, and there is no room for the label.
    case refused
    /// The event was learnt with this label already.
    case duplicate
    /// The other label was there before: the last one wins. Here is the example if it was learnt
    /// already.
    case contradiction(Place?)
    /// The other label was there before, and was given later: that one stays.
    case outdated
    /// The event's delay had passed. Here is the example if that is still to be learnt; it may have
    /// been learnt as a negative.
    case late(Place?, corrects: Bool)
    /// The event is none of the sample.
    case notSampled
  }

  private let limit: Int
  private let overflow: LabelPolicy.Overflow
  private let sampling: EventChoice
  /// Gives what was saved under a key; nil: nothing is, and all is held in memory.
  private let load: ((String) throws -> [UInt8]?)?

  /// A sample of one in 2⁴⁰ events is small enough.
  static let highestLevel: UInt8 = 40

  /// The blocks held, oldest first: number `first` and those after it.
  private var held: Deque<HeldBlock> = []
  private(set) var first: UInt64
  /// The number of the next block.
  var next: UInt64 { first + UInt64(held.count) }
  /// The number of the first block that has events which have not matured, or of the next block.
  private var maturing: UInt64
  private var index = EventIndex()
  private var early = EarlyLabels()
  private var removed: [UInt64] = []
  /// Of the events that come, one in 2^level is taken.
  private(set) var level: UInt8

  /// Blocks that were read back since changes were last taken, in that order.
  private var broughtBack: Deque<UInt64> = []
  /// So many of them stay in memory beside those within the bound.
  private static let mostBroughtBack = 64
  /// Events in memory, with those that repeat an id.
  private var inMemory = 0
  /// Why a block could not be read back: nothing must be saved after that.
  private(set) var failure: (any Error)?

  /// Events held.
  var count: Int { index.count }
  /// Of them, those that are only in the store.
  var spilled: Int { held.reduce(0) { $0 + ($1.block == nil ? $1.rows : 0) } }
  /// Labels held that came before their event.
  var earlyCount: Int { early.count }

  /// The block of a place that was just given out.
  func block(_ place: Place) -> ScoredBlock { held[Int(place.block - first)].block! }

  /// How many events the one at a place stands for.
  func weight(_ place: Place) -> Double { Double(1 << held[Int(place.block - first)].level) }

  private func isSampled(_ hash: UInt64, at level: UInt8) -> Bool {
    level == 0 || sampling.number(hash).leadingZeroBitCount >= Int(level)
  }

  /// Finds an event, whose block is in memory then.
  private mutating func find(_ id: ArraySlice<UInt8>, _ hash: UInt64) -> Place? {
    while true {
      // Of a block that is not in memory it is only known that the hashes agree.
      let place = index.find(hash) { place in
        held[Int(place.block - first)].block?.hasID(id, row: place.row) ?? true
      }
      guard let place else { return nil }
      let at = Int(place.block - first)
      if held[at].block != nil { return place }
      guard bringBack(at) else { return nil }
    }
  }

  // MARK: Events

  /// Takes a block of scored events in.
  /// - Parameter now: event time.
  /// - Returns: the events whose label was there before them, and how many events have an id that
  ///   is already waiting, and are none of the sample.
  mutating func add(_ block: ScoredBlock, now: Int64) -> (
    labelled: [(Place, GivenLabel)], duplicates: Int, notSampled: Int
  ) {
    let number = next
    let came = block.rows
    let block = sample(block)
    guard block.rows > 0 else { return ([], 0, came) }
    var labelled: [(Place, GivenLabel)] = []
    var duplicates = 0
    // Entered first, so that an id that comes twice within the block is found.
    let at = held.count
    held.append(HeldBlock(block, arrived: now, level: level))
    inMemory += block.rows
    for row in 0..<block.rows {
      let id = block.id(row)
      let hash = EventIndex.hash(id)
      guard find(id, hash) == nil else {
        duplicates += 1
        held[at].set(.duplicate, row: row)
        continue
      }
      let place = Place(block: number, row: row)
      index.insert(hash, place)
      guard let known = early.remove(id) else { continue }
      held[at].set(known, row: row)
      labelled.append((place, known))
    }
    return (labelled, duplicates, came - block.rows)
  }

  /// The events of a block that are of the sample.
  private mutating func sample(_ block: ScoredBlock) -> ScoredBlock {
    guard level > 0 else { return block }
    var kept: [Int] = []
    for row in 0..<block.rows {
      let id = block.id(row)
      if isSampled(EventIndex.hash(id), at: level) {
        kept.append(row)
      } else {
        _ = early.remove(id)
      }
    }
    return kept.count == block.rows ? block : block.keeping(rows: kept)
  }

  /// Takes smaller samples while more events are held than may be.
  /// - Returns: how many events that waited for their label were let go.
  mutating func keepSampleWithinBound() -> Int {
    guard overflow == .sample else { return 0 }
    // With room for a sample twice as dense, and some more.
    if level > 0, index.count <= limit / 4 { level -= 1 }
    var letGo = 0
    while index.count > limit, level < Self.highestLevel {
      level += 1
      for at in held.indices where held[at].level < level { letGo += thin(at) }
    }
    return letGo
  }

  private mutating func thin(_ at: Int) -> Int {
    guard let block = held[at].block else { return 0 }
    let number = first + UInt64(at)
    var kept: [Int] = []
    var letGo = 0
    for row in 0..<block.rows {
      let hash = EventIndex.hash(block.id(row))
      let state = held[at].state(row)
      let isKept = isSampled(hash, at: level)
      if state != .duplicate { index.remove(hash, Place(block: number, row: row)) }
      if isKept {
        if state != .duplicate { index.insert(hash, Place(block: number, row: kept.count)) }
        kept.append(row)
      } else if state == .waiting {
        letGo += 1
      }
    }
    inMemory -= block.rows - kept.count
    held[at] = held[at].keeping(kept, level: level)
    return letGo
  }

  // MARK: Labels

  /// Takes a label in.
  /// - Parameters:
  ///   - matured: event time through which events have matured.
  ///   - released: event time through which no label is corrected any more.
  mutating func label(
    id: [UInt8], _ given: GivenLabel, matured: Int64, released: Int64
  ) -> LabelOutcome {
    let slice = id[...]
    let hash = EventIndex.hash(slice)
    guard let place = find(slice, hash) else {
      guard isSampled(hash, at: level) else { return .notSampled }
      guard given.time > matured else { return .late(nil, corrects: false) }
      return early.add(id, given, limit: limit)
    }
    let at = Int(place.block - first)
    let state = held[at].state(place.row)
    switch state {
    case .waiting:
      held[at].set(given, row: place.row)
      return .example(place)
    case .learntNegative, .learntPositive:
      let before = held[at].labelTime(place.row)
      guard state != .init(given.label) else {
        if given.time > before { held[at].set(given, row: place.row) }
        return .duplicate
      }
      guard given.time >= before else { return .outdated }
      held[at].set(given, row: place.row)
      return .contradiction(place)
    case .expired, .presumedNegative:
      guard held[at].came(place.row) > released else { return .late(nil, corrects: false) }
      held[at].set(given, row: place.row)
      guard state == .presumedNegative else { return .late(place, corrects: false) }
      return .late(given.label == .positive ? place : nil, corrects: true)
    case .duplicate: preconditionFailure("a duplicate is never indexed")
    }
  }

  // MARK: Maturity

  /// Lets the events of one block mature that came by `time`; nil if there is none to do so.
  /// - Parameter state: what becomes of those without a label.
  /// - Returns: those without a label.
  mutating func matureNext(through time: Int64, to state: HeldBlock.RowState) -> [Place]? {
    let at = Int(maturing - first)
    guard at < held.count, held[at].rows == 0 || held[at].oldest <= time, bringBack(at)
    else { return nil }
    let places = held[at].mature(through: time, to: state).map { Place(block: maturing, row: $0) }
    if held[at].isSwept { maturing += 1 }
    return places
  }

  /// Lets go of the blocks that have matured and whose events all came by `time`.
  mutating func release(through time: Int64) {
    while first < maturing, let block = held.first, block.newest <= time, bringBack(0) {
      let scored = held[0].block!
      for row in 0..<block.rows where held[0].state(row) != .duplicate {
        index.remove(EventIndex.hash(scored.id(row)), Place(block: first, row: row))
      }
      if block.isStored { removed.append(first) }
      inMemory -= block.rows
      held.removeFirst()
      first += 1
    }
  }

  /// Lets go of early labels that were given by `time`.
  /// - Returns: how many.
  mutating func matureEarly(through time: Int64) -> Int { early.mature(through: time) }

  // MARK: Memory

  /// Reads a block back that is only in the store; false if that fails.
  private mutating func bringBack(_ at: Int) -> Bool {
    guard held[at].block == nil else { return true }
    let number = first + UInt64(at)
    do {
      guard let load else { throw StateError.truncated }
      held[at].bringBack(try Self.read(number, load))
    } catch {
      failure = failure ?? error
      return false
    }
    inMemory += held[at].rows
    broughtBack.append(number)
    // Labels in any order may need block after block.
    while inMemory > limit, broughtBack.count > Self.mostBroughtBack,
      let oldest = broughtBack.popFirst()
    {
      if oldest >= first { drop(Int(oldest - first)) }
    }
    return true
  }

  private mutating func drop(_ at: Int) {
    guard held[at].block != nil else { return }
    held[at].drop()
    if held[at].block == nil { inMemory -= held[at].rows }
  }

  /// Lets the oldest blocks be in the store alone, all of which are saved.
  private mutating func spill() {
    guard overflow == .spill, load != nil else { return }
    broughtBack.removeAll()
    for at in held.indices {
      // Of one that was dropped before, what became of its events is saved only now.
      if held[at].block == nil { held[at].drop() }
      if inMemory > limit { drop(at) }
    }
  }

  // MARK: State

  /// What changed since the last call, to be put into (nil: removed from) a store of named bytes,
  /// from which it can be read at once.
  mutating func takeChanges() -> [(key: String, bytes: [UInt8]?)] {
    var changes: [(key: String, bytes: [UInt8]?)] = removed.flatMap {
      [(Self.blockKey($0), nil), (Self.rowsKey($0), nil)]
    }
    removed.removeAll()
    for at in held.indices where held[at].isChanged {
      let number = first + UInt64(at)
      if !held[at].isSaved {
        changes.append((Self.blockKey(number), held[at].block!.bytes))
      }
      changes.append((Self.rowsKey(number), held[at].encode()))
      held[at].noteSaved()
    }
    if let change = early.takeChange() { changes.append(change) }
    spill()
    return changes
  }

  /// - Parameters:
  ///   - policy: nil: nothing is ever held.
  ///   - load: as in ``TrainingEngine``.
  init(_ policy: LabelPolicy?, seed: UInt64, load: ((String) throws -> [UInt8]?)?) {
    limit = policy?.pending ?? 0
    overflow = policy?.overflow ?? .spill
    sampling = EventChoice(seed: seed, purpose: "events held")
    self.load = load
    first = 0
    maturing = 0
    level = 0
  }

  /// Writes what the restoring initialiser needs beside the changes.
  func encode(into writer: inout StateWriter) {
    writer.write(first)
    writer.write(next)
    writer.write(level)
  }

  /// Restores what the changes put into the store.
  init(
    _ policy: LabelPolicy?, seed: UInt64, from reader: inout StateReader,
    load: @escaping (String) throws -> [UInt8]?
  ) throws {
    self.init(policy, seed: seed, load: load)
    first = try reader.read(UInt64.self)
    let next = try reader.read(UInt64.self)
    guard first <= next, next < 1 << 44 else { throw StateError.invalid("range of blocks") }
    level = try reader.read(UInt8.self)
    guard level <= Self.highestLevel else { throw StateError.invalid("share of the events held") }
    maturing = next
    // From the newest on, so that those stay in memory for which there is room.
    for number in (first..<next).reversed() {
      var block = try Self.read(number, load)
      let scored = block.block!
      for row in 0..<block.rows where block.state(row) != .duplicate {
        index.insert(EventIndex.hash(scored.id(row)), Place(block: number, row: row))
      }
      if !block.isSwept || block.rows == 0 { maturing = number }
      if overflow == .spill, inMemory + block.rows > limit {
        block.drop()
      } else {
        inMemory += block.rows
      }
      held.prepend(block)
    }
    early = try EarlyLabels(load: load)
  }

  private static func read(
    _ number: UInt64, _ load: (String) throws -> [UInt8]?
  ) throws -> HeldBlock {
    guard let bytes = try load(blockKey(number)), let state = try load(rowsKey(number))
    else { throw StateError.truncated }
    return try HeldBlock(block: ScoredBlock(bytes: bytes), state: state)
  }

  private static func blockKey(_ number: UInt64) -> String { "pending/block/\(number)" }
  private static func rowsKey(_ number: UInt64) -> String { "pending/rows/\(number)" }
}
