/// What became of flagged events: how many, how many rightly, how many positives they caught.
///
/// Undefined quotients are nil: precision without an alert, recall without a positive.
public struct DetectionFigures: Sendable, Equatable {
  /// Events that could have been flagged.
  public let events: Int
  /// Positives among them.
  public let positives: Int
  /// Events flagged.
  public let alerts: Int
  /// Positives flagged.
  public let truePositives: Int
  /// Days (UTC) with at least one event that could have been flagged.
  public let days: Int

  /// Makes figures from counts.
  public init(events: Int, positives: Int, alerts: Int, truePositives: Int, days: Int) {
    self.events = events
    self.positives = positives
    self.alerts = alerts
    self.truePositives = truePositives
    self.days = days
  }

  /// Alerts a day; nil without a day.
  public var alertsPerDay: Double? { Self.quotient(alerts, days) }
  /// The share of positives among alerts.
  public var precision: Double? { Self.quotient(truePositives, alerts) }
  /// The share of positives that were flagged.
  public var recall: Double? { Self.quotient(truePositives, positives) }
  /// The harmonic mean of precision and recall, as 2 · TP / (alerts + positives); nil if there are
  /// neither alerts nor positives.
  public var f1: Double? { Self.quotient(2 * truePositives, alerts + positives) }

  /// The figures over the events of both; no day may occur in both.
  public static func + (one: Self, other: Self) -> Self {
    Self(
      events: one.events + other.events, positives: one.positives + other.positives,
      alerts: one.alerts + other.alerts, truePositives: one.truePositives + other.truePositives,
      days: one.days + other.days)
  }

  private static func quotient(_ part: Int, _ whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }
}
