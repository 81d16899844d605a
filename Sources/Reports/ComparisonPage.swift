import Files

/// A page about how two replays differ. Like ``ReplayPage`` it is one HTML document that needs
/// nothing else.
public struct ComparisonPage {
  private let comparison: JSONValue
  private let first: JSONValue
  private let second: JSONValue

  /// - Parameters:
  ///   - comparison: as `weir compare --json` writes it.
  ///   - first: the replay `a` of the comparison, as `weir replay --json` writes it.
  ///   - second: the replay `b`.
  public init(_ comparison: JSONValue, of first: JSONValue, and second: JSONValue) {
    self.comparison = comparison
    self.first = first
    self.second = second
  }

  /// The page, UTF-8.
  public var bytes: [UInt8] {
    let page = Fragments.page(
      title: "\(name(first)) and \(name(second)) – Weir comparison", header: header,
      sections: [differences, curves, time, reproduction].compactMap { $0 },
      footer: "<p>Written by Weir. Differences are b minus a.</p>")
    return Array(page.text.utf8)
  }

  private func name(_ document: JSONValue) -> String { document["pipeline"]?.text ?? "Replay" }

  // MARK: Header

  private var header: HTML {
    let notes = [("a", first), ("b", second)].flatMap { name, document in
      (document["notes"]?.elements ?? []).map { note -> HTML in
        "<p class=\"note\"><b>\(name)</b> \(JSONText.line(note))</p>"
      }
    }
    return """
      <header>
      <p class="eyebrow">Weir comparison</p>
      <h1>\(name(first)) <span class="against">against</span> \(name(second))</h1>
      <div class="pair sides">\(side("a", first, "s1"))\(side("b", second, "s2"))</div>
      \(notes)
      <p class="lead">\(summary)</p>
      </header>
      """
  }

  private func side(_ letter: String, _ document: JSONValue, _ style: String) -> HTML {
    var facts: [String] = []
    if let events = document["events"]?.double {
      facts.append("\(NumberText.count(events)) events")
    }
    if let days = JSONText.days(document) { facts.append(days) }
    if let delay = document["label_delay_ms"]?.double {
      facts.append("labels \(NumberText.duration(milliseconds: delay)) late")
    }
    let path: HTML =
      comparison[letter].map { "<p><code>\(JSONText.line($0))</code></p>" } ?? HTML()
    return """
      <div><h3>\(Fragments.key(letter, style))</h3>\(path)<p class="facts">\
      \(facts.map { fact -> HTML in "<span>\(fact)</span>" })</p></div>
      """
  }

  private var summary: HTML {
    let figures = comparison["figures"]?.elements ?? []
    let judged = figures.filter {
      JSONText.interval($0["by_day"]?["interval"]) != nil && kind($0).isBetterHigher != nil
    }
    guard !judged.isEmpty else {
      return "The replays are not of the same events: figures stand side by side, no more."
    }
    let better = judged.count { verdict($0) == .better }
    let worse = judged.count { verdict($0) == .worse }
    return """
      Of \(judged.count) figures compared day by day, <b>\(better)</b> are better in b, \
      <b>\(worse)</b> are worse, and \(judged.count - better - worse) cannot be told apart.
      """
  }

  // MARK: Differences

  private enum Verdict: String {
    case better
    case worse
    case open = ""
  }

  /// What the interval of the difference by day says: nothing unless it lies to one side of zero.
  private func verdict(_ line: JSONValue) -> Verdict {
    guard let interval = JSONText.interval(line["by_day"]?["interval"]),
      interval.lowerBound > 0 || interval.upperBound < 0,
      let isBetterHigher = kind(line).isBetterHigher
    else { return .open }
    return (interval.lowerBound > 0) == isBetterHigher ? .better : .worse
  }

  private func kind(_ line: JSONValue) -> FigureKind { .named(line["figure"]?.text ?? "") }

  private var differences: Section? {
    let figures = comparison["figures"]?.elements ?? []
    var order: [String] = []
    for name in figures.compactMap({ $0["of"]?.text }) where !order.contains(name) {
      order.append(name)
    }
    guard !order.isEmpty else { return nil }
    let tables = order.map { name -> HTML in
      let lines = figures.filter { $0["of"]?.text == name }
      return "<h3>\(name)</h3>"
        + Fragments.table(
          headings: ["Figure", "a", "b", "b − a", "Mean by day", "Its 95\u{202f}% interval", ""],
          rows: lines.map { row($0, scale: scale(for: $0, among: lines)) } + [notScored(name)],
          label: "Differences of \(name)")
    }
    return Section(
      id: "differences", title: "Differences",
      body: """
        <p class="about">The mean by day is that of the differences of single days; where its \
        interval, by resampling days, lies to one side of zero, it is coloured: \
        \(Fragments.key("b is better", "s1")) or \(Fragments.key("b is worse", "s2")). Figures \
        are of the labelled events that each has scored.</p>
        \(tables)\(leftOut)\(onlyOne)
        """)
  }

