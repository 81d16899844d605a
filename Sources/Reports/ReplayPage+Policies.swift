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
          + [
            FigureKind(title: "", path: ["precision"]), FigureKind(title: "", path: ["recall"]),
          ].map { Fragments.cell($0, in: decision) }
          + [Fragments.count(decision?["alerts"]?.double)])
    }
    let pictures = [FigureKind.auroc, .averagePrecision].compactMap { kind -> HTML? in
      let series = policies.compactMap { policy in
        policy.value["models"]?[leading.name].map { value in
          var series = TimeChart.Series(policy.name, policy.style, kind, in: value)
          series.days = []
          series.published = []
          return series
        }
      }
      let chart = TimeChart(title: kind.title, series: series, shaded: shadedDays)
      guard !chart.isEmpty else { return nil }
      return Fragments.figure(
        "\(kind.title) by policy, \(leading.name)", style: "time",
        Fragments.drawnTwice { chart.svg(isNarrow: $0) })
    }
    return Section(
      id: "policies", title: "Policies",
      body: """
        <p class="about">The same training and the same features; policies differ only in when a \
        new version is taken into service. Figures of \(leading.name), and of the decision.</p>
        \(Fragments.table(
          headings: [
            "Policy", "AUROC", "Average precision", "Log loss", "Precision of alerts",
            "Recall of alerts", "Alerts",
          ], rows: rows, label: "Policies compared"))
        \(pictures)
        """)
  }
}
