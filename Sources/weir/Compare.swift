import ArgumentParser
import Evaluation
import Files
import Foundation
import Reports

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says how two replays differ.",
    discussion: """
      Takes two documents of 'weir replay --json'. Differences are the second minus the first. \
      Where both are of the same events, figures are also compared day by day; the interval comes \
      from resampling days.
      """)

  @Argument(help: ArgumentHelp("Of the first replay.", valueName: "a.json"))
  var first: String
  @Argument(help: ArgumentHelp("Of the second replay.", valueName: "b.json"))
  var second: String
  @Option(help: ArgumentHelp("Resamples of days for intervals; 0: none.", valueName: "count"))
  var resamples = 1_000
  @Option(help: ArgumentHelp("Of the resampling.", valueName: "number"))
  var seed: UInt64 = 0
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var page: ReportOption

  func validate() throws {
    guard (0...100_000).contains(resamples) else {
      throw ValidationError("--resamples must be a whole number from 0 to 100000")
    }
  }

  func run() throws {
    let (a, b) = (try ReplayDocument(path: first), try ReplayDocument(path: second))
    let pageFile = try page.open()
    let comparison = ReplayComparison(a, b, resamples: resamples, seed: seed)
    if let pageFile {
      try pageFile.write(ComparisonPage(comparison.json, of: a.document, and: b.document).bytes)
      try pageFile.close()
    }
    if json {
      printBytes(comparison.json.encode(pretty: true) + [0x0a])
    } else {
      printLine(comparison.text)
    }
  }
}

/// A document of `weir replay --json`, as far as comparing needs it.
struct ReplayDocument {
  /// One number of the figures.
  static let figures = [
    "auroc", "average_precision", "log_loss", "brier", "accuracy", "calibration_error",
    "at_threshold_precision", "at_threshold_recall", "at_threshold_f1", "at_budget_precision",
    "at_budget_recall", "at_budget_f1", "recall_at_fpr_0.001", "recall_at_fpr_0.01",
    "recall_at_fpr_0.05", "card_precision", "cost",
    // Of the decision alone.
    "precision", "recall", "f1", "alerts_per_day",
  ]

  let path: String
  let document: JSONValue

  init(path: String) throws {
    self.path = path
    let bytes = try WholeFile.read(path, limit: 1 << 30)
    do throws(JSONSyntaxError) { document = try JSONValue(parsing: bytes) } catch {
      throw FileError(path: path, reason: error.description)
    }
    guard document["models"]?.members.isEmpty == false else {
      throw FileError(path: path, reason: "is no document of 'weir replay --json'")
    }
  }

  /// Whether the other one is of the same events, as far as can be seen.
  func hasSameEvents(as other: Self) -> Bool {
    ["events", "labelled"].allSatisfy {
      document[$0]?.integer != nil && document[$0]?.integer == other.document[$0]?.integer
    }
      && ["first_time", "last_time"].allSatisfy {
        document[$0]?.text == other.document[$0]?.text
      }
  }

  /// Figures by whose they are: models, the decision, `test windows/model`, `policy/model`. Baselines
  /// are left out: what they come to follows from events and labels, not from what is compared.
  var subjects: [(name: String, figures: Subject)] {
    var subjects: [(name: String, figures: Subject)] = []
    func add(_ object: JSONValue?, _ prefix: String = "") {
      for (name, value) in object?.members ?? [] {
        subjects.append((prefix + name, Subject(value)))
      }
    }
    add(document["models"])
    if let decision = document["decision"] { subjects.append(("decision", Subject(decision))) }
    for (name, value) in document["tests_summary"]?.members ?? []
    where document["models"]?[name] != nil {
      subjects.append(("test windows/" + name, Subject(means: value)))
    }
    for (name, value) in document["policies"]?.members ?? [] where name != "online" {
      add(value["models"], name + "/")
    }
    return subjects
  }