  /// Shares have one scale, what has a unit of its own one for itself.
  private func scale(for line: JSONValue, among lines: [JSONValue]) -> Scale {
    let isShare = kind(line).isShare
    let alike = isShare ? lines.filter { kind($0).isShare } : [line]
    let ends = alike.flatMap { other -> [Double] in
      let interval = JSONText.interval(other["by_day"]?["interval"])
      return [interval?.lowerBound, interval?.upperBound, other["by_day"]?["difference"]?.double]
        .compactMap { $0?.magnitude }
    }
    let reach = max(ends.max() ?? 0, 1e-12)
    return Scale(-reach, reach, from: 3, to: 137)
  }

  private func row(_ line: JSONValue, scale: Scale) -> HTML {
    let kind = kind(line)
    let verdict = verdict(line)
    func value(_ letter: String) -> HTML {
      let value = line[letter]?.double
      let interval =
        JSONText.interval(line["\(letter)_interval"]).map { Fragments.interval($0, kind) }
        ?? HTML()
      return "<td>\(Fragments.number(value, kind.format(value)))\(interval)</td>"
    }
    let largest = [line["a"], line["b"]].compactMap { $0?.double?.magnitude }.max() ?? 0
    func text(_ value: Double) -> String { NumberText.difference(value, of: largest) }
    func signed(_ value: Double?) -> HTML { Fragments.number(value, value.map(text) ?? "") }
    let interval = JSONText.interval(line["by_day"]?["interval"])
    let range: HTML =
      interval.map { "\(text($0.lowerBound)) to \(text($0.upperBound))" }
      ?? "<span class=\"none\">\(NumberText.missing)</span>"
    let style = verdict == .worse ? "s2" : verdict == .better ? "s1" : "s0"
    return Fragments.row(
      "\(kind.title)",
      [
        value("a"), value("b"), "<td>\(signed(line["difference"]?.double))</td>",
        "<td class=\"\(verdict.rawValue)\">\(signed(line["by_day"]?["difference"]?.double))</td>",
        "<td>\(range)</td>",
        "<td class=\"strip\">\(strip(line["by_day"]?["difference"]?.double, interval, scale, style))</td>",
      ])
  }

  /// How many labelled events had no score, where both documents say so.
  private func notScored(_ name: String) -> HTML {
    let counts = [first, second].map { document in
      subject(name, in: document)?["overall"]?["unscored"]?.double
    }
    guard let a = counts[0], let b = counts[1] else { return HTML() }
    let none: HTML = "<td><span class=\"none\">\(NumberText.missing)</span></td>"
    let difference = NumberText.signed(b - a, NumberText.count)
    return Fragments.row(
      "Not scored", style: "baseline",
      counts.map(Fragments.count) + ["<td>\(Fragments.number(b - a, difference))</td>"]
        + [none, none, "<td></td>"])
  }

  /// A model or `policy/model` of a document.
  private func subject(_ name: String, in document: JSONValue) -> JSONValue? {
    if let found = document["models"]?[name] { return found }
    return (document["policies"]?.members ?? []).lazy.compactMap { policy in
      name.hasPrefix("\(policy.name)/")
        ? policy.value["models"]?[String(name.dropFirst(policy.name.count + 1))] : nil
    }.first
  }

  /// The difference and its interval to the left or right of zero.
  private func strip(
    _ value: Double?, _ interval: ClosedRange<Double>?, _ scale: Scale, _ style: String
  ) -> HTML {
    guard let value else { return HTML() }
    let zero = scale(0)
    var marks: HTML = "<line class=\"track\" x1=\"1\" x2=\"139\" y1=\"8\" y2=\"8\"/>"
    marks += "<line class=\"base\" x1=\"\(zero)\" x2=\"\(zero)\" y1=\"0\" y2=\"16\"/>"
    if let interval {
      let start = scale(interval.lowerBound)
      let width = max(scale(interval.upperBound) - start, 1)
      marks += "<rect class=\"range \(style)\" x=\"\(start)\" y=\"4\" width=\"\(width)\" "
      marks += "height=\"8\" rx=\"2\"/>"
    }
    marks += "<circle class=\"dot \(style)\" cx=\"\(scale(value))\" cy=\"8\" r=\"4\"/>"
    return
      "<svg class=\"strip difference\" viewBox=\"0 0 140 16\" aria-hidden=\"true\">\(marks)</svg>"
  }

