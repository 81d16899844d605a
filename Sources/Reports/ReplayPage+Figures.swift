import Files

extension ReplayPage {
  /// All models and baselines over the whole history.
  var figures: Section? {
    guard !models.isEmpty else { return nil }
    let all = (models + baselines).map { $0.value["overall"] }
    let ranking =
      [FigureKind.auroc, .averagePrecision, FigureKind.cardPrecision(in: all)].compactMap { $0 }
      + FigureKind.probability
    let rates = all.lazy.compactMap { $0?["recall_at_fpr"]?.members.map(\.name) }.first ?? []
    let budget: HTML =
      document["decision"]?["budget"].map { " The budget is \(JSONText.line($0))." } ?? HTML()
    let tables = [
      (
        "Ranking and probability",
        """
        Of the labelled events that each has scored. A model scores none before its first version, \
        so where the last column differs, figures are not of the same events.
        """, comparison(ranking, isFirst: true, "Figures of ranking and probability")
      ),
      (
        "At work", "What remains when somebody has to look at the alerts.\(budget)",
        comparison(FigureKind.detection + [.cost], "Figures at threshold and budget")
      ),
      (
        "At false-positive rates",
        "The share of positives found where this share of all others raises alerts.",
        comparison(
          rates.map(FigureKind.recall(atFalsePositiveRate:)), "Recall at false-positive rates")
      ),
    ].compactMap { (title: HTML, about: HTML, table: HTML?) -> HTML? in
      table.map { "<h3>\(title)</h3><p class=\"about\">\(about)</p>\($0)" }
    }
    return Section(
      id: "figures", title: "Figures",
      body: tables.isEmpty ? "<p class=\"about\">No event has a label.</p>" : "\(tables)")
  }

  /// A row a model and a baseline, a column a figure that any of them has; nil without a
  /// column.
  /// - Parameter isFirst: whether the rows also say what they are, and how much was not scored.
  private func comparison(_ kinds: [FigureKind], isFirst: Bool = false, _ label: String) -> HTML? {
    let subjects = models + baselines
    let used = kinds.filter { kind in
      subjects.contains { kind.value(in: $0.value["overall"]) != nil }
    }
    guard !used.isEmpty else { return nil }
    let best = used.map(bestText)
    let rows = subjects.enumerated().map { index, subject -> HTML in
      let overall = subject.value["overall"]
      let isModel = index < models.count
      let cells = zip(used, best).map { kind, best -> HTML in
        let isBest = isModel && best != nil && kind.format(kind.value(in: overall)) == best
        return Fragments.cell(kind, in: overall, isBest: isBest)
      }
      return Fragments.row(
        Fragments.key(subject.name, subject.style),
        note: !isFirst ? HTML() : isModel ? note(subject) : "baseline",
        style: isModel ? "" : "baseline",
        cells + (isFirst ? [Fragments.count(overall?["unscored"]?.double)] : []))
    }
    return Fragments.table(
      headings: ["Model"] + used.map { "\($0.title)" } + (isFirst ? ["Not scored"] : []),
      rows: rows, label: label)
  }

  /// The best of the models' values as it is shown; nil unless another model's looks worse.
  private func bestText(_ kind: FigureKind) -> String? {
    let values = models.compactMap { kind.value(in: $0.value["overall"]) }
    guard let best = kind.isBetterHigher == true ? values.max() : values.min() else { return nil }
    let text = kind.format(best)
    return values.contains { kind.format($0) != text } ? text : nil
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
