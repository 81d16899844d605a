/// The decisions of one UTC day.
public struct DayDecisionFigures: Sendable, Equatable {
  /// Whole days since 1970-01-01 UTC.
  public let day: Int32
  /// The decisions on the day's events.
  public let figures: DetectionFigures
}

extension Array<DayDecisionFigures> {
  /// The decisions week by week, in order; a week's day is its Monday.
  public var byWeek: [DayDecisionFigures] {
    Dictionary(grouping: self) { $0.day.monday }.sorted { $0.key < $1.key }.map { monday, days in
      DayDecisionFigures(day: monday, figures: days.reduce(.none) { $0 + $1.figures })
    }
  }

  /// 95 % intervals of a figure of the decisions, by resampling days with replacement as
  /// ``FigureOptions`` say; nil without resamples, or where the figure is never defined.
  public func interval(
    of figure: (DetectionFigures) -> Double?, resamples: Int, seed: UInt64
  ) -> FigureInterval? {
    guard !isEmpty else { return nil }
    var generator = ResamplingGenerator(seed: seed)
    let values = (0..<resamples).compactMap { _ in
      figure((0..<count).reduce(.none) { sum, _ in sum + self[generator.below(count)].figures })
    }.sorted()
    guard !values.isEmpty else { return nil }
    return FigureInterval(low: values.quantile(0.025), high: values.quantile(0.975))
  }
}
