import Files

extension ReplayPage {
  /// The alerts: how many, how good, at what cost.
  var decisions: Section? {
    guard let decision = document["decision"] else { return nil }
    let overall = decision["overall"]
    let kinds = FigureKind.decision
    let by = (decision["by"]?.elements ?? []).map(JSONText.line).joined(separator: ", then ")
    let perDay = decision["alerts_per_day"]?.double
    let table = Fragments.table(
      headings: ["By", "Alerts", "Alerts a day", "True positives", "Positives"]
        + kinds.map { "\($0.title)" },
      rows: [
        Fragments.row(
          "\(by.isEmpty ? "decision" : by)",
          [
            Fragments.count(decision["alerts"]?.double ?? overall?["alerts"]?.double),
            "<td>\(Fragments.number(perDay, perDay.map { NumberText.fixed($0, 1) } ?? ""))</td>",
            Fragments.count(overall?["true_positives"]?.double),
            Fragments.count(overall?["positives"]?.double),
          ] + kinds.map { Fragments.cell($0, in: overall) })
      ], label: "Figures of the decision")
    return Section(
      id: "alerts", title: "Alerts", body: "\(table)\(alertsByDay(decision))\(cost(decision))")
  }

  private func alertsByDay(_ decision: JSONValue) -> HTML {
    let days = (decision["by_day"]?.elements ?? []).compactMap { day in
      CalendarDay(day["day"]?.text).flatMap { date in
        day["figures"]?["alerts"]?.double.map { alerts in
          (
            day: Double(date.number), alerts: alerts,
            right: day["figures"]?["true_positives"]?.double ?? 0
          )
        }
      }
    }
    guard let first = days.first?.day, let last = days.last?.day, days.count > 1 else {
      return HTML()
    }
    let budget = decision["budget"]?.text
    let limit = budget.flatMap(alertsADay)
    let highest = max(days.map(\.alerts).max() ?? 0, limit ?? 0, 1)
    let picture = Fragments.drawnTwice { isNarrow in
      var plot =
        isNarrow
        ? Plot(width: 350, height: 230, left: 40, right: 8, top: 12, bottom: 26)
        : Plot(width: 960, height: 240, left: 44, right: 90, top: 12, bottom: 26)
      let x = plot.horizontal(span?.lowerBound ?? first, span?.upperBound ?? last + 1)
      let step = Scale.roundStep(highest * 1.02 / 4)
      let y = plot.vertical(0, (highest * 1.02 / step).rounded(.up) * step)
      plot.verticalAxis(y, ticks: y.ticks(about: 4), title: "", text: NumberText.axis)
      let gap = min(1, (x(first + 1) - x(first)) * 0.2)
      for (day, alerts, right) in days {
        let width = x(day + 1) - x(day) - gap
        plot.rectangle(
          x: x(day), y: y(alerts), width: width, height: y(right) - y(alerts), "bar s0")
        plot.rectangle(
          x: x(day), y: y(right), width: width, height: plot.bottom - y(right), "bar s2")
      }
      TimeChart.dateAxis(on: &plot, x, isNarrow: isNarrow)
      if let limit {
        plot.add("<line class=\"limit\" x1=\"\(plot.left)\" x2=\"\(plot.right)\" ")
        plot.add("y1=\"\(y(limit))\" y2=\"\(y(limit))\"/>")
        let text = "budget \(NumberText.count(limit))"
        if isNarrow {
          plot.text(text, at: Point(x: plot.right, y: y(limit) - 6), anchor: "end", "name")
        } else {
          plot.text(text, at: Point(x: plot.right + 8, y: y(limit) + 4), "name")
        }
      }
      return plot.svg("Alerts a day, and how many of them were right")
    }
    let stated: HTML = budget.map { " The budget is \($0)." } ?? HTML()
    return Fragments.figure(
      "Alerts a day",
      """
      \(Fragments.key("Right", "s2")) and \(Fragments.key("wrong", "s0")) alerts on labelled \
      events.\(stated)
      """, style: "time", picture)
  }

  /// The number of a budget such as `100 a day`; nil for one of another kind.
  private func alertsADay(_ budget: String) -> Double? {
    guard budget.hasSuffix("day") else { return nil }
    return budget.split(separator: " ").first.flatMap { Double($0) }
  }

  private func cost(_ decision: JSONValue) -> HTML {
    guard let cost = decision["cost"] else { return HTML() }
    let rows = cost.members.compactMap { member -> HTML? in
      if case .null = member.value { return nil }
      let shown: HTML =
        member.value.double.map {
          Fragments.number($0, $0 < 100 ? NumberText.small($0) : NumberText.count($0))
        } ?? "\(JSONText.line(member.value))"
      let titles = [
        "total": "Total", "per_event": "An event", "alert": "Alerts", "missed": "Missed positives",
      ]
      return "<dt>\(titles[member.name] ?? member.name)</dt><dd>\(shown)</dd>"
    }
    return rows.isEmpty ? HTML() : "<h3>Cost</h3><dl>\(rows)</dl>"
  }
}
