import Files

/// A figure over time: a line through the weeks, the days faint behind it, and where versions were
/// published.
struct TimeChart {
  /// One subject's figure, and its name as far as there is room for it.
  struct Series {
    let name: String
    let style: String
    var weeks: [(middle: Double, value: Double)]
    var days: [(middle: Double, value: Double)]
    /// When versions of it were published, in days since 1970-01-01.
    var published: [Double] = []

    /// - Parameter span: of the history; weeks at its ends are cut there.
    init(
      _ name: String, _ style: String, _ kind: FigureKind, in value: JSONValue,
      within span: ClosedRange<Double>?
    ) {
      self.name = Subject.label(name)
      self.style = style
      weeks = (value["by_week"]?.elements ?? []).compactMap { week in
        guard let from = CalendarDay(week["from"]?.text), let to = CalendarDay(week["to"]?.text),
          let figure = kind.value(in: week["figures"])
        else { return nil }
        // A figure of a handful is chance, and would set the scale for all others.
        if let positives = week["figures"]?["positives"]?.double, positives < 5 { return nil }
        let start = max(Double(from.number), span?.lowerBound ?? -.infinity)
        let end = min(Double(max(to.number, from.number + 1)), span?.upperBound ?? .infinity)
        return ((start + end) / 2, figure)
      }
      days = (value["by_day"]?.elements ?? []).compactMap { day in
        guard let date = CalendarDay(day["day"]?.text), let figure = kind.value(in: day["figures"])
        else { return nil }
        return (Double(date.number) + 0.5, figure)
      }
      published = (value["published"]?.elements ?? []).compactMap {
        CalendarDay.position($0["time"]?.text)
      }
      // So few weeks are no line: the days are.
      if weeks.count < 3 {
        weeks = days
        days = []
      }
    }
  }

  let title: String
  let series: [Series]
  /// The history, in days since 1970-01-01: all charts of a page begin and end alike.
  let span: ClosedRange<Double>?
  /// Days to shade, as test windows.
  var shaded: [ClosedRange<Double>] = []
  /// Text of an axis' value.
  var text: (Double) -> String = NumberText.axis

  /// Whether there is anything to draw.
  var isEmpty: Bool { !series.contains { $0.weeks.count > 1 } }

  /// The picture.
  func svg(isNarrow: Bool) -> HTML {
    let drawn = series.filter { $0.weeks.count > 1 }
    let longest = Double(drawn.map(\.name.count).max() ?? 0)
    let rug = Double(drawn.count { !$0.published.isEmpty }) * 7
    var plot =
      isNarrow
      ? Plot(width: 350, height: 260, left: 40, right: 8, top: 12, bottom: 26)
      : Plot(
        width: 960, height: 280, left: 44, right: min(longest * LabelLayout.advance + 18, 190),
        top: 12, bottom: 26)
    let times = drawn.flatMap { $0.weeks.map(\.middle) + $0.days.map(\.middle) }
    let span = span ?? (times.min() ?? 0).rounded(.down)...(times.max() ?? 1).rounded(.up)
    let x = plot.horizontal(span.lowerBound, span.upperBound)
    let (low, high, ticks) = range(drawn)
    let y = Scale(low, high, from: plot.bottom - rug - (rug > 0 ? 5 : 0), to: plot.top)
    for days in shaded where days.overlaps(span) {
      let (start, end) = (x(days.lowerBound), x(days.upperBound))
      plot.rectangle(
        x: start, y: plot.top, width: end - start, height: plot.bottom - plot.top, "shade")
      // Windows that adjoin are still two.
      for edge in [start, end] {
        plot.add("<line class=\"edge\" x1=\"\(edge)\" x2=\"\(edge)\" ")
        plot.add("y1=\"\(plot.top)\" y2=\"\(plot.bottom)\"/>")
      }
    }
    plot.verticalAxis(y, ticks: ticks, title: "", text: text)
    Self.dateAxis(on: &plot, x, isNarrow: isNarrow)
    for series in drawn.reversed() {
      plot.line(series.days.map { Point(x: x($0.middle), y: y($0.value)) }, "day \(series.style)")
    }
    var lines: [LabelLayout.Curve] = []
    for series in drawn.reversed() {
      let points = series.weeks.map { Point(x: x($0.middle), y: y($0.value)) }
      plot.line(points, series.style)
      lines.insert(.init(points: points, text: series.name, style: series.style), at: 0)
    }
    drawPublishing(drawn, on: &plot, x)
    if isNarrow {
      LabelLayout.place(lines, on: &plot)
    } else {
      let ends = lines.map { $0.points.last?.y ?? 0 }
      let heights = LabelLayout.spread(ends, within: plot.top...plot.bottom - 8)
      let edge = x(times.max() ?? span.upperBound) + 12
      for (line, height) in zip(lines, heights) {
        guard let end = line.points.last else { continue }
        plot.add("<line class=\"pointer \(line.style)\" x1=\"\(end.x + 2)\" y1=\"\(end.y)\" ")
        plot.add("x2=\"\(edge)\" y2=\"\(height)\"/>")
        plot.text(
          line.text, at: Point(x: edge + 3, y: height + 4), "name \(line.style)")
      }
    }
    return plot.svg("\(title) over time: " + drawn.map(\.name).joined(separator: ", "))
  }

