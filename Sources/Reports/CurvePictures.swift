import Files

/// Pictures of how models rank and score.
enum CurvePictures {
  private static func points(_ list: JSONValue?) -> [(x: Double, y: Double)] {
    (list?.elements ?? []).compactMap { pair in
      let ends = pair.elements
      guard ends.count == 2, let x = ends[0].double, let y = ends[1].double else { return nil }
      return (x, y)
    }
  }

  private static let shares = [0, 0.25, 0.5, 0.75, 1]

  /// The room of a picture in the grid.
  private static func square() -> Plot {
    Plot(width: 340, height: 310, left: 44, right: 10, top: 24, bottom: 40)
  }

  // MARK: Ranking

  /// ROC curves with the area below each beside its name; nil if there are none.
  static func roc(_ models: [Subject]) -> HTML? {
    curves(
      of: models, title: "ROC curves", points: "roc", area: .auroc, across: "False positive rate",
      up: "True positive rate", chance: (0, 1),
      caption: "The area below a curve is its AUROC; the dashed line is chance.")
  }

  /// Precision over recall, with the average precision beside the name; nil if there are none.
  static func precisionRecall(_ models: [Subject]) -> HTML? {
    var caption: HTML = "The area below a curve is its average precision."
    var chance: (Double, Double)?
    if let first = models.first, let events = first.value["overall"]?["events"]?.double,
      let positives = first.value["overall"]?["positives"]?.double, events > 0
    {
      let rate = positives / events
      chance = (rate, rate)
      caption += """
         Chance is the dashed line: \(NumberText.percent(rate)) of the events that \(first.name) \
        scored are positive.
        """
    }
    return curves(
      of: models, title: "Precision and recall", points: "precision_recall",
      area: .averagePrecision, across: "Recall", up: "Precision", chance: chance, caption: caption)
  }

  /// Curves between 0 and 1, each with the area below it beside its name; nil if there are none.
  /// - Parameters:
  ///   - points: the curves' name in documents.
  ///   - chance: how high the line of chance is at the left and at the right.
  private static func curves(
    of models: [Subject], title: String, points name: String, area: FigureKind, across: String,
    up: String, chance: (Double, Double)?, caption: HTML
  ) -> HTML? {
    var plot = square()
    let x = plot.horizontal(0, 1)
    let y = plot.vertical(0, 1)
    plot.verticalAxis(y, ticks: shares, title: up, text: NumberText.axisPercent)
    plot.horizontalAxis(x, ticks: shares, title: across, text: NumberText.axisPercent)
    if let chance {
      plot.reference(Point(x: x(0), y: y(chance.0)), Point(x: x(1), y: y(chance.1)))
    }
    let curves = models.compactMap { model -> LabelLayout.Curve? in
      let points = points(model.value["curves"]?[name]).map { Point(x: x($0.x), y: y($0.y)) }
      let text = "\(model.label) \(area.format(area.value(in: model.value["overall"])))"
      return points.count > 1 ? .init(points: points, text: text, style: model.style) : nil
    }
    guard !curves.isEmpty else { return nil }
    for curve in curves.reversed() { plot.line(curve.points, curve.style) }
    LabelLayout.place(curves, on: &plot)
    return Fragments.figure(
      title, caption, plot.svg("\(title): " + curves.map(\.text).joined(separator: ", ")))
  }

  // MARK: Calibration

