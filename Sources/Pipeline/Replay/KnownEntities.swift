import Evaluation
import Features

extension ReplayRecord {
  /// The rows in a window.
  ///
  /// With a field, a day's events of entities are left out that have a positive event at a time t
  /// with t ≥ the window's start − `since` and t + `delay` < the day's start: what the Fraud
  /// Detection Handbook does with cards known as compromised (chapter 5, `get_test_set`).
  func rows(
    in window: TestWindow, leavingOutKnown field: Int?, since: Int64?, delay: Int64
  ) -> (rows: RowSelection, leftOut: Int) {
    let inside = times.indices.filter { window.from <= times[$0] && times[$0] < window.to }
    guard let field else { return (.rows(inside.map { UInt32($0) }), 0) }
    let earliest = since.map { window.from - $0 } ?? .min
    let positives = times.indices.filter {
      table.isPositive(row: $0) && times[$0] + delay < window.to
        && times[$0] >= earliest
    }.sorted { times[$0] < times[$1] }[...]
    var rest = positives
    var known = [Bool](repeating: false, count: numbers[field].count)
    var kept: [UInt32] = []
    // Days rise but for late events; a row of an earlier day must not see what came to be known.
    let byDay = inside.sorted { (EventTime.day(times[$0]), $0) < (EventTime.day(times[$1]), $1) }
    for row in byDay {
      let begin = Int64(EventTime.day(times[row])) * EventTime.millisecondsPerDay
      while let next = rest.first, times[next] + delay < begin {
        rest = rest.dropFirst()
        if entities[field][next] != EntityNumbers.none { known[Int(entities[field][next])] = true }
      }
      let entity = entities[field][row]
      if entity == EntityNumbers.none || !known[Int(entity)] { kept.append(UInt32(row)) }
    }
    kept.sort()
    return (.rows(kept), inside.count - kept.count)
  }
}