  /// A row a series of fine strokes above the base line.
  private func drawPublishing(_ drawn: [Series], on plot: inout Plot, _ x: Scale) {
    let rows = drawn.filter { !$0.published.isEmpty }
    for (index, series) in rows.enumerated() {
      let top = plot.bottom - 7 * Double(rows.count - index)
      var path = HTML()
      for time in series.published where time >= x.low && time <= x.high {
        path += "M\(x(time)) \(top)v5"
      }
      plot.add("<path class=\"published \(series.style)\" d=\"\(path)\"/>")
    }
  }

  /// Low and high of the axis, from what the weeks show and most of the days.
  private func range(_ drawn: [Series]) -> (low: Double, high: Double, ticks: [Double]) {
    var values = drawn.flatMap { $0.weeks.map(\.value) }
    for series in drawn where series.days.count > 20 {
      let sorted = series.days.map(\.value).sorted()
      values += [sorted[sorted.count / 20], sorted[sorted.count - 1 - sorted.count / 20]]
    }
    let low = values.min() ?? 0
    let high = values.max() ?? 1
    let step = Scale.roundStep(max(high - low, 1e-9) / 5)
    let bottom = (low / step).rounded(.down)
    let top = max((high / step).rounded(.up), bottom + 1)
    let ticks = (Int(bottom)...Int(top)).map { Double($0) * step }
    return (bottom * step, top * step, ticks)
  }

  /// Months from one mark to the next: steps that begin again with every year, or whole years, of
  /// which fewer have room, since every mark names its year then.
  private static func monthStep(_ months: Int, _ room: Int) -> Int {
    for step in [1, 2, 3, 4, 6] where months <= room * step { return step }
    for step in [12, 24, 60] where months <= room * 2 / 3 * step { return step }
    return 120
  }

  /// Months, or days where there are few.
  static func dateAxis(on plot: inout Plot, _ x: Scale, isNarrow: Bool) {
    let first = Int(x.low.rounded(.up))
    let last = Int(x.high.rounded(.down))
    guard first <= last else { return }
    let days = (first...last).map { CalendarDay(number: $0) }
    var marked = days.filter { $0.day == 1 }
    let isMonths = marked.count >= 3
    let room = isNarrow ? 6 : 14
    if isMonths {
      let step = monthStep(marked.count, room)
      marked = marked.filter { ($0.year * 12 + $0.month - 1) % step == 0 }
    } else {
      let step = max(1, (days.count + room - 1) / room)
      marked = stride(from: 0, to: days.count, by: step).map { days[$0] }
    }
    plot.horizontalAxis(x, ticks: marked.map { Double($0.number) }, title: "") { position in
      let day = CalendarDay(number: Int(position))
      guard isMonths else { return day.short }
      let isFirst = day.number == marked.first?.number
      let isYear = day.month == 1 || (isFirst && !isNarrow)
      return isYear ? "\(day.monthName) \(day.year)" : day.monthName
    }
  }
}
