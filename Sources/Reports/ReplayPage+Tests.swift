import Files

extension ReplayPage {
  /// The test windows, each figure's mean with its spread and where the single windows lie.
  var testWindows: Section? {
    let tests = document["tests"]?.elements ?? []
    guard let summary = document["tests_summary"], !tests.isEmpty else { return nil }
    let groups = summaryGroups(summary)
    let given = Set(groups.flatMap { $0.rows.flatMap { $0.value.members.map(\.name) } })
    let names =
      Self.testFigures.map(\.key).filter(given.contains)
      + given.filter { $0.hasPrefix("card_precision_") }.sorted()
    guard !names.isEmpty else { return nil }
    let tables = groups.map { group -> HTML in
      let names = names.filter { name in group.rows.contains { $0.value[name] != nil } }
      let scales = names.map { scale(of: $0, in: group) }
      let rows = group.rows.map { row -> HTML in
        let cells = zip(names, scales).map {
          summaryCell(row.value[$0], $1, row.style, Self.format($0))
        }
        return Fragments.row(Fragments.key(row.name, row.style), cells)
      }
      let heading: HTML = groups.count > 1 ? "<h3>\(group.title)</h3>" : HTML()
      return heading
        + Fragments.table(
          headings: ["\(group.heading)"] + names.map { "\(testTitle($0))" }, rows: rows,
          label: "Test windows: \(group.title)")
    }
    return Section(
      id: "tests", title: "Test windows",
      body: """
        <p class="about">Mean over \(tests.count) windows ± its standard deviation between them. \
        Each dot is one window, the line their mean.</p>
        \(tables)
        \(windows(tests))
        """)
  }

  private struct SummaryGroup {
    let title: String
    let heading: String
    var rows: [(name: String, value: JSONValue, style: String)]
  }

  /// The figures shown, in their order.
  private static let testFigures = [
    (key: "auroc", title: "AUROC"), (key: "average_precision", title: "Average precision"),
    (key: "card_precision", title: "Card precision"), (key: "log_loss", title: "Log loss"),
    (key: "brier", title: "Brier score"),
  ]

  private func testTitle(_ key: String) -> String {
    if key == "card_precision",
      let kind = FigureKind.cardPrecision(in: models.map { $0.value["overall"] })
    {
      return kind.title
    }
    let cardPrecision = "card_precision_"
    if key.hasPrefix(cardPrecision) {
      return "Card precision@\(key.dropFirst(cardPrecision.count))"
    }
    return Self.testFigures.first { $0.key == key }?.title ?? key
  }

  private func summaryGroups(_ summary: JSONValue) -> [SummaryGroup] {
    var own = SummaryGroup(title: "Models", heading: "Model", rows: [])
    for member in summary.members where !["policies", "baselines"].contains(member.name) {
      let style = models.first { $0.name == member.name }?.style ?? "s0"
      own.rows.append((member.name, member.value, style))
    }
    for member in summary["baselines"]?.members ?? [] {
      own.rows.append((member.name, member.value, "s0"))
    }
    var groups = [own]
    for model in models {
      let rows = policies.compactMap { policy in
        summary["policies"]?[policy.name]?[model.name].map { (policy.name, $0, policy.style) }
      }
      if rows.count > 1 {
        groups.append(
          SummaryGroup(title: "Policies, \(model.name)", heading: "Policy", rows: rows))
      }
    }
    return groups.filter { !$0.rows.isEmpty }
  }

  /// One scale for a figure's dots in all rows of a table, so that they compare.
  private func scale(of key: String, in group: SummaryGroup) -> Scale {
    let values = group.rows.flatMap { row in
      (row.value[key]?["values"]?.elements ?? []).compactMap(\.double)
        + [row.value[key]?["mean"]?.double].compactMap { $0 }
    }
    let low = values.min() ?? 0
    let high = values.max() ?? 1
    return Scale(low, high, from: 5, to: 135)
  }

  private static func format(_ key: String) -> @Sendable (Double?) -> String {
    let kind = [FigureKind.logLoss, .brier].first { $0.path == [key] }
    return (kind ?? .auroc).format
  }

  private func summaryCell(
    _ value: JSONValue?, _ scale: Scale, _ style: String, _ format: @Sendable (Double?) -> String
  ) -> HTML {
    guard let mean = value?["mean"]?.double else {
      return "<td><span class=\"none\">\(NumberText.missing)</span></td>"
    }
    let x = scale(mean)
    var strip: HTML = "<line class=\"track\" x1=\"1\" x2=\"139\" y1=\"8\" y2=\"8\"/>"
    strip += "<line class=\"mark \(style)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"1\" y2=\"15\"/>"
    for window in value?["values"]?.elements ?? [] {
      guard let window = window.double else { continue }
      strip += "<circle class=\"window \(style)\" cx=\"\(scale(window))\" cy=\"8\" r=\"3\"/>"
    }
    let spread: HTML =
      value?["spread"]?.double.map { "<span class=\"spread\"> ± \(format($0))</span>" }
      ?? HTML()
    return """
      <td>\(Fragments.number(mean, format(mean)))\(spread)\
      <svg class="strip" viewBox="0 0 140 16" aria-hidden="true">\(strip)</svg></td>
      """
  }

  /// Which days the windows are, and what was left out of them.
  private func windows(_ tests: [JSONValue]) -> HTML {
    let kinds = [
      FigureKind.auroc, .averagePrecision,
      FigureKind.cardPrecision(in: tests.flatMap { $0["models"]?.members.map(\.value) ?? [] }),
    ].compactMap { $0 }
    guard let leading else { return HTML() }
    let rows = tests.map { test -> HTML in
      let figures = test["models"]?[leading.name]
      var name = test["from"]?.text ?? ""
      if let from = CalendarDay(test["from"]?.text), let end = CalendarDay(test["to"]?.text) {
        name = CalendarDay.range(from, before: end)
      }
      return Fragments.row(
        "\(name)",
        [
          Fragments.count(figures?["events"]?.double),
          Fragments.count(figures?["positives"]?.double),
          Fragments.count(test["left_out_known"]?.double),
        ] + kinds.map { Fragments.cell($0, in: figures) })
    }
    return "<h3>Window by window, \(leading.name)</h3>"
      + Fragments.table(
        headings: ["Days", "Events", "Positives", "Left out as known"]
          + kinds.map { "\($0.title)" }, rows: rows, label: "Test windows one by one")
  }
}