  /// How often scores come true; nil if no model's scores are probabilities.
  static func calibration(_ models: [Subject]) -> HTML? {
    let bins = models.map { model in
      (
        model: model,
        points: (model.value["calibration"]?.elements ?? []).compactMap { bin in
          bin["mean_score"]?.double.flatMap { score in
            bin["positive_share"]?.double.map { (x: score, y: $0) }
          }
        }
      )
    }.filter { !$0.points.isEmpty }
    let values = bins.flatMap { $0.points.flatMap { [$0.x, $0.y] } }.filter { $0 > 0 }
    guard let smallest = values.min(), let largest = values.max() else { return nil }
    // Rare positives: nearly all bins lie near zero, and only powers of ten keep them apart.
    let isLogarithmic = largest / smallest > 30
    let low = isLogarithmic ? max(decade(below: smallest), 1e-6) : 0
    let high = isLogarithmic ? 1 : min(1, largest * 1.1)
    var plot = square()
    let x = plot.horizontal(low, high, logarithmic: isLogarithmic)
    let y = plot.vertical(low, high, logarithmic: isLogarithmic)
    plot.verticalAxis(
      y, ticks: y.ticks(about: 6), title: "Share of positives", text: NumberText.axisPercent)
    plot.horizontalAxis(
      x, ticks: x.ticks(about: 4), title: "Mean score", text: NumberText.axisPercent)
    plot.reference(Point(x: x(low), y: y(low)), Point(x: x(high), y: y(high)))
    var curves: [LabelLayout.Curve] = []
    for (model, points) in bins {
      // On a scale of powers of ten, zero has no place on the line.
      let shown = points.filter { $0.y > 0 || !isLogarithmic }.map { Point(x: x($0.x), y: y($0.y)) }
      plot.line(shown, "thin \(model.style)")
      for place in shown { plot.dot(place, model.style) }
      for point in points where point.y == 0 && isLogarithmic {
        plot.dot(Point(x: x(point.x), y: y(low)), "hollow \(model.style)")
      }
      curves.append(.init(points: shown, text: model.label, style: model.style))
    }
    LabelLayout.place(curves, on: &plot)
    let isEmptyBin = bins.contains { $0.points.contains { $0.y == 0 } }
    let hollow: HTML =
      isLogarithmic && isEmptyBin ? " Hollow at the bottom: a bin without positives." : HTML()
    return Fragments.figure(
      "Calibration",
      "Dots are bins of as many events each. On the dashed line a score is the probability.\(hollow)",
      plot.svg("Calibration: share of positives by mean score"))
  }

  private static func decade(below value: Double) -> Double {
    var power = 1.0
    while power > value, power > 1e-12 { power /= 10 }
    return power
  }

  // MARK: Scores

  private static let scales = ["probability": "A probability", "anomaly": "An anomaly score"]

  /// A model's scores of both classes; nil if there are none.
  static func histogram(_ model: Subject) -> HTML? {
    let histogram = model.value["histogram"]
    let edges = (histogram?["edges"]?.elements ?? []).compactMap(\.double)
    let negatives = (histogram?["negatives"]?.elements ?? []).compactMap(\.double)
    let positives = (histogram?["positives"]?.elements ?? []).compactMap(\.double)
    let count = edges.count - 1
    guard count > 0, negatives.count == count, positives.count == count,
      zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
    else { return nil }
    var plot = Plot(width: 340, height: 250, left: 44, right: 10, top: 24, bottom: 40)
    let widths = zip(edges, edges.dropFirst()).map { $1 - $0 }
    // Edges of very different distances are drawn as bins of one width.
    let isEven = (widths.max() ?? 1) < 3 * (widths.min() ?? 1)
    let places = isEven ? edges : edges.indices.map(Double.init)
    let x = plot.horizontal(places[0], places[count])
    let middle = (plot.top + plot.bottom) / 2
    for (counts, sign, style) in [(positives, -1.0, "s2"), (negatives, 1.0, "s1")] {
      let total = counts.reduce(0, +)
      guard total > 0, let largest = counts.max() else { continue }
      let room = (plot.bottom - plot.top) / 2 - 2
      let step = Scale.roundStep(largest / total / 2)
      let top = max((largest / total / step).rounded(.up) * step, step)
      for tick in stride(from: step, through: top * 1.001, by: step) {
        let y = middle + sign * room * tick / top
        plot.add("<line class=\"rule\" x1=\"\(plot.left)\" x2=\"\(plot.right)\" ")
        plot.add("y1=\"\(y)\" y2=\"\(y)\"/>")
        plot.text(
          NumberText.axisPercent(tick), at: Point(x: plot.left - 6, y: y + 4), anchor: "end", "tick"
        )
      }
      for bin in 0..<count where counts[bin] > 0 {
        let height = max(room * counts[bin] / total / top, 0.75)
        let start = x(places[bin])
        plot.rectangle(
          x: start + 0.5, y: sign < 0 ? middle - height : middle,
          width: x(places[bin + 1]) - start - 1, height: height, "bar \(style)")
      }
    }
    let ticks =
      isEven
      ? x.ticks(about: 5) : stride(from: 0, through: count, by: max(1, count / 4)).map(Double.init)
    plot.horizontalAxis(x, ticks: ticks, title: "Score") { tick in
      isEven ? NumberText.axis(tick) : NumberText.small(edges[Int(tick)])
    }
    plot.add("<line class=\"base\" x1=\"\(plot.left)\" x2=\"\(plot.right)\" ")
    plot.add("y1=\"\(middle)\" y2=\"\(middle)\"/>")
    plot.text("Share of the class", at: Point(x: 0, y: 11), "axis")
    return Fragments.figure(
      model.name, "\(scales[model.value["score_scale"]?.text ?? ""] ?? "")",
      plot.svg("Histogram of the scores of \(model.name) by class"))
  }
}
