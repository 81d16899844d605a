/// The order by time in which the book's transactions stand.
///
/// The book sorts by NumPy's default sort of times, which is not stable, so transactions of the
/// same second stand in the order that this particular sort leaves: an introspective quicksort with
/// the median of three as pivot, the larger part put aside, and insertion sort for parts of up to
/// 16 elements (R. Sedgewick, "Implementing quicksort programs", CACM 21(10), 1978; D. Musser,
/// "Introspective sorting and selection algorithms", 1997). The order is the ids' order, and could
/// decide which of a customer's transactions the third fraud scenario samples, by position.
enum BookOrder {
  private static let insertionSpan = 15

  /// The positions of `seconds` (none negative) in the order of time.
  static func order(of seconds: [Int32]) -> [UInt32] {
    // Time above, position below: one word moves both, and only the time is ever compared.
    var items = seconds.enumerated().map { UInt64(UInt32($1)) << 32 | UInt64($0) }
    sort(&items)
    return items.map { UInt32(truncatingIfNeeded: $0) }
  }

  @inline(__always)
  private static func precedes(_ one: UInt64, _ other: UInt64) -> Bool { one >> 32 < other >> 32 }

  private static func sort(_ items: inout [UInt64]) {
    if items.count < 2 { return }
    let depthLimit = 2 * (Int.bitWidth - 1 - items.count.leadingZeroBitCount)
    var pending = [(low: 0, high: items.count - 1, depth: depthLimit)]
    while var (low, high, depth) = pending.popLast() {
      // Only parts that were put aside are tested, whatever their length, as the original does.
      if depth < 0 {
        heapSort(&items, low, high)
        continue
      }
      while high - low > insertionSpan {
        let middle = partition(&items, low, high)
        depth -= 1
        if middle - low < high - middle {
          pending.append((middle + 1, high, depth))
          high = middle - 1
        } else {
          pending.append((low, middle - 1, depth))
          low = middle + 1
        }
      }
      if low < high { insertionSort(&items, low, high) }
    }
  }

  /// Splits around the median of the first, middle and last element; returns where it ends up.
  private static func partition(
    _ items: inout [UInt64], _ low: Int, _ high: Int
  ) -> Int {
    let middle = low + (high - low) >> 1
    if precedes(items[middle], items[low]) { items.swapAt(middle, low) }
    if precedes(items[high], items[middle]) { items.swapAt(high, middle) }
    if precedes(items[middle], items[low]) { items.swapAt(middle, low) }
    let pivot = items[middle]
    var left = low
    var right = high - 1
    items.swapAt(middle, right)
    while true {
      repeat { left += 1 } while precedes(items[left], pivot)
      repeat { right -= 1 } while precedes(pivot, items[right])
      if left >= right { break }
      items.swapAt(left, right)
    }
    items.swapAt(left, high - 1)
    return left
  }

  private static func insertionSort(
    _ items: inout [UInt64], _ low: Int, _ high: Int
  ) {
    for index in (low + 1)...high {
      let item = items[index]
      var hole = index
      while hole > low && precedes(item, items[hole - 1]) {
        items[hole] = items[hole - 1]
        hole -= 1
      }
      items[hole] = item
    }
  }

  /// Bounds the time where quicksort degenerates.
  private static func heapSort(_ items: inout [UInt64], _ low: Int, _ high: Int) {
    let count = high - low + 1
    for root in stride(from: count / 2 - 1, through: 0, by: -1) {
      siftDown(&items, low, root: root, count: count)
    }
    for end in stride(from: count - 1, to: 0, by: -1) {
      items.swapAt(low, low + end)
      siftDown(&items, low, root: 0, count: end)
    }
  }

  /// Restores the heap of `count` elements from `low` on below one root.
  private static func siftDown(_ items: inout [UInt64], _ low: Int, root: Int, count: Int) {
    var root = root
    while 2 * root + 1 < count {
      var child = 2 * root + 1
      if child + 1 < count && precedes(items[low + child], items[low + child + 1]) { child += 1 }
      if !precedes(items[low + root], items[low + child]) { return }
      items.swapAt(low + root, low + child)
      root = child
    }
  }
}
