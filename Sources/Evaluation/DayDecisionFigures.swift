/// The decisions of one UTC day.
public struct DayDecisionFigures: Sendable, Equatable {
  /// Whole days since 1970-01-01 UTC.
  public let day: Int32
  /// The decisions on the day's events.
  public let figures: DetectionFigures
}
