import Evaluation
import Features
import Pipeline

/// How the Fraud Detection Handbook trains and tests (chapters 5 and 6), and what it publishes.
enum BookProtocol {
  /// The test weeks.
  static let weeks = [
    "2018-08-08..2018-08-15", "2018-08-15..2018-08-22", "2018-08-22..2018-08-29",
    "2018-08-29..2018-09-05",
  ].map { TestWindow($0)! }

  /// The days of which the authors' own features are compared.
  static let compared = TestWindow("2018-07-25..2018-08-15")!

  /// The day from which on the stream with card testing differs.
  static let change = TestWindow.time("2018-08-01")!

  /// Days of the stream that are needed: its first to the end of the last test week.
  static let days =
    EventTime.day(weeks[weeks.count - 1].to) - EventTime.day(TestWindow.time("2018-04-01")!)

  /// The model whose figures are in the tables.
  static let model = "fraud"

  /// Entities a day for Card Precision.
  static let cards = 100

  /// The figures of the tables: in documents, and for people.
  static let figures: [(name: FigureName, title: String)] = [
    (.areaUnderROC, "AUROC"), (.averagePrecision, "average precision"),
    (.cardPrecision(cards), "Card Precision@\(cards)"),
  ]

  /// The book's means over the test weeks, in the order of `figures`.
  static let published: [(name: String, figures: [Double])] = [
    ("logistic regression", [0.868, 0.623, 0.297]), ("XGBoost", [0.869, 0.687, 0.303]),
    ("feed-forward network", [0.876, 0.675, 0.303]), ("balanced bagging", [0.879, 0.680, 0.305]),
  ]

  /// Labels 7 days late, and customers left out who are known as defrauded by the week before.
  static func options(policies: [LearningPolicy] = []) -> Replay.Options {
    var options = Replay.Options(labelDelay: 7 * EventTime.millisecondsPerDay)
    options.tests = weeks
    options.leaveOutKnown = "CUSTOMER_ID"
    options.knownSince = 14 * EventTime.millisecondsPerDay
    options.cardPrecision = "CUSTOMER_ID"
    options.top = [cards]
    options.policies = policies
    options.frozenAfter = .time(change)
    return options
  }
}
