import Files

extension ReplayPage {
  /// Test windows, as days since 1970-01-01.
  var shadedDays: [ClosedRange<Double>] {
    (document["tests"]?.elements ?? []).compactMap { test in
      guard let from = CalendarDay.position(test["from"]?.text),
        let end = CalendarDay.position(test["to"]?.text), from < end
      else { return nil }
      return from...end
    }
  }

  /// Figures by week and by day.
  var time: Section? {
    let weeks = models.flatMap { $0.value["by_week"]?.elements ?? [] }.map { $0["figures"] }
    let days = models.flatMap { $0.value["by_day"]?.elements ?? [] }.map { $0["figures"] }
    let kinds = [
      FigureKind.auroc, .averagePrecision, FigureKind.cardPrecision(in: weeks + days),
    ].compactMap { $0 }
    var isMarked = false
    let pictures = kinds.enumerated().compactMap { index, kind -> HTML? in
      var series = (models + baselines).map {
        TimeChart.Series($0.name, $0.style, kind, in: $0.value, within: span)
      }
      // The days of all would be a thicket.
      for place in series.indices
      where place != models.firstIndex(where: { $0.name == leading?.name }) {
        series[place].days = []
      }
      // Once is enough for when versions came.
      if index > 0 { for place in series.indices { series[place].published = [] } }
      isMarked = isMarked || series.contains { !$0.published.isEmpty }
      let chart = TimeChart(title: kind.title, series: series, span: span, shaded: shadedDays)
      guard !chart.isEmpty else { return nil }
      return Fragments.figure(
        kind.title, style: "time", Fragments.drawnTwice { chart.svg(isNarrow: $0) })
    }
    guard !pictures.isEmpty else { return nil }
    let marks: HTML =
      isMarked
      ? " The fine strokes at the foot of the first picture are the versions published." : HTML()
    let shade: HTML = shadedDays.isEmpty ? HTML() : " Test windows are shaded."
    return Section(
      id: "time", title: "Over time",
      body: """
        <p class="about">Strong lines are weeks of five positives or more; faint ones days of \
        \(leading?.name ?? ""); grey ones baselines.\(marks)\(shade)</p>
        \(pictures)
        """)
  }
}
