import DequeModule
import HeapModule

/// Things that are known from a time on, in the order of these times.
///
/// They mostly come in that order and then stand in a plain queue; one that is due earlier than the
/// last in it goes to a heap beside it. So one dated far ahead holds up no other.
struct DueQueue<Element> {
  private struct Early: Comparable {
    var time: Int64
    /// Order among those of the same time.
    var number: UInt64
    var element: Element

    static func < (a: Early, b: Early) -> Bool { (a.time, a.number) < (b.time, b.number) }
    static func == (a: Early, b: Early) -> Bool { a.number == b.number }
  }

  private var inOrder: Deque<Element> = []
  /// The times of `inOrder`, which are asked for much more often than its elements.
  private var times: Deque<Int64> = []
  private var others: Heap<Early> = []
  private var next: UInt64 = 0

  var count: Int { inOrder.count + others.count }
  var isEmpty: Bool { inOrder.isEmpty && others.isEmpty }

  /// When the next one is due; nil if there is none.
  var earliest: Int64? {
    guard let other = others.min?.time else { return times.first }
    return times.first.map { min($0, other) } ?? other
  }

  /// All that are not delivered, in the order in which they will be.
  var all: [(element: Element, time: Int64)] {
    var copy = self
    var all: [(element: Element, time: Int64)] = []
    copy.deliver(dueBy: nil) { all.append(($0, $1)) }
    return all
  }

  mutating func append(_ element: Element, time: Int64) {
    if let last = times.last, time < last {
      others.insert(Early(time: time, number: next, element: element))
      next += 1
    } else {
      inOrder.append(element)
      times.append(time)
    }
  }

  /// Whether at least `wanted` are due by `time`.
  func has(_ wanted: Int, dueBy time: Int64) -> Bool {
    guard wanted <= count else { return false }
    // The plain queue is sorted; of the heap it is only known whether there is any.
    if wanted - 1 < times.count, times[wanted - 1] <= time { return true }
    return others.min.map { $0.time <= time } ?? false
  }

  /// Calls `body` for those of the plain queue that are due by `time`, which stay.
  func forEachInOrder(dueBy time: Int64, _ body: (Element) -> Void) {
    var at = 0
    while at < times.count, times[at] <= time {
      body(inOrder[at])
      at += 1
    }
  }

  /// Delivers, in order, all that are due by `time`; nil: all there are.
  mutating func deliver(
    dueBy time: Int64?, _ body: (_ element: Element, _ time: Int64) throws -> Void
  ) rethrows {
    while let earliest, earliest <= time ?? .max {
      // One that came early stands behind those of its time in the plain queue.
      if times.first == earliest {
        try body(inOrder.removeFirst(), times.removeFirst())
      } else {
        let other = others.removeMin()
        try body(other.element, other.time)
      }
    }
  }
}
