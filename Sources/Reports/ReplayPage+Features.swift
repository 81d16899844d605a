import Files

extension ReplayPage {
  /// The features and how far each has drifted, the furthest first.
  var features: Section? {
    let features = document["features"]?.elements ?? []
    guard !features.isEmpty else { return nil }
    let weeks =
      features.lazy.map { ($0["drift"]?.elements ?? []).compactMap { $0["week"]?.text } }
      .max { $0.count < $1.count } ?? []
    let indexed = features.map { feature in
      let drift = (feature["drift"]?.elements ?? []).map { $0["index"]?.double }
      return (feature: feature, drift: drift, largest: drift.compactMap { $0 }.max())
    }.sorted { ($0.largest ?? -1) > ($1.largest ?? -1) }
    let rows = indexed.map { item -> HTML in
      var cells: [HTML] = []
      if !weeks.isEmpty {
        let text = item.largest.map { NumberText.fixed($0, 2) } ?? ""
        let style = (item.largest ?? 0) >= 0.25 ? "best" : ""
        cells.append("<td class=\"strip\">\(strip(item.drift, weeks))</td>")
        cells.append("<td class=\"\(style)\">\(Fragments.number(item.largest, text))</td>")
      }
      for name in ["mean", "deviation"] {
        let value = item.feature[name]?.double
        cells.append("<td>\(Fragments.number(value, NumberText.small(value)))</td>")
      }
      return Fragments.row("\(item.feature["name"].map(JSONText.line) ?? "")", cells)
    }
    var headings: [HTML] = ["Feature"]
    if let first = weeks.first, let last = weeks.last {
      headings += ["Drift by week, \(first) – \(last)", "Most drift"]
    }
    headings += ["Mean", "Deviation"]
    let about: HTML =
      weeks.isEmpty
      ? HTML()
      : """
      <p class="about">Drift is the population stability index of each week against the first \
      four: below 0.1 a feature is as it was, \
      <svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><rect class="drift1" width="12" \
      height="12"/></svg> up to 0.25 it has moved, \
      <svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><rect class="drift2" width="12" \
      height="12"/></svg> beyond it is another.</p>
      """
    return Section(
      id: "features", title: "Features",
      body: about + Fragments.table(headings: headings, rows: rows, label: "Features and drift"))
  }

  /// A cell a week.
  private func strip(_ drift: [Double?], _ weeks: [String]) -> HTML {
    let width = 9.0
    let cells = drift.enumerated().map { week, index -> HTML in
      let style = index.map { $0 >= 0.25 ? "drift2" : $0 >= 0.1 ? "drift1" : "drift0" } ?? "drift"
      let shown = index.map { NumberText.fixed($0, 3) } ?? NumberText.missing
      return """
        <rect class="\(style)" x="\(Double(week) * width)" width="\(width - 1)" height="16">\
        <title>\(week < weeks.count ? weeks[week] : "") \(shown)</title></rect>
        """
    }
    let total = max(Double(drift.count) * width - 1, 1)
    return """
      <svg viewBox="0 0 \(total) 16" width="\(total)" height="16" role="img" \
      aria-label="Drift by week">\(cells)</svg>
      """
  }

  /// What the alerts were raised for.
  var reasons: Section? {
    let reasons = document["reasons"]?.elements ?? []
    var order: [String] = []
    for name in reasons.compactMap({ $0["model"]?.text }) where !order.contains(name) {
      order.append(name)
    }
    let tables = order.map { name -> HTML in
      let style = models.first { $0.name == name }?.style ?? "s1"
      let own = reasons.filter { $0["model"]?.text == name }
      let largest = own.compactMap { $0["share"]?.double }.max() ?? 1
      let rows = own.map { reason -> HTML in
        let share = reason["share"]?.double
        let width = 200 * (share ?? 0) / max(largest, 1e-9)
        return Fragments.row(
          "\(reason["feature"].map(JSONText.line) ?? "")",
          [
            """
            <td class="strip"><svg class="reason" viewBox="0 0 200 14" preserveAspectRatio="none" \
            aria-hidden="true"><rect class="bar \(style)" width="\(width)" height="14"/></svg></td>
            """, "<td>\(Fragments.number(share, NumberText.percent(share)))</td>",
            Fragments.count(reason["alerts"]?.double),
          ])
      }
      return "<div><h3>\(name)</h3>"
        + Fragments.table(
          headings: ["Feature", "", "Share", "Alerts"], rows: rows, style: "reasons",
          label: "Reasons of \(name)") + "</div>"
    }
    guard !tables.isEmpty else { return nil }
    return Section(
      id: "reasons", title: "Reasons",
      body: """
        <p class="about">Features that alerts give as their reasons, and the share of all alerts that \
        name them.</p><div class="pair">\(tables)</div>
        """)
  }
}
