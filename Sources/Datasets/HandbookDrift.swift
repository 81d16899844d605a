/// What changes in the middle of a ``HandbookSimulator``'s stream: variants of this project, not
/// the book's.
public enum HandbookDrift: String, CaseIterable, Sendable {
  /// The book's stream.
  case none
  /// A fourth fraud scenario sets in after four months: stolen cards are tried out by small
  /// payments.
  ///
  /// On each day from day 122 (2018-08-01, the first day is 0) to the last, six customers are
  /// drawn. Each of their transactions on that day and the six days after it is hit with
  /// probability 1/2, unless it is fraudulent already: its amount becomes a tenth, rounded to
  /// 2 places, and it is a fraud of scenario 4. All else is as without drift, since the draws are
  /// from a generator of their own.
  case cardTesting = "card-testing"

  /// The first day that differs, counted from 0.
  static let firstDay = 122
  /// How many customers are drawn each day.
  static let customersDrawn = 6
  /// For how many days a customer is hit, the day of the draw being the first.
  static let daysHit = 7
}
