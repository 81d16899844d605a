/// The figures of one UTC day.
public struct DayFigures: Sendable, Equatable {
  /// Whole days since 1970-01-01 UTC.
  public let day: Int32
  /// The model's figures over the day's events.
  public let figures: Figures
}