  /// Figures that are not compared, by the reason.
  private var leftOut: HTML {
    var reasons: [(why: String, name: String, figures: [String])] = []
    for line in comparison["left_out"]?.elements ?? [] {
      guard let why = line["why"]?.text, let name = line["of"]?.text else { continue }
      if let place = reasons.firstIndex(where: { $0.why == why && $0.name == name }) {
        reasons[place].figures.append(kind(line).title)
      } else {
        reasons.append((why, name, [kind(line).title]))
      }
    }
    return reasons.reduce(into: HTML()) { html, reason in
      let figures = reason.figures.joined(separator: ", ")
      html += "<p class=\"about\">Not compared, \(reason.why): \(reason.name) (\(figures)).</p>"
    }
  }

  private var onlyOne: HTML {
    [("only_a", "Only a has"), ("only_b", "Only b has")].reduce(into: HTML()) { html, entry in
      let names = (comparison[entry.0]?.elements ?? []).map(JSONText.line)
      if !names.isEmpty {
        html += "<p class=\"about\">\(entry.1) \(names.joined(separator: ", ")).</p>"
      }
    }
  }

  // MARK: Pictures

  /// Models that both have, as `a` and `b`.
  private var pairs: [(name: String, sides: [Subject])] {
    (first["models"]?.members ?? []).compactMap { member in
      second["models"]?[member.name].map { other in
        (
          member.name,
          [
            Subject(name: "a", value: member.value, style: "s1"),
            Subject(name: "b", value: other, style: "s2"),
          ]
        )
      }
    }
  }

  private var curves: Section? {
    let groups = pairs.compactMap { pair -> HTML? in
      let pictures = [
        CurvePictures.roc(pair.sides), CurvePictures.precisionRecall(pair.sides),
        CurvePictures.calibration(pair.sides),
      ].compactMap { $0 }
      guard !pictures.isEmpty else { return nil }
      return "<h3>\(pair.name)</h3><div class=\"grid\">\(pictures)</div>"
    }
    return groups.isEmpty ? nil : Section(id: "curves", title: "Curves", body: "\(groups)")
  }

  private var time: Section? {
    let spans = [first, second].compactMap(JSONText.span)
    let span = spans.first.map { one in
      spans.reduce(one) {
        min($0.lowerBound, $1.lowerBound)...max($0.upperBound, $1.upperBound)
      }
    }
    let pictures = pairs.flatMap { pair in
      [FigureKind.auroc, .averagePrecision].compactMap { kind -> HTML? in
        let series = pair.sides.map { side in
          var series = TimeChart.Series(
            side.name, side.style, kind, in: side.value, within: span)
          series.days = []
          series.published = []
          return series
        }
        let chart = TimeChart(title: kind.title, series: series, span: span)
        guard !chart.isEmpty else { return nil }
        return Fragments.figure(
          "\(kind.title), \(pair.name)", style: "time",
          Fragments.drawnTwice { chart.svg(isNarrow: $0) })
      }
    }
    return pictures.isEmpty ? nil : Section(id: "time", title: "Over time", body: "\(pictures)")
  }

  private var reproduction: Section? {
    let parts = [("a", first, "s1"), ("b", second, "s2")].map { letter, document, style -> HTML in
      let words = (document["command"]?.elements ?? []).map(JSONText.line)
      let command: HTML =
        words.isEmpty ? HTML() : "<pre><code>\(ShellText.command(words))</code></pre>"
      let items = [("Weir", "weir"), ("Fingerprint", "fingerprint"), ("Seed", "seed")]
        .compactMap { title, name -> HTML? in
          document[name].map { "<dt>\(title)</dt><dd><code>\(JSONText.line($0))</code></dd>" }
        }
      return "<h3>\(Fragments.key(letter, style))</h3>\(command)<dl>\(items)</dl>"
    }
    return Section(id: "reproduce", title: "How to reproduce", body: "\(parts)")
  }
}
