/// How the windows of one kind of entity lie in memory.
///
/// An entity is a record of 64-bit words and a ring of its events, oldest first. Events have
/// consecutive numbers (wrapping 32-bit); event n stands at n modulo the ring's capacity.
///
///     entry    time, [label word], values…, per category counted as distinct: hash, links
///     record   first|end  ring  last time  key, then per frame:
///              head|tail, per value: sum (2) [squares (2)] [min, max], [positives], distinct…
///
/// The label word is the event identifier's hash with its two lowest bits replaced: 2 if it is
/// known to be positive, 1 if it no longer is, 0 before. Links are the distances to the previous and
/// the next event with the same category, 0 if the ring has none.
///
/// Nothing but numbers and pointers to numbers, so that handing it on costs no reference count; made
/// and owned by `WindowLayout`.
struct WindowShape {
  /// The events between two points before the newest one: (t − delay − span, t − delay].
  struct Frame: Equatable, BitwiseCopyable {
    var span: Int64
    var delay: Int64
    /// Whether an event counts in its own window. It never does in one with a delay.
    var countsCurrent: Bool
  }

  /// What is kept of a number.
  struct Value: Equatable, BitwiseCopyable {
    var hasSquares = false
    var hasExtremes = false
    /// Offsets in a frame's words.
    fileprivate(set) var sumAt = 0
    fileprivate(set) var squaresAt = 0
    fileprivate(set) var extremesAt = 0
  }

  let frames: UnsafeBufferPointer<Frame>
  let values: UnsafeBufferPointer<Value>
  let hasLabels: Bool
  let distinctCount: Int
  /// An event that lies so far behind the newest one changes windows as if it had come in order.
  let lateness: Int64
  /// The most events of an entity; a power of two.
  let largestRing: UInt32

  let valueAt: Int
  let distinctAt: Int
  let entryWords: Int
  let positivesAt: Int
  let distinctCountAt: Int
  let frameWords: Int
  let recordWords: Int
  /// Events are kept for so long.
  let horizon: Int64

  /// Where a frame's figures lie among the results: count, then per value sum, deviation, least and
  /// largest, then positives, the newest entry's time (NaN if there is none), and distinct counts.
  let resultWords: Int

  static let frameAt = 4
  static let labelAt = 1

  fileprivate init(
    frames: [Frame], values: [Value], hasLabels: Bool, distinctCount: Int, lateness: Int64,
    largestRing: UInt32
  ) {
    precondition(largestRing & (largestRing - 1) == 0, "a power of two")
    self.hasLabels = hasLabels
    self.distinctCount = distinctCount
    self.lateness = lateness
    self.largestRing = largestRing
    valueAt = hasLabels ? 2 : 1
    distinctAt = valueAt + values.count
    entryWords = distinctAt + 2 * distinctCount
    var at = 1
    let placed = values.map { value in
      var value = value
      value.sumAt = at
      at += 2
      if value.hasSquares {
        value.squaresAt = at
        at += 2
      }
      if value.hasExtremes {
        value.extremesAt = at
        at += 2
      }
      return value
    }
    positivesAt = at
    if hasLabels { at += 1 }
    distinctCountAt = at
    frameWords = at + distinctCount
    recordWords = Self.frameAt + frames.count * frameWords
    horizon = (frames.map { $0.span + $0.delay }.max() ?? 0) + lateness
    resultWords = 3 + 4 * values.count + distinctCount
    self.frames = Self.copy(frames)
    self.values = Self.copy(placed)
  }

  private static func copy<T: BitwiseCopyable>(_ values: [T]) -> UnsafeBufferPointer<T> {
    let copy = UnsafeMutableBufferPointer<T>.allocate(capacity: values.count)
    _ = copy.initialize(from: values)
    return UnsafeBufferPointer(copy)
  }

  fileprivate func deallocate() {
    frames.deallocate()
    values.deallocate()
  }

  /// Where the results of a frame begin, and the figures within.
  func result(frame: Int) -> Int { frame * resultWords }
  static func result(value: Int) -> Int { 1 + 4 * value }
  var positivesResult: Int { 1 + 4 * values.count }
  var newestResult: Int { 2 + 4 * values.count }
  var distinctResult: Int { 3 + 4 * values.count }
}

/// Owns a shape.
///
/// Sendable although pointers are not: what they lead to is written in `init`, before anybody else
/// has the object, and never again; it goes with the last reference.
final class WindowLayout: @unchecked Sendable {
  let shape: WindowShape

  init(
    frames: [WindowShape.Frame], values: [WindowShape.Value], hasLabels: Bool, distinctCount: Int,
    lateness: Int64, largestRing: UInt32
  ) {
    shape = WindowShape(
      frames: frames, values: values, hasLabels: hasLabels, distinctCount: distinctCount,
      lateness: lateness, largestRing: largestRing)
  }

  deinit { shape.deallocate() }
}
