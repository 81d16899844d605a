import Features
import Learners
import StateCoding

/// A block of scored events that wait for their labels, and what became of each of them.
struct HeldBlock {
  /// What became of an event.
  enum RowState: UInt8 {
    case waiting = 0
    case learntNegative = 1
    case learntPositive = 2
    /// The delay passed without a label, and it was not learnt.
    case expired = 3
    /// Its id was waiting already; it takes no label and is not learnt.
    case duplicate = 4
    /// The delay passed without a label, and it was learnt as a negative.
    case presumedNegative = 5

    init(_ label: Label) { self = label == .positive ? .learntPositive : .learntNegative }
  }

  /// What became of the events, one entry an event.
  struct Fates {
    /// Raw values.
    var states: [UInt8]
    /// When the label was given that an event was learnt with.
    var labelTimes: [Int64]
  }

  /// Nil while the block is only in the store.
  private(set) var block: ScoredBlock?
  /// Nil while that, too, is only in the store.
  private var fates: Fates?
  /// Number of events.
  let rows: Int
  /// Event time when the block came: an event dated later has waited since then all the same.
  let arrived: Int64
  /// When the event that came last among them came, by event time.
  let newest: Int64
  /// Events before this one have matured.
  private(set) var swept = 0
  /// When the first event came that has not matured.
  private(set) var oldest: Int64
  /// Of the events that came, one in 2^level is here.
  let level: UInt8
  /// Whether the block itself is part of the last saved state.
  private(set) var isSaved = false
  /// Whether anything is saved under its number.
  private(set) var isStored = false
  /// Whether what became of its events has changed since.
  private(set) var isChanged = true

  init(_ block: ScoredBlock, arrived: Int64, level: UInt8) {
    let fates = Fates(
      states: [UInt8](repeating: RowState.waiting.rawValue, count: block.rows),
      labelTimes: [Int64](repeating: .min, count: block.rows))
    self.init(block, fates, arrived: arrived, level: level)
  }

  private init(_ block: ScoredBlock, _ fates: Fates, arrived: Int64, level: UInt8) {
    self.block = block
    self.fates = fates
    rows = block.rows
    self.arrived = arrived
    self.level = level
    newest = (0..<rows).map { min(block.time($0), arrived) }.max() ?? .min
    oldest = rows > 0 ? min(block.time(0), arrived) : .min
  }

  /// Whether all of its events have matured.
  var isSwept: Bool { swept == rows }

  /// When an event came; the block must be in memory.
  func came(_ row: Int) -> Int64 { min(block!.time(row), arrived) }

  func state(_ row: Int) -> RowState { RowState(rawValue: fates!.states[row])! }

  /// When the label was given that an event was learnt with; the block must be in memory.
  func labelTime(_ row: Int) -> Int64 { fates!.labelTimes[row] }

  /// The block must be in memory.
  mutating func set(_ state: RowState, row: Int) {
    fates!.states[row] = state.rawValue
    isChanged = true
  }

  /// Notes the label with which an event is learnt.
  mutating func set(_ given: GivenLabel, row: Int) {
    set(RowState(given.label), row: row)
    fates!.labelTimes[row] = given.time
  }

  /// Lets the events mature that came by `time`, as far as none before them has to wait. The block
  /// must be in memory.
  /// - Parameter state: what becomes of those without a label.
  /// - Returns: the events without a label.
  mutating func mature(through time: Int64, to state: RowState) -> [Int] {
    var unlabelled: [Int] = []
    while swept < rows, came(swept) <= time {
      if self.state(swept) == .waiting {
        unlabelled.append(swept)
        set(state, row: swept)
      }
      swept += 1
      isChanged = true
    }
    if swept < rows { oldest = came(swept) }
    return unlabelled
  }

  /// The block without some of its events, to be saved anew.
  func keeping(_ kept: [Int], level: UInt8) -> HeldBlock {
    let fates = fates!
    var next = HeldBlock(
      block!.keeping(rows: kept),
      Fates(
        states: kept.map { fates.states[$0] }, labelTimes: kept.map { fates.labelTimes[$0] }),
      arrived: arrived, level: level)
    next.swept = kept.count { $0 < swept }
    if next.swept < next.rows { next.oldest = next.came(next.swept) }
    next.isStored = isStored
    return next
  }

  /// Lets what is saved be in the store alone: the block, and unless it has changed since what
  /// became of its events. Nothing happens to a block that is not saved.
  mutating func drop() {
    guard isSaved else { return }
    block = nil
    if !isChanged { fates = nil }
  }

  /// Takes back what was dropped of the block.
  /// - Parameter saved: the block as it is in the store.
  mutating func bringBack(_ saved: HeldBlock) {
    block = saved.block
    if fates == nil { fates = saved.fates }
  }

  /// The block as it is now has been put into the store.
  mutating func noteSaved() {
    isSaved = true
    isStored = true
    isChanged = false
  }

  // MARK: State

  /// All but the block itself.
  func encode() -> [UInt8] {
    var writer = StateWriter()
    writer.write(UInt64(swept))
    writer.write(arrived)
    writer.write(level)
    writer.write(fates!.states)
    let isLearnt = { [RowState.learntNegative, .learntPositive].contains(state($0)) }
    writer.write((0..<rows).filter(isLearnt).map(labelTime))
    return writer.bytes
  }

  /// A block as it was saved.
  init(block: ScoredBlock, state: [UInt8]) throws {
    var reader = StateReader(state)
    let swept = try reader.readCount(limit: block.rows)
    let arrived = try reader.read(Int64.self)
    let level = try reader.read(UInt8.self)
    guard level <= PendingExamples.highestLevel else {
      throw StateError.invalid("share of the events held")
    }
    let states = try reader.readArray(of: UInt8.self, count: block.rows)
    let given = try reader.readArray(of: Int64.self)
    try reader.finish()
    var labelTimes = [Int64](repeating: .min, count: block.rows)
    var next = 0
    for (row, state) in states.enumerated() {
      guard let state = RowState(rawValue: state) else {
        throw StateError.invalid("state of an event")
      }
      guard state == .learntNegative || state == .learntPositive else { continue }
      guard next < given.count else { throw StateError.truncated }
      labelTimes[row] = given[next]
      next += 1
    }
    guard next == given.count else { throw StateError.invalid("times of labels") }
    self.init(
      block, Fates(states: states, labelTimes: labelTimes), arrived: arrived, level: level)
    self.swept = swept
    if swept < rows { oldest = came(swept) }
    noteSaved()
  }
}
