import Glibc
import LinearAlgebra
import StateCoding

/// Computes the features of a pipeline, and keeps what they remember: the windows of its entities
/// and the distributions that bins are cut from.
public struct FeatureMemory: Sendable {
  /// What is computed.
  public let plan: FeaturePlan
  /// What the windows remember; nil if there are none.
  public private(set) var windows: WindowMemory?
  private var sketches: [ValueSketch]
  /// Columns that only other features need.
  private var hidden: Matrix

  /// A memory of nothing.
  /// - Parameter capacity: the most events a block has.
  public init(_ plan: FeaturePlan, capacity: Int) {
    self.plan = plan
    windows =
      plan.hasWindows ? WindowMemory(plan: plan.windows, settings: plan.windowSettings) : nil
    sketches = plan.sketches.map { ValueSketch(bins: $0) }
    hidden = Matrix(columns: plan.hiddenCount, capacity: capacity)
  }

  // MARK: Events

  /// Computes the features of a block whose events come one by one, each at its own time: no event is
  /// late, and labels are known once `label` was called.
  ///
  /// Parameters are those of `computeFeatures`.
  public mutating func compute(_ block: EventBlock, into features: inout Matrix) {
    if plan.hasWindows {
      for row in 0..<block.count { observe(block, row: row, clock: block.times[row]) }
    }
    computeFeatures(block, into: &features)
  }

  /// Takes an event into the windows. Called for the events of a block in turn, before
  /// `computeFeatures`.
  /// - Parameter clock: event time as of this event, ms since 1970. An event that is older by more
  ///   than the schema's lateness, or younger, has its features like any other but changes no window.
  @inline(__always)
  public mutating func observe(_ block: EventBlock, row: Int, clock: Int64) {
    windows?.observe(block, row: row, clock: clock)
  }

  /// Computes the features of a block's events, a feature at a time; the windows have taken
  /// them in.
  /// - Parameter features: gets as many rows as the block has events; must have the plan's columns and
  ///   room for the rows. Every value is finite and within Float32's range.
  public mutating func computeFeatures(_ block: EventBlock, into features: inout Matrix) {
    let rows = block.count
    features.resize(rows: rows)
    let strides = (features.stride, hidden.stride)
    // Not the plan as a whole: for a single event, to retain all of it weighs.
    let (steps, places, windowColumns) = (plan.steps, plan.places, plan.windowColumns)
    features.values.withUnsafeMutableBufferPointer { features in
      hidden.values.withUnsafeMutableBufferPointer { hidden in
        block.numbers.withUnsafeBufferPointer { numbers in
          let columns = ColumnPointers(
            features: features.baseAddress, hidden: hidden.baseAddress, strides: strides,
            numbers: numbers.baseAddress, capacity: block.capacity, places: places)
          if let windows { columns.take(windows.values, windowColumns, rows) }
          for step in steps { columns.compute(step, block, rows, &sketches) }
        }
      }
    }
  }

  // MARK: Labels

  /// A label as windows take it.
  /// - Parameter id: of the event; windows know it by its hash.
  public func windowLabel(id: ArraySlice<UInt8>, isPositive: Bool) -> WindowLabel {
    WindowLabel(hash: plan.windows.hash.hash(id), isPositive: isPositive)
  }

  /// An event turned out positive or negative, as far as windows ask for it; of several labels the
  /// one given last holds.
  /// - Parameter time: when the label was given, ms since 1970.
  public mutating func label(_ label: WindowLabel, time: Int64) {
    windows?.label(label, time: time)
  }

  /// Reads what a label that is about to come will need, as `observe` does for a block's events.
  public mutating func readAhead(_ label: WindowLabel) { windows?.readAhead(label) }

  // MARK: State

  /// The parts of the state, each of a bounded size, in the order in which they are restored: for
  /// writing them one after the other from a copy.
  public var pieceCount: Int { 1 + (windows?.pieceCount ?? 0) }

  /// One part of the state.
  public func encodePiece(_ number: Int) -> [UInt8] {
    if number > 0 { return windows!.encodePiece(number - 1) }
    var writer = StateWriter()
    for sketch in sketches { sketch.encode(into: &writer) }
    windows?.encodeOwn(into: &writer)
    return writer.bytes
  }

  /// Takes one part of a saved state.
  /// - Throws: `StateError` for bytes that are none, or of other features.
  public mutating func restorePiece(_ number: Int, _ bytes: [UInt8]) throws(StateError) {
    if number > 0 { return try windows!.restorePiece(number - 1, bytes) }
    var reader = StateReader(bytes)
    for index in sketches.indices {
      sketches[index] = try ValueSketch(bins: sketches[index].bins, from: &reader)
    }
    try windows?.restoreOwn(from: &reader)
    try reader.finish()
  }
}