  /// What of two documents keeps a figure of a subject from being compared; nil: nothing.
  func objection(to figure: String, of subject: String, against other: Self) -> String? {
    func differs(_ path: String...) -> Bool {
      func value(_ document: JSONValue) -> [UInt8]? {
        path.reduce(Optional(document)) { $0?[$1] }?.encode(pretty: false)
      }
      return value(document) != value(other.document)
    }
    if figure.hasPrefix("at_budget") || subject == "decision", differs("decision", "budget") {
      return "the budgets differ"
    }
    if subject.hasPrefix("test windows/"), windows != other.windows {
      return "the test windows differ"
    }
    return nil
  }

  /// The test windows, by their ends.
  private var windows: [[String?]] {
    (document["tests"]?.elements ?? []).map { [$0["from"]?.text, $0["to"]?.text] }
  }

  /// The figures of a model or baseline.
  struct Subject {
    private let members: JSONValue

    fileprivate init(_ members: JSONValue) { self.members = members }

    /// The means of a summary of test windows in the place of figures over all events.
    fileprivate init(means: JSONValue) {
      var overall: [(String, JSONValue)] = []
      for (name, value) in means.members {
        if let mean = value["mean"] { overall.append((name, mean)) }
      }
      members = JSONValue.object([("overall", JSONValue.object(overall))])
    }

    /// Events that were not scored; figures of others than are beside it are of other events.
    var unscored: Int? { members["overall"]?["unscored"]?.integer.map { Int($0) } }

    func overall(_ name: String) -> Double? { Self.value(name, members["overall"]) }

    /// Whom Card Precision is about, and how many a day.
    var cards: [String?] {
      let cards = members["overall"]?["card_precision"]
      return [cards?["entity"]?.text, cards?["k"]?.integer.map(String.init)]
    }

    func interval(_ name: String) -> [Double]? {
      let ends = members["overall"]?["intervals"]?[name]?.elements.compactMap(\.double)
      return ends?.count == 2 ? ends : nil
    }

    func byDay(_ name: String) -> [String: Double] {
      Dictionary(
        (members["by_day"]?.elements ?? []).compactMap { day in
          guard let text = day["day"]?.text, let value = Self.value(name, day["figures"])
          else { return nil }
          return (text, value)
        }, uniquingKeysWith: { first, _ in first })
    }

    private static func value(_ name: String, _ figures: JSONValue?) -> Double? {
      // As a summary of test windows has it.
      if let value = figures?[name]?.double { return value }
      for group in ["at_threshold", "at_budget", "recall_at_fpr"] where name.hasPrefix(group + "_")
      {
        return figures?[group]?[String(name.dropFirst(group.count + 1))]?.double
      }
      return name == "card_precision" ? figures?[name]?["mean"]?.double : nil
    }
  }
}

/// How the figures of two replays differ.
struct ReplayComparison {
  private struct Line {
    let subject: String
    let figure: String
    let values: (Double, Double)
    let intervals: ([Double]?, [Double]?)
    let paired: PairedDays?
  }

  private let paths: (String, String)
  private let hasSameEvents: Bool
  private var lines: [Line] = []
  /// Figures that one has, or both, and that are not compared.
  private var leftOut: [(subject: String, figure: String, why: String)] = []
  /// Subjects of which the two have scored different numbers of events.
  private var unscored: [(subject: String, counts: (Int, Int))] = []
  /// What only one of the two has.
  private let onlyFirst: [String]
  private let onlySecond: [String]

