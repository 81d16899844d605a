/// Card Precision@k as the Fraud Detection Handbook defines it (Le Borgne, Siblini, Lebichot,
/// Bontempi, 2022, chapter 4): each day, entities by their highest score; of the k first the share
/// that had a positive event that day; those found are left out on the days after.
struct CardRanking {
  private let entities: [UInt32]
  /// By entity: the day (its position + 1) that the next two are of, 0 for none.
  private var day: [UInt32]
  private var best: [UInt32]
  private var isCompromised: [Bool]
  private var isFound: [Bool]

  init(entities: [UInt32]) {
    self.entities = entities
    let count = Int(entities.lazy.filter { $0 != .max }.max().map { $0 + 1 } ?? 0)
    day = Array(repeating: 0, count: count)
    best = day
    isCompromised = Array(repeating: false, count: count)
    isFound = isCompromised
  }

  /// The figure day by day, nil on a day without a score. Of entities with the same score the one
  /// with the lower number comes first. The divisor is k also on a day with fewer entities.
  consuming func precision(
    k: Int, column: [Float], table: EvaluationTable, grouping: DayGrouping
  ) -> [Double?] {
    var seen: [UInt32] = []
    return grouping.days.indices.map { position in
      seen.removeAll(keepingCapacity: true)
      let today = UInt32(position + 1)
      var isScored = false
      for place in grouping.places(ofDayAt: position) {
        let row = grouping.row(at: place)
        guard entities[row] != .max, !column[row].isNaN else { continue }
        isScored = true
        let entity = Int(entities[row])
        guard !isFound[entity] else { continue }
        let key = ScoreKey.key(column[row])
        if day[entity] != today {
          day[entity] = today
          best[entity] = key
          isCompromised[entity] = table.isPositive(row: row)
          seen.append(entities[row])
        } else {
          best[entity] = max(best[entity], key)
          if table.isPositive(row: row) { isCompromised[entity] = true }
        }
      }
      var found = 0
      for entity in first(k, of: seen) where isCompromised[entity] {
        isFound[entity] = true
        found += 1
      }
      return isScored ? Double(found) / Double(k) : nil
    }
  }

  /// The k entities with the highest scores.
  private func first(_ k: Int, of seen: [UInt32]) -> [Int] {
    // Key and, so that lower numbers win ties, the complement of the number.
    var candidates: [UInt64] = []
    let k = min(k, seen.count)
    let room = 4 * k
    candidates.reserveCapacity(min(room, seen.count))
    var bar: UInt64 = 0
    for entity in seen {
      let candidate = UInt64(best[Int(entity)]) << 32 | UInt64(~entity)
      guard candidate > bar else { continue }
      candidates.append(candidate)
      // Most entities never pass the bar of the k best so far.
      guard candidates.count == room else { continue }
      candidates.sort(by: >)
      candidates.removeLast(room - k)
      bar = candidates[k - 1]
    }
    candidates.sort(by: >)
    return candidates.prefix(k).map { Int(~UInt32(truncatingIfNeeded: $0)) }
  }
}
