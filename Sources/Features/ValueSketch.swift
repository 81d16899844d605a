import StateCoding

/// The distribution of a feature, for the edges of its bins: how many values fell into each of 65,536
/// cells, whose widths are relative, 1 in 128 (a Float32 without its lower 16 bits; such log-linear
/// cells are those of Tene's HdrHistogram). The order of the values makes no difference.
///
/// The first edges are found after 256 values, new ones each time the number of values has doubled:
/// they come to rest, and what a bin means changes ever less.
struct ValueSketch: Sendable {
  /// Number of bins; there is one edge fewer.
  let bins: Int
  private var counts: [UInt32] = Array(repeating: 0, count: 1 << 16)
  private(set) var total: UInt64 = 0
  /// Cells that begin a bin, rising; at most `bins` - 1.
  private(set) var edges: [UInt16] = []

  private static let first: UInt64 = 256
  /// Counts stop here, which is far beyond where more of them would move an edge.
  private static let most: UInt64 = 1 << 31

  init(bins: Int) {
    precondition(bins >= 2, "at least two bins")
    self.bins = bins
  }

  /// The cell of a value within Float32's range; rises with it.
  @inline(__always)
  static func cell(_ value: Double) -> UInt16 {
    // Adding 0 makes -0 the same as 0.
    let bits = (Float(value) + 0).bitPattern
    let cell = UInt16(truncatingIfNeeded: bits >> 16)
    return cell & 0x8000 == 0 ? cell | 0x8000 : ~cell
  }

  /// Counts a value.
  @inline(__always)
  mutating func add(_ cell: UInt16) {
    guard total < Self.most else { return }
    counts[Int(cell)] += 1
    total += 1
    if total >= Self.first, total & (total - 1) == 0 { findEdges() }
  }

  /// A cell that holds more than a bin's share is a bin of its own. Over the other values half of the
  /// edges that are left lie at equal ranks, a quarter each towards both ends, where each bin has a
  /// quarter of the one before: what is rare is often what matters.
  private mutating func findEdges() {
    let cells = counts.indices.filter { counts[$0] > 0 }
    let share = total / UInt64(bins)
    var found: Set<Int> = []
    var rest: UInt64 = 0
    for (place, cell) in cells.enumerated() {
      guard UInt64(counts[cell]) > share else {
        rest += UInt64(counts[cell])
        continue
      }
      if place > 0 { found.insert(cell) }
      if place + 1 < cells.count { found.insert(cells[place + 1]) }
    }
    let left = bins - 1 - found.count
    if left > 0, rest > 0 {
      let tail = left / 4
      let middle = left - 2 * tail
      let outermost = 1 / Double(middle + 1)
      var ranks = (1...max(1, middle)).map { Double($0) * outermost }
      var end = outermost
      for _ in 0..<tail {
        end /= 4
        ranks += [end, 1 - end]
      }
      ranks.sort()
      var next = 0
      var below: UInt64 = 0
      for cell in cells where UInt64(counts[cell]) <= share {
        below += UInt64(counts[cell])
        // The edge lies before the cell in which the rank is reached.
        while next < ranks.count, Double(below) > ranks[next] * Double(rest) {
          if cell != cells[0] { found.insert(cell) }
          next += 1
        }
      }
    }
    edges = found.sorted().prefix(bins - 1).map(UInt16.init)
  }

  // MARK: State

  func encode(into writer: inout StateWriter) {
    writer.write(total)
    writer.write(edges)
    let cells = counts.indices.filter { counts[$0] > 0 }.map(UInt16.init)
    writer.write(cells)
    writer.write(cells.map { counts[Int($0)] })
  }

  init(bins: Int, from reader: inout StateReader) throws(StateError) {
    self.init(bins: bins)
    total = try reader.read()
    edges = try reader.readArray()
    let cells = try reader.readArray(of: UInt16.self)
    let filled = try reader.readArray(of: UInt32.self, count: cells.count)
    guard edges.count < bins, zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw .invalid("edges of bins")
    }
    for (cell, count) in zip(cells, filled) { counts[Int(cell)] = count }
  }
}
