/// Rows grouped by day, in their order within a day.
///
/// Rows that already stand in the order of days, the usual case, cost nothing; others 4 bytes each.
struct DayGrouping {
  /// The distinct days, rising.
  let days: [Int32]
  /// The number of rows.
  let count: Int
  private let starts: [Int]
  private let order: [UInt32]?
  /// Where there is no order: the row at place 0.
  private let first: Int

  init(_ column: [Int32], rows: RowSelection = .all) {
    count = rows.count(of: column.count)
    let listed: [UInt32]?
    switch rows {
    case .all: (first, listed) = (0, nil)
    case .range(let range): (first, listed) = (range.lowerBound, nil)
    case .rows(let list): (first, listed) = (0, list)
    }
    let first = first
    func row(_ place: Int) -> Int { listed.map { Int($0[place]) } ?? first + place }
    var days: [Int32] = []
    var starts: [Int] = []
    var isRising = true
    for place in 0..<count where column[row(place)] != days.last {
      let day = column[row(place)]
      if let last = days.last, day < last {
        isRising = false
        break
      }
      days.append(day)
      starts.append(place)
    }
    if isRising {
      self.days = days
      self.starts = starts + [count]
      order = listed
      return
    }
    var counts: [Int32: Int] = [:]
    for place in 0..<count { counts[column[row(place)], default: 0] += 1 }
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
    var order = [UInt32](repeating: 0, count: count)
    for place in 0..<count {
      let row = row(place)
      let target = next[column[row]]!
      order[target] = UInt32(row)
      next[column[row]] = target + 1
    }
    self.order = order
  }

  /// The places of the rows of `days[position]`.
  func places(ofDayAt position: Int) -> Range<Int> { starts[position]..<starts[position + 1] }

  /// The row at a place.
  @inline(__always)
  func row(at place: Int) -> Int { order.map { Int($0[place]) } ?? first + place }
}
