import Files

extension ReplayPage {
  /// The pipeline's name, what went in, what came out in a sentence, and the main figures.
  var header: HTML {
    let notes = (document["notes"]?.elements ?? []).map { note -> HTML in
      "<p class=\"note\">\(JSONText.line(note))</p>"
    }
    let sentence: HTML = summary.isEmpty ? HTML() : "<p class=\"lead\">\(summary)</p>"
    return """
      <header>
      <p class="eyebrow">Weir replay</p>
      <h1>\(name)</h1>
      <p class="facts">\(facts)</p>
      \(notes)
      \(sentence)
      \(tiles)
      </header>
      """
  }

  private var facts: HTML {
    var facts: [String] = []
    if let events = document["events"]?.double {
      facts.append("\(NumberText.count(events)) events")
    }
    if let days = JSONText.days(document) { facts.append(days) }
    if let delay = document["label_delay_ms"]?.double {
      facts.append(
        delay > 0
          ? "labels \(NumberText.duration(milliseconds: delay)) late" : "labels without delay")
    }
    if let rate = document["events_per_second"]?.double {
      facts.append("\(NumberText.fixed(rate, 0)) events a second")
    }
    return "\(facts.map { fact -> HTML in "<span>\(fact)</span>" })"
  }

  /// What it comes to, for somebody who reads nothing else.
  private var summary: HTML {
    var parts: [HTML] = []
    let decision = document["decision"]
    let overall = decision?["overall"]
    if let events = overall?["events"]?.double, let positives = overall?["positives"]?.double,
      events > 0
    {
      parts.append(
        """
        Of \(NumberText.count(events)) labelled events \(NumberText.count(positives)) \
        (\(NumberText.percent(positives / events))) were positive.
        """)
    }
    if let precision = overall?["precision"]?.double, let recall = overall?["recall"]?.double {
      let alerts = (decision?["alerts_per_day"] ?? overall?["alerts_per_day"])?.double
      let pace: HTML = alerts.map { "With \(NumberText.count($0)) alerts a day, " } ?? HTML()
      parts.append(
        """
        \(pace)<b>\(NumberText.percent(precision))</b> of the alerts were right, and \
        <b>\(NumberText.percent(recall))</b> of the positives were found.
        """)
    }
    guard let first = parts.first else { return HTML() }
    return parts.dropFirst().reduce(first) { "\($0) \($1)" }
  }

  // MARK: Tiles

  private var tiles: HTML {
    var tiles: [HTML] = []
    if let leading {
      let figures = leading.value["overall"]
      let kinds = [
        FigureKind.auroc, .averagePrecision, FigureKind.cardPrecision(in: [figures]),
      ]
      for kind in kinds.compactMap({ $0 }) where kind.value(in: figures) != nil {
        let best = baselines.compactMap { baseline in
          kind.value(in: baseline.value["overall"]).map { (baseline.name, $0) }
        }.max { $0.1 < $1.1 }
        tiles.append(tile(kind, figures, of: leading.name, baseline: best))
      }
    }
    let overall = document["decision"]?["overall"]
    for kind in [
      FigureKind(title: "Precision", path: ["precision"], format: NumberText.percent),
      FigureKind(title: "Recall", path: ["recall"], format: NumberText.percent),
    ] where kind.value(in: overall) != nil {
      tiles.append(tile(kind, overall, of: "decision", baseline: nil))
    }
    guard !tiles.isEmpty else { return HTML() }
    return """
      <div class="tiles">\(tiles)</div>
      <p class="fine">Below a figure: its 95\u{202f}% interval by resampling days, and the best \
      baseline, the grey mark on the scale from 0 to 1.</p>
      """
  }

  private func tile(
    _ kind: FigureKind, _ figures: JSONValue?, of subject: String,
    baseline: (name: String, value: Double)?
  ) -> HTML {
    guard let value = kind.value(in: figures) else { return HTML() }
    let interval = kind.interval(in: figures)
    let scale = Scale(0, 1, from: 1, to: 119)
    var bar: HTML = "<line class=\"track\" x1=\"1\" x2=\"119\" y1=\"8\" y2=\"8\"/>"
    if let baseline {
      let x = scale(baseline.value)
      bar += "<line class=\"mark s0\" x1=\"\(x)\" x2=\"\(x)\" y1=\"3\" y2=\"13\"/>"
    }
    if let interval {
      let x = scale(interval.lowerBound)
      let width = max(scale(interval.upperBound) - x, 1)
      bar += "<rect class=\"range\" x=\"\(x)\" y=\"4\" width=\"\(width)\" height=\"8\" rx=\"2\"/>"
    }
    let x = scale(value)
    bar += "<line class=\"mark\" x1=\"\(x)\" x2=\"\(x)\" y1=\"2\" y2=\"14\"/>"
    let range: HTML =
      interval.map { "\(kind.format($0.lowerBound))–\(kind.format($0.upperBound))" } ?? HTML()
    let compared: HTML =
      baseline.map { "\(kind.format($0.value)) \($0.name)" } ?? HTML()
    return """
      <div class="tile"><p class="what">\(kind.title) <span>\(subject)</span></p>\
      <p class="value">\(Fragments.number(value, kind.format(value)))</p>\
      <svg viewBox="0 0 120 16" aria-hidden="true">\(bar)</svg>\
      <p class="range">\(range)</p><p class="range">\(compared)</p></div>

      """
  }
}
