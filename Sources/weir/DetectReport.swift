import Detection
import Evaluation
import Files
import Foundation

/// What was found in a table, for people and for scripts.
struct DetectReport {
  private let detector: Detector
  private let isStream: Bool
  private let features: TableFeatures
  private let detection: Detection
  private let labels: [Bool?]?
  /// Over the rows that have a label; nil if no labels were asked for.
  private let figures: Figures?
  private let seconds: Double
  private let peakMemory: Int?

  /// Computes the figures.
  /// - Parameter started: When reading began, on the clock of `monotonicSeconds`.
  init(
    detector: Detector, isStream: Bool, features: TableFeatures, detection: Detection,
    labels: [Bool?]?, started: Double
  ) {
    self.detector = detector
    self.isStream = isStream
    self.features = features
    self.detection = detection
    self.labels = labels
    figures = labels.map { labels in
      var evaluation = EvaluationTable(
        models: [ModelColumn(name: detector.model.rawValue, isProbability: false)])
      evaluation.reserveCapacity(labels.count)
      for (row, label) in labels.enumerated() {
        guard let label else { continue }
        // One day for all rows: the budget of a day is that of the table.
        evaluation.append(
          scores: [detection.scores[row]], decision: .none, label: label, day: 0)
      }
      return evaluation.figures(
        model: 0, budget: detector.top > 0 ? .perDay(detector.top) : nil)
    }
    seconds = monotonicSeconds() - started
    peakMemory = weir.peakMemory()
  }

  private var table: Table { features.table }

  /// The name alone: where a file lies says nothing about it.
  private var input: String { table.path.split(separator: "/").last.map(String.init) ?? table.path }

  // MARK: For people

  var text: String {
    var parts = [summary, columns]
    if let figures { parts.append(evaluation(figures)) }
    if !detection.top.isEmpty { parts.append(unusualRows) }
    return parts.joined(separator: "\n\n")
  }

  private var summary: String {
    let unscored = table.rows - detection.scored
    var lines = [
      "\(input): \(table.rows.grouped) rows, learnt from \(features.count.grouped) of "
        + "\(table.columns.count.grouped) columns",
      "\(detector.model.rawValue), seed \(detector.seed), "
        + (isStream
          ? "each row scored before it was learnt"
          : "fitted to all rows, which it then scored"),
    ]
    if unscored > 0 {
      lines.append("the first \(unscored.grouped) rows came before the first model: no score")
    }
    return lines.joined(separator: "\n")
  }

  /// Of a wide table those columns are left out of which there is nothing to be said.
  private var columns: String {
    let isWide = features.guesses.count > 40
    let shown = features.guesses.filter {
      !isWide || $0.kind != .number || $0.use != .learnt || $0.missing > 0 || !$0.reason.isEmpty
    }
    var text = TextTable([
      .left("column"), .left("values"), .right("missing"), .left("use"), .left("because"),
    ])
    for guess in shown {
      text.add([
        guess.name.isEmpty ? "(no name)" : guess.name, guess.kind.rawValue,
        guess.missing > 0 ? guess.missing.grouped : "–",
        guess.use.rawValue, guess.reason,
      ])
    }
    let others = features.guesses.count - shown.count
    return text.text
      + (others > 0 ? "\nand \(others.grouped) columns of numbers, none missing, all learnt" : "")
  }

  private func evaluation(_ figures: Figures) -> String {
    let labelled = figures.events
    var lines = [
      "AUROC \(figure(figures.areaUnderROC)), "
        + "average precision \(figure(figures.averagePrecision))"
        + (figures.atBudget.map {
          ", precision of the \($0.alerts.grouped) highest \(figure($0.precision))"
        } ?? ""),
      "over \(labelled.grouped) rows with label and score, "
        + "\(figures.positives.grouped) of them anomalies"
        + (labelled > 0
          ? String(format: " (%.3g %%)", 100 * Double(figures.positives) / Double(labelled)) : ""),
    ]
    if figures.areaUnderROC == nil {
      lines.append(
        labelled == 0
          ? "nothing to evaluate: no row has both"
          : "AUROC and average precision need rows of both classes")
    }
    let left = table.rows - labelled
    if left > 0 { lines.append("\(left.grouped) rows without label or score are left out") }
    return lines.joined(separator: "\n")
  }

