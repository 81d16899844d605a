import Files

extension ReplayPage {
  /// The test windows, each figure's mean with its spread and where the single windows lie.
  var testWindows: Section? {
    let tests = document["tests"]?.elements ?? []
    guard let summary = document["tests_summary"], !tests.isEmpty else { return nil }
    let groups = summaryGroups(summary)
    let given = Set(groups.flatMap { $0.rows.flatMap { $0.value.members.map(\.name) } })
    let cards = FigureKind.cardPrecision
    let kinds =
      [
        .auroc, .averagePrecision,
        FigureKind.cardPrecision(in: models.map { $0.value["overall"] }) ?? cards,
      ] + given.filter { $0.hasPrefix("\(cards.key)_") }.sorted().map(FigureKind.named)
      + [.logLoss, .brier]
    guard kinds.contains(where: { given.contains($0.key) }) else { return nil }
    let tables = groups.map { group -> HTML in
      let kinds = kinds.filter { kind in group.rows.contains { $0.value[kind.key] != nil } }
      let scales = kinds.map { scale(of: $0.key, in: group) }
      let rows = group.rows.map { row -> HTML in
        let cells = zip(kinds, scales).map { kind, scale in
          summaryCell(row.value[kind.key], scale, row.style, kind.format)
        }
        return Fragments.row(Fragments.key(row.name, row.style), cells)
      }
      let heading: HTML = groups.count > 1 ? "<h3>\(group.title)</h3>" : HTML()
      return heading
        + Fragments.table(
          headings: ["\(group.heading)"] + kinds.map { "\($0.title)" }, rows: rows,
          label: "Test windows: \(group.title)")
    }
    let about: HTML =
      tests.count == 1
      ? "Over one window."
      : """
      Mean over \(tests.count) windows ± the standard deviation between them. Each dot is one \
      window, the line their mean.
      """
    return Section(
      id: "tests", title: "Test windows",
      body: """
        <p class="about">\(about)</p>
        \(tables)
        \(windows(tests))
        """)
  }

  private struct SummaryGroup {
    let title: String
    let heading: String
    var rows: [(name: String, value: JSONValue, style: String)]
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
    return Scale(low, high, from: 4, to: 92)
  }

  /// A mean; where there are several windows, how they spread.
  private func summaryCell(
    _ value: JSONValue?, _ scale: Scale, _ style: String, _ format: @Sendable (Double?) -> String
  ) -> HTML {
    guard let mean = value?["mean"]?.double else {
      return "<td><span class=\"none\">\(NumberText.missing)</span></td>"
    }
    let windows = (value?["values"]?.elements ?? []).compactMap(\.double)
    guard windows.count > 1 else { return "<td>\(Fragments.number(mean, format(mean)))</td>" }
    let x = scale(mean)
    var strip: HTML = "<line class=\"track\" x1=\"1\" x2=\"95\" y1=\"8\" y2=\"8\"/>"
    strip += "<line class=\"mark \(style)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"1\" y2=\"15\"/>"
    for window in windows {
      strip += "<circle class=\"window \(style)\" cx=\"\(scale(window))\" cy=\"8\" r=\"3\"/>"
    }
    let spread: HTML =
      value?["spread"]?.double.map { "<small class=\"spread\">± \(format($0))</small>" } ?? HTML()
    return """
      <td>\(Fragments.number(mean, format(mean))) \(spread)\
      <svg class="strip" viewBox="0 0 96 16" aria-hidden="true">\(strip)</svg></td>
      """
  }

  /// Which times the windows are, and what was left out of them.
  private func windows(_ tests: [JSONValue]) -> HTML {
    let kinds = [
      FigureKind.auroc, .averagePrecision,
      FigureKind.cardPrecision(in: tests.flatMap { $0["models"]?.members.map(\.value) ?? [] }),
    ].compactMap { $0 }
    guard let leading else { return HTML() }
    let rows = tests.map { test -> HTML in
      let figures = test["models"]?[leading.name]
      let (from, end) = (test["from"]?.text ?? "", test["to"]?.text ?? "")
      return Fragments.row(
        "\(CalendarDay.range(from, before: end) ?? "\(from) – \(end)")",
        [
          Fragments.count(figures?["events"]?.double),
          Fragments.count(figures?["positives"]?.double),
          Fragments.count(test["left_out_known"]?.double),
        ] + kinds.map { Fragments.cell($0, in: figures) })
    }
    return "<h3>Window by window, \(leading.name)</h3>"
      + Fragments.table(
        headings: ["Window", "Events", "Positives", "Left out as known"]
          + kinds.map { "\($0.title)" }, rows: rows, label: "Test windows one by one")
  }
}
