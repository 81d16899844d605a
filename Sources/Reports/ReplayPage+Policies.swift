import Files

extension ReplayPage {
  /// What learning online gains over learning now and then.
  var policyComparison: Section? {
    guard policies.count > 1, let leading else { return nil }
    let rows = policies.map { policy -> HTML in
      let figures = policy.value["models"]?[leading.name]?["overall"]
      let decision = policy.value["decision"]?["overall"]
      return Fragments.row(
        Fragments.key(policy.name, policy.style),
        note: policy.value["description"].map { "\(JSONText.line($0))" } ?? HTML(),
        [FigureKind.auroc, .averagePrecision, .logLoss].map { Fragments.cell($0, in: figures) }
          + FigureKind.decision.prefix(2).map { Fragments.cell($0, in: decision) }
          + [decision?["alerts"], figures?["unscored"]].map { Fragments.count($0?.double) })
    }
    let pictures = [FigureKind.auroc, .averagePrecision].compactMap { kind -> HTML? in
      let series = policies.compactMap { policy in
        policy.value["models"]?[leading.name].map { value in
          var series = TimeChart.Series(
            policy.name, policy.style, kind, in: value, within: span)
          series.days = []
          series.published = []
          return series
        }
      }
      let chart = TimeChart(title: kind.title, series: series, span: span, shaded: shadedDays)
      guard !chart.isEmpty else { return nil }
      return Fragments.figure(
        "\(kind.title) by policy, \(leading.name)", style: "time",
        Fragments.drawnTwice { chart.svg(isNarrow: $0) })
    }
    return Section(
      id: "policies", title: "Policies",
      body: """
        <p class="about">The same training and the same features; policies differ only in when a \
        new version is taken into service. Figures of \(leading.name), and of the decision. Where \
        the last column differs, they are not of the same events: \(leading.name) had no version \
        in service yet.</p>
        \(Fragments.table(
          headings: [
            "Policy", "AUROC", "Average precision", "Log loss", "Precision of alerts",
            "Recall of alerts", "Alerts", "Not scored",
          ], rows: rows, label: "Policies compared"))
        \(pictures)
        """)
  }
}
