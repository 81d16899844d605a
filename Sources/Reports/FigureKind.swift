import Files

/// One of the figures of the document, and how it is shown.
struct FigureKind: Sendable {
  let title: String
  /// The members on the way to it, from an object of figures.
  let path: [String]
  /// Nil if neither more nor less of it is better.
  var isBetterHigher: Bool? = true
  /// Whether it lies between 0 and 1, 1 being best.
  var isShare = true
  var format: @Sendable (Double?) -> String = NumberText.figure

  /// The name in intervals, in summaries of test windows and in comparisons.
  var key: String { path.filter { $0 != "mean" }.joined(separator: "_") }

  static let auroc = FigureKind(title: "AUROC", path: ["auroc"])
  static let averagePrecision = FigureKind(
    title: "Average precision", path: ["average_precision"])
  /// Card Precision at the first k of a document.
  static let cardPrecision = FigureKind(title: "Card precision", path: ["card_precision", "mean"])
  static let logLoss = FigureKind(
    title: "Log loss", path: ["log_loss"], isBetterHigher: false, isShare: false,
    format: NumberText.small)
  static let brier = FigureKind(
    title: "Brier score", path: ["brier"], isBetterHigher: false, isShare: false,
    format: NumberText.small)
  static let calibrationError = FigureKind(
    title: "Calibration error", path: ["calibration_error"], isBetterHigher: false, isShare: false,
    format: NumberText.small)
  static let cost = FigureKind(
    title: "Cost", path: ["cost"], isBetterHigher: false, isShare: false, format: NumberText.count)

  /// How well probabilities hold.
  static let probability = [logLoss, brier, calibrationError]
  /// What remains when somebody has to look at the alerts.
  static let detection = [
    FigureKind(title: "Precision at budget", path: ["at_budget", "precision"]),
    FigureKind(title: "Recall at budget", path: ["at_budget", "recall"]),
    FigureKind(title: "Precision at threshold", path: ["at_threshold", "precision"]),
    FigureKind(title: "Recall at threshold", path: ["at_threshold", "recall"]),
    FigureKind(title: "F1 at threshold", path: ["at_threshold", "f1"]),
  ]
  /// Of the decision.
  static let decision = [
    FigureKind(title: "Precision", path: ["precision"]),
    FigureKind(title: "Recall", path: ["recall"]), FigureKind(title: "F1", path: ["f1"]),
  ]
  /// All that have a name of their own, by their keys.
  private static let all: [String: FigureKind] = {
    let kinds =
      [auroc, averagePrecision, cardPrecision] + probability
      + [FigureKind(title: "Accuracy", path: ["accuracy"])] + detection
      + [FigureKind(title: "F1 at budget", path: ["at_budget", "f1"])] + decision
      + [
        FigureKind(
          title: "Alerts a day", path: ["alerts_per_day"], isBetterHigher: nil, isShare: false,
          format: NumberText.count),
        cost,
      ]
    return Dictionary(uniqueKeysWithValues: kinds.map { ($0.key, $0) })
  }()

  /// The share of positives found at a false-positive rate, which is named as in the document.
  static func recall(atFalsePositiveRate rate: String) -> FigureKind {
    let share = Double(rate).map(NumberText.axisPercent) ?? rate
    return FigureKind(title: "Recall at \(share) FPR", path: ["recall_at_fpr", rate])
  }

  /// Card Precision@k, named by what figures contain; nil if they contain none.
  static func cardPrecision(in figures: [JSONValue?]) -> FigureKind? {
    guard let found = figures.lazy.compactMap({ $0?["card_precision"] }).first else { return nil }
    let k = found["k"]?.integer
    return FigureKind(
      title: cardPrecision.title + (k.map { "@\($0)" } ?? ""), path: cardPrecision.path)
  }

  /// A figure by its key, under the key itself if it has no other name.
  static func named(_ key: String) -> FigureKind {
    if let kind = all[key] { return kind }
    let (cards, rates) = ("\(cardPrecision.key)_", "recall_at_fpr_")
    if key.hasPrefix(rates) {
      return recall(atFalsePositiveRate: String(key.dropFirst(rates.count)))
    }
    return key.hasPrefix(cards)
      ? FigureKind(title: "\(cardPrecision.title)@\(key.dropFirst(cards.count))", path: [key])
      : FigureKind(title: key, path: [key])
  }

  /// Its value among figures.
  func value(in figures: JSONValue?) -> Double? {
    var value = figures
    for name in path { value = value?[name] }
    return value?.double
  }

  /// Its interval among figures.
  func interval(in figures: JSONValue?) -> ClosedRange<Double>? {
    JSONText.interval(figures?["intervals"]?[key])
  }
}

/// Values out of a document.
enum JSONText {
  /// Two numbers, the lower first.
  static func interval(_ value: JSONValue?) -> ClosedRange<Double>? {
    guard let ends = value?.elements, ends.count == 2, let low = ends[0].double,
      let high = ends[1].double, low <= high
    else { return nil }
    return low...high
  }

  /// The days from a replay's first to its last event, in whole days since 1970-01-01.
  static func span(_ document: JSONValue) -> ClosedRange<Double>? {
    guard let first = CalendarDay(document["first_time"]?.text),
      let last = CalendarDay(document["last_time"]?.text), first.number <= last.number
    else { return nil }
    return Double(first.number)...Double(last.number + 1)
  }

  /// The same days as text.
  static func days(_ document: JSONValue) -> String? {
    span(document).map {
      CalendarDay.range(
        CalendarDay(number: Int($0.lowerBound)), before: CalendarDay(number: Int($0.upperBound)))
    }
  }

  /// Any value as a line of text: a string without quotes.
  static func line(_ value: JSONValue) -> String {
    value.text ?? String(decoding: value.encode(pretty: false), as: UTF8.self)
  }
}
