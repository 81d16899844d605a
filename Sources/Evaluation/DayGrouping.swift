/// Rows grouped by day, in their order within a day.
///
/// Rows that already stand in the order of days, the usual case, cost nothing; others 4 bytes each.
struct DayGrouping {
  /// The distinct days, rising.
  let days: [Int32]
  private let starts: [Int]
  private let order: [UInt32]?

  init(_ column: [Int32]) {
    var days: [Int32] = []
    var starts: [Int] = []
    var isRising = true
    for (row, day) in column.enumerated() where day != days.last {
      if let last = days.last, day < last {
        isRising = false
        break
      }
      days.append(day)
      starts.append(row)
    }
    if isRising {
      self.days = days
      self.starts = starts + [column.count]
      order = nil
      return
    }
    var counts: [Int32: Int] = [:]
    for day in column { counts[day, default: 0] += 1 }
    self.days = counts.keys.sorted()
    var next: [Int32: Int] = [:]
    starts = []
    var start = 0
    for day in self.days {
      starts.append(start)
      next[day] = start
      start += counts[day]!
    }
    self.starts = starts + [start]
    var order = [UInt32](repeating: 0, count: column.count)
    for (row, day) in column.enumerated() {
      let place = next[day]!
      order[place] = UInt32(row)
      next[day] = place + 1
    }
    self.order = order
  }

  /// The places of the rows of `days[position]`.
  func places(ofDayAt position: Int) -> Range<Int> { starts[position]..<starts[position + 1] }

  /// The row at a place.
  @inline(__always)
  func row(at place: Int) -> Int { order.map { Int($0[place]) } ?? place }

  /// The number of days with a row that passes the test.
  func days(where passes: (Int) -> Bool) -> Int {
    days.indices.count { position in
      places(ofDayAt: position).contains { passes(row(at: $0)) }
    }
  }
}