/// The columns of a block where they lie. Lives within one call of `computeFeatures`.
private struct ColumnPointers {
  let features: UnsafeMutablePointer<Double>?
  let hidden: UnsafeMutablePointer<Double>?
  let strides: (features: Int, hidden: Int)
  let numbers: UnsafePointer<Double>?
  let capacity: Int
  let places: [FeaturePlan.Place]

  @inline(__always)
  private func column(_ number: Int) -> UnsafeMutablePointer<Double> {
    switch places[number] {
    case .input(let at): features! + at * strides.features
    case .hidden(let at): hidden! + at * strides.hidden
    }
  }

  @inline(__always)
  private func source(_ source: FeaturePlan.Source) -> UnsafePointer<Double> {
    switch source {
    case .field(let field): numbers! + field * capacity
    case .column(let number): UnsafePointer(column(number))
    }
  }

  /// Takes over what windows hold: row by row, in the order of the plan's window columns.
  func take(_ values: [Double], _ into: [Int], _ rows: Int) {
    for (offset, number) in into.enumerated() {
      fill(number, rows) { values[$0 * into.count + offset] }
    }
  }

  func compute(
    _ step: FeaturePlan.Step, _ block: EventBlock, _ rows: Int, _ sketches: inout [ValueSketch]
  ) {
    switch step {
    case .number(let a, let into): map(a, into, rows) { $0 }
    case .log(let a, let into): map(a, into, rows) { $0 < 0 ? -log1p(-$0) : log1p($0) }
    case .squareRoot(let a, let into):
      map(a, into, rows) { $0 < 0 ? -(-$0).squareRoot() : $0.squareRoot() }
    case .difference(let a, let b, let into): map(a, b, into, rows) { bounded($0 - $1) }
    case .ratio(let a, let b, let into):
      map(a, b, into, rows) { $1 == 0 ? 0 : bounded($0 / $1) }
    case .bins(let a, let sketch, let into): bin(a, &sketches[sketch], into, rows)
    case .hour(let into): fill(into, rows) { Double(EventTime.hour(block.times[$0])) }
    case .weekday(let into): fill(into, rows) { Double(EventTime.weekday(block.times[$0])) }
    case .night(let through, let into):
      fill(into, rows) { EventTime.hour(block.times[$0]) <= through ? 1 : 0 }
    case .weekend(let into): fill(into, rows) { EventTime.weekday(block.times[$0]) >= 5 ? 1 : 0 }
    case .oneHot(let field, let list, let into):
      for (category, number) in zip(list, into) {
        fill(number, rows) { block.category(field, $0).elementsEqual(category) ? 1 : 0 }
      }
    case .hashed(let field, let into):
      for number in into { fill(number, rows) { _ in 0 } }
      for row in 0..<rows {
        let bucket = Int(stableHash(block.category(field, row)) % UInt64(into.count))
        column(into.lowerBound + bucket)[row] = 1
      }
    case .sparse(let fields, let hash, let into):
      fill(into, rows) { row in hash.value(fields.lazy.map { block.category($0, row) }) }
    case .isMissing(let value, let into):
      fill(into, rows) { Double(block.missing[value * block.capacity + $0]) }
    }
  }

  @inline(__always)
  private func map(
    _ a: FeaturePlan.Source, _ into: Int, _ rows: Int, _ body: (Double) -> Double
  ) {
    let (from, to) = (source(a), column(into))
    for row in 0..<rows { to[row] = body(from[row]) }
  }

  @inline(__always)
  private func map(
    _ a: FeaturePlan.Source, _ b: FeaturePlan.Source, _ into: Int, _ rows: Int,
    _ body: (Double, Double) -> Double
  ) {
    let (left, right, to) = (source(a), source(b), column(into))
    for row in 0..<rows { to[row] = body(left[row], right[row]) }
  }

  @inline(__always)
  private func fill(_ into: Int, _ rows: Int, _ body: (Int) -> Double) {
    let to = column(into)
    for row in 0..<rows { to[row] = body(row) }
  }

  /// An event is coded by the edges as of the events before it, whatever block it stands in.
  private func bin(
    _ a: FeaturePlan.Source, _ sketch: inout ValueSketch, _ into: Range<Int>, _ rows: Int
  ) {
    let from = source(a)
    for row in 0..<rows {
      let cell = ValueSketch.cell(from[row])
      for (offset, number) in into.enumerated() {
        column(number)[row] =
          offset < sketch.edges.count && cell >= sketch.edges[offset] ? 1 : 0
      }
      sketch.add(cell)
    }
  }
}
