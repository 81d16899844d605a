/// Out of order: windows counted entry by entry.
extension EntityCursor {
  /// Counts an event's windows entry by entry: for one that windows have passed over, or that they
  /// must not move on to.
  /// - Parameters:
  ///   - cursor: its entity; nil if it is not known.
  ///   - counts: whether it counts in the windows that count the current event.
  static func scan(
    _ cursor: EntityCursor?, _ event: [UInt64], counts: Bool, _ layout: WindowShape,
    into results: inout [Double]
  ) {
    let time = Int64(bitPattern: event[0])
    for (number, frame) in layout.frames.enumerated() {
      let upper = time - frame.delay
      let lower = upper - frame.span
      var tally = Tally(layout)
      cursor?.forEach { number in
        let at = cursor!.time(number)
        if at > lower, at <= upper { tally.add(cursor!.entry(number), layout) }
      }
      if counts, frame.countsCurrent {
        event.withUnsafeBufferPointer { tally.add($0.baseAddress!, layout) }
      }
      tally.fill(&results, at: layout.result(frame: number), layout)
    }
  }

  private struct Tally {
    var count = 0
    var newest = Double.nan
    var sums: [DoubleDouble]
    var squares: [DoubleDouble]
    var least: [Double]
    var largest: [Double]
    var positives = 0
    var categories: [Set<UInt64>]

    init(_ layout: WindowShape) {
      sums = layout.values.map { _ in DoubleDouble() }
      squares = sums
      least = layout.values.map { _ in .infinity }
      largest = layout.values.map { _ in -.infinity }
      categories = Array(repeating: [], count: layout.distinctCount)
    }

    mutating func add(_ entry: UnsafePointer<UInt64>, _ layout: WindowShape) {
      count += 1
      newest = Double(Int64(bitPattern: entry[0]))
      for offset in layout.values.indices {
        let x = Double(bitPattern: entry[layout.valueAt + offset])
        sums[offset].add(x)
        squares[offset].addSquare(x, sign: 1)
        least[offset] = min(least[offset], x)
        largest[offset] = max(largest[offset], x)
      }
      if layout.hasLabels, entry[WindowShape.labelAt] & 3 == 2 { positives += 1 }
      for field in categories.indices {
        categories[field].insert(entry[layout.distinctAt + 2 * field])
      }
    }

    func fill(_ results: inout [Double], at base: Int, _ layout: WindowShape) {
      results[base] = Double(count)
      results[base + layout.newestResult] = newest
      for offset in layout.values.indices {
        let at = base + WindowShape.result(value: offset)
        results[at] = sums[offset].high
        results[at + 1] = DoubleDouble.deviation(
          sum: sums[offset], squares: squares[offset], count: count)
        results[at + 2] = count == 0 ? 0 : least[offset]
        results[at + 3] = count == 0 ? 0 : largest[offset]
      }
      results[base + layout.positivesResult] = Double(positives)
      for field in categories.indices {
        results[base + layout.distinctResult + field] = Double(categories[field].count)
      }
    }
  }
}
