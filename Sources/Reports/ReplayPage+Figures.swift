import Files

extension ReplayPage {
  /// All models and baselines over the whole history.
  var figures: Section? {
    guard !models.isEmpty else { return nil }
    let all = (models + baselines).map { $0.value["overall"] }
    let ranking = [
      FigureKind.auroc, .averagePrecision, FigureKind.cardPrecision(in: all), .logLoss, .brier,
      .calibrationError,
    ].compactMap { $0 }
    let rates = all.lazy.compactMap { $0?["recall_at_fpr"]?.members.map(\.name) }.first ?? []
    let work =
      [
        FigureKind.detection("Precision at budget", "precision", at: "at_budget"),
        .detection("Recall at budget", "recall", at: "at_budget"),
        .detection("Precision at threshold", "precision", at: "at_threshold"),
        .detection("Recall at threshold", "recall", at: "at_threshold"),
        .detection("F1 at threshold", "f1", at: "at_threshold"),
      ] + rates.map(FigureKind.recall(atFalsePositiveRate:)) + [.cost]
    let budget: HTML =
      document["decision"]?["budget"].map { " The budget is \(JSONText.line($0))." } ?? HTML()
    return Section(
      id: "figures", title: "Figures",
      body: """
        <h3>Ranking and probability</h3>
        \(comparison(ranking, isFirst: true, "Figures of ranking and probability"))
        <h3>At work</h3>
        <p class="about">What remains when somebody has to look at the alerts.\(budget)</p>
        \(comparison(work, isFirst: false, "Figures at threshold and budget"))
        """)
  }

  /// A row a model and a baseline, a column a figure that any of them has.
  private func comparison(_ kinds: [FigureKind], isFirst: Bool, _ label: String) -> HTML {
    let subjects = models + baselines
    let used = kinds.filter { kind in
      subjects.contains { kind.value(in: $0.value["overall"]) != nil }
    }
    guard !used.isEmpty else { return "<p class=\"about\">No event has a label.</p>" }
    let best = used.map { kind -> Double? in
      let values = models.compactMap { kind.value(in: $0.value["overall"]) }
      guard values.count > 1 else { return nil }
      return kind.isBetterHigher ? values.max() : values.min()
    }
    let rows = subjects.enumerated().map { index, subject -> HTML in
      let overall = subject.value["overall"]
      let cells = zip(used, best).map { kind, best -> HTML in
        let isBest = index < models.count && best != nil && kind.value(in: overall) == best
        return Fragments.cell(kind, in: overall, isBest: isBest)
      }
      let isModel = index < models.count
      return Fragments.row(
        Fragments.key(subject.name, subject.style),
        note: !isFirst ? HTML() : isModel ? note(subject) : "baseline",
        style: isModel ? "" : "baseline", cells)
    }
    return Fragments.table(
      headings: ["Model"] + used.map { "\($0.title)" }, rows: rows, label: label)
  }

  private func note(_ model: Subject) -> HTML {
    var parts: [String] = []
    if let kind = model.value["kind"]?.text { parts.append(kind) }
    if let versions = model.value["versions"]?.double {
      parts.append("\(NumberText.count(versions)) version\(versions == 1 ? "" : "s")")
    }
    return "\(parts.joined(separator: ", "))"
  }
}
