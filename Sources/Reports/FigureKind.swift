import Files

/// One of the figures of the document, and how it is shown.
struct FigureKind: Sendable {
  let title: String
  /// The members on the way to it, from an object of figures.
  let path: [String]
  var isBetterHigher = true
  /// Whether it lies between 0 and 1, 1 being best.
  var isShare = true
  var format: @Sendable (Double?) -> String = NumberText.figure

  static let auroc = FigureKind(title: "AUROC", path: ["auroc"])
  static let averagePrecision = FigureKind(
    title: "Average precision", path: ["average_precision"])
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

  /// A detection figure: `precision`, `recall` or `f1` of `at_threshold` or `at_budget`.
  static func detection(_ title: String, _ name: String, at place: String) -> FigureKind {
    FigureKind(title: title, path: [place, name])
  }

  /// The share of positives found at a false-positive rate, which is named as in the document.
  static func recall(atFalsePositiveRate rate: String) -> FigureKind {
    let share = Double(rate).map(NumberText.axisPercent) ?? rate
    return FigureKind(title: "Recall at \(share) FPR", path: ["recall_at_fpr", rate])
  }

  /// Card Precision@k, named by what figures contain; nil if they contain none.
  static func cardPrecision(in figures: [JSONValue?]) -> FigureKind? {
    guard let found = figures.lazy.compactMap({ $0?["card_precision"] }).first else { return nil }
    let k = (found["k"] ?? found.elements.first?["k"])?.integer
    return FigureKind(
      title: "Card precision" + (k.map { "@\($0)" } ?? ""), path: ["card_precision", "mean"])
  }

  /// Its value among figures.
  func value(in figures: JSONValue?) -> Double? {
    var value = figures
    for name in path { value = value?.elements.first?[name] ?? value?[name] }
    return value?.double
  }

  /// Its interval among figures.
  func interval(in figures: JSONValue?) -> ClosedRange<Double>? {
    guard let intervals = figures?["intervals"] else { return nil }
    for name in [path.joined(separator: "_"), path[0]] {
      if let interval = JSONText.interval(intervals[name]) { return interval }
    }
    return nil
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

  /// Any value as a line of text: a string without quotes.
  static func line(_ value: JSONValue) -> String {
    value.text ?? String(decoding: value.encode(pretty: false), as: UTF8.self)
  }
}