  private var unusualRows: String {
    var columns: [TextTable.Column] = [.right("row"), .right("score")]
    if labels != nil { columns.append(.left("label")) }
    var text = TextTable(columns + [.left("most unusual (share of what sets it apart)")])
    for found in detection.top {
      var cells = [(found.row + 1).grouped, figure(Double(found.score))]
      if let labels { cells.append(labels[found.row].map { $0 ? "1" : "0" } ?? "–") }
      let reasons = found.reasons.prefix(3).filter { $0.share >= 0.01 }.map { reason -> String in
        let (value, typical) = Self.short(reason.value, reason.typical)
        return "\(table.columns[reason.column].name) \(value)"
          + (value == typical ? "" : ", usually \(typical)")
          + " (\(Int((100 * reason.share).rounded())) %)"
      }
      text.add(cells + [reasons.joined(separator: "; ")])
    }
    return text.text
  }

  /// Both with as few digits as tell them apart, four or more.
  private static func short(_ value: JSONValue, _ typical: JSONValue) -> (String, String) {
    for digits in [4, 6, 9, 12] {
      let texts = (short(value, digits: digits), short(typical, digits: digits))
      if texts.0 != texts.1 || value.double == typical.double { return texts }
    }
    return (short(value, digits: 17), short(typical, digits: 17))
  }

  private static func short(_ value: JSONValue, digits: Int) -> String {
    switch value {
    case .number(let number): String(format: "%.\(digits)g", number)
    case .string(let text): text.count > 40 ? text.prefix(40) + "…" : text
    case .null: "missing"
    default: String(decoding: value.encode(pretty: false), as: UTF8.self)
    }
  }

  // MARK: For scripts

  var json: JSONValue {
    var settings: [(String, JSONValue)] = []
    switch detector.model {
    case .isolationForest: settings.append(("trees", JSONValue(detector.forest.trees)))
    case .kMeans: settings.append(("clusters", JSONValue(detector.clusters.clusters)))
    }
    return .object(
      [
        ("weir", .string(Weir.configuration.version)), ("input", .string(input)),
        ("model", .string(detector.model.rawValue)),
      ] + settings + [
        ("stream", .bool(isStream)), ("seed", JSONValue(detector.seed)),
        ("rows", JSONValue(table.rows)), ("scored", JSONValue(detection.scored)),
        ("columns", .array(features.guesses.map(json))),
        ("figures", figures.map(json) ?? .null),
        ("top", .array(detection.top.map(json))),
        ("seconds", JSONValue(seconds)),
        ("rows_per_second", JSONValue(Double(table.rows) / max(seconds, 1e-9))),
        ("peak_memory_bytes", JSONValue(peakMemory)),
      ])
  }

  private func json(_ guess: ColumnGuess) -> JSONValue {
    return .object([
      ("name", .string(guess.name)), ("values", .string(guess.kind.rawValue)),
      ("missing", JSONValue(guess.missing)), ("use", .string(guess.use.rawValue)),
      ("reason", .string(guess.reason)),
    ])
  }

  private func json(_ figures: Figures) -> JSONValue {
    .object([
      ("events", JSONValue(figures.events)), ("unscored", JSONValue(figures.unscored)),
      ("positives", JSONValue(figures.positives)), ("auroc", JSONValue(figures.areaUnderROC)),
      ("average_precision", JSONValue(figures.averagePrecision)),
      (
        "at_top",
        figures.atBudget.map {
          .object([
            ("rows", JSONValue($0.alerts)), ("precision", JSONValue($0.precision)),
            ("recall", JSONValue($0.recall)),
          ])
        } ?? .null
      ),
    ])
  }

  private func json(_ found: UnusualRow) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("row", JSONValue(found.row + 1)), ("score", JSONValue(Double(found.score.description))),
    ]
    if let labels {
      members.append(("label", labels[found.row].map { .integer($0 ? 1 : 0) } ?? .null))
    }
    members.append(
      (
        "reasons",
        .array(
          found.reasons.filter { $0.contribution > 0 }.map {
            .object([
              ("column", .string(table.columns[$0.column].name)),
              ("contribution", JSONValue($0.contribution)), ("share", JSONValue($0.share)),
              ("value", $0.value), ("typical", $0.typical),
            ])
          })
      ))
    return .object(members)
  }
}