  init(_ first: ReplayDocument, _ second: ReplayDocument, resamples: Int, seed: UInt64) {
    paths = (first.path, second.path)
    hasSameEvents = first.hasSameEvents(as: second)
    let subjects = first.subjects
    let others = Dictionary(
      second.subjects.map { ($0.name, $0.figures) }, uniquingKeysWith: { first, _ in first })
    for (name, one) in subjects {
      guard let other = others[name] else { continue }
      if let a = one.unscored, let b = other.unscored, a != b { unscored.append((name, (a, b))) }
      for figure in ReplayDocument.figures {
        let values = (one.overall(figure), other.overall(figure))
        if values.0 == nil, values.1 == nil { continue }
        let objection =
          figure == "card_precision" && one.cards != other.cards
          ? "entity or k differ" : first.objection(to: figure, of: name, against: second)
        guard let value = values.0, let otherValue = values.1, objection == nil else {
          leftOut.append(
            (name, figure, objection ?? (values.0 == nil ? "undefined in a" : "undefined in b")))
          continue
        }
        let paired =
          hasSameEvents
          ? PairedDays(
            one.byDay(figure), other.byDay(figure), resamples: resamples, seed: seed) : nil
        lines.append(
          Line(
            subject: name, figure: figure, values: (value, otherValue),
            intervals: (one.interval(figure), other.interval(figure)), paired: paired))
      }
    }
    let names = subjects.map(\.name)
    onlyFirst = names.filter { others[$0] == nil }
    onlySecond = second.subjects.map(\.name).filter { !names.contains($0) }
  }

  var json: JSONValue {
    func numbers(_ values: [Double]?) -> JSONValue {
      values.map { .array($0.map { JSONValue($0) }) } ?? .null
    }
    return .object([
      ("a", .string(paths.0)), ("b", .string(paths.1)), ("same_events", .bool(hasSameEvents)),
      (
        "figures",
        .array(
          lines.map { line in
            .object([
              ("of", .string(line.subject)), ("figure", .string(line.figure)),
              ("a", JSONValue(line.values.0)), ("b", JSONValue(line.values.1)),
              ("difference", JSONValue(line.values.1 - line.values.0)),
              ("a_interval", numbers(line.intervals.0)),
              ("b_interval", numbers(line.intervals.1)),
              (
                "by_day",
                line.paired.map {
                  .object([
                    ("days", JSONValue($0.days)), ("difference", JSONValue($0.difference)),
                    ("interval", numbers($0.interval.map { [$0.low, $0.high] })),
                  ])
                } ?? .null
              ),
            ])
          })
      ),
      (
        "left_out",
        .array(
          leftOut.map {
            .object([
              ("of", .string($0.subject)), ("figure", .string($0.figure)), ("why", .string($0.why)),
            ])
          })
      ),
      ("only_a", .array(onlyFirst.map { .string($0) })),
      ("only_b", .array(onlySecond.map { .string($0) })),
    ])
  }

  var text: String {
    var table = TextTable([
      .left("of"), .left("figure"), .right("a"), .right("b"), .right("b − a"),
      .right("mean by day"), .left("95 % interval"),
    ])
    for line in lines {
      let paired = line.paired
      let interval = paired?.interval.map {
        "\(signed($0.low)) to \(signed($0.high))" + ($0.low > 0 || $0.high < 0 ? " *" : "")
      }
      table.add([
        line.subject, line.figure, figure(line.values.0), figure(line.values.1),
        signed(line.values.1 - line.values.0), paired.map { signed($0.difference) } ?? "–",
        interval ?? "–",
      ])
    }
    var parts = ["a: \(paths.0)\nb: \(paths.1)", table.text]
    if hasSameEvents {
      parts.append("* the interval of the mean difference by day does not hold 0")
    } else {
      parts.append("The replays are of different events: figures are not compared day by day.")
    }
    for (subject, counts) in unscored {
      parts.append(
        "\(subject): \(counts.0.grouped) events not scored in a, \(counts.1.grouped) in b; "
          + "its figures are of the others")
    }
    if !leftOut.isEmpty {
      let reasons = Dictionary(grouping: leftOut, by: \.why).sorted { $0.key < $1.key }
      parts += reasons.map { why, figures in
        "not compared, \(why): "
          + figures.map { "\($0.subject) \($0.figure)" }.joined(separator: ", ")
      }
    }
    if !onlyFirst.isEmpty { parts.append("only in a: " + onlyFirst.joined(separator: ", ")) }
    if !onlySecond.isEmpty { parts.append("only in b: " + onlySecond.joined(separator: ", ")) }
    return parts.joined(separator: "\n\n")
  }

  private func signed(_ value: Double) -> String { String(format: "%+.4f", value) }
}
