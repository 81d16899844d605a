import Glibc

/// How many events may be flagged a day; a day's events are flagged by falling score, of equal
/// scores the earlier event first.
public enum AlertBudget: Sendable, Equatable {
  /// Up to this many a day, 0 or more.
  case perDay(Int)
  /// This share of each day's scored events, from 0 to 1: rounded down, but at least one on a day
  /// that has any, unless the share is 0.
  case share(Double)

  /// The number of alerts on a day with `events` scored events.
  ///
  /// - Precondition: the number a day is not negative, the share lies in 0...1.
  public func alerts(amongEvents events: Int) -> Int {
    switch self {
    case .perDay(let count):
      precondition(count >= 0, "a budget is not negative")
      return min(count, events)
    case .share(let share):
      precondition(share >= 0 && share <= 1, "a share lies between 0 and 1")
      if share == 0 || events == 0 { return 0 }
      return min(events, max(1, Int(floor(share * Double(events)))))
    }
  }
}
