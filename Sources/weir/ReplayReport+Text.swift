import Evaluation
import Foundation
import Pipeline

extension ReplayReport {
  /// What people read.
  /// - Parameter width: characters of a line, where pictures may be drawn; nil: none are.
  func text(width: Int?) -> String {
    let pipeline = replay.pipeline
    var parts = [
      "\(pipeline.name): \(replay.events.grouped) events, \(replay.labelled.grouped) labels, "
        + "\(UInt64(rate).grouped) events/s"
        + (peakMemory.map { ", peak memory \($0 >> 20) MB" } ?? ""),
      overall,
    ]
    if let intervals { parts.append(intervals) }
    if !replay.options.policies.isEmpty { parts.append(policies) }
    if !figures.tests.isEmpty { parts.append(tests) }
    if let width, width >= 60 { parts += pictures(width: width) }
    parts.append(decisions)
    return parts.joined(separator: "\n\n")
  }

  private var overall: String {
    var columns: [TextTable.Column] = [
      .left("model"), .right("versions"), .right("AUROC"), .right("AP"), .right("log loss"),
      .right("Brier"), .right("accuracy"), .right("ECE"),
    ]
    let hasBudget = replay.pipeline.decisions.budget != nil
    if hasBudget { columns += [.right("precision@budget"), .right("recall@budget")] }
    let k = replay.cardEntity == nil ? nil : replay.options.top.first
    if let k { columns.append(.right("CP@\(k)")) }
    var table = TextTable(columns)
    for index in 0..<modelNames.count + replay.baselines.count {
      let figures = figures.columns[index].overall
      let versions =
        index < modelNames.count
        ? (replay.final[index]?.header.version ?? 0).grouped : "baseline"
      var row = [
        replay.table.models[index].name, versions, figure(figures.areaUnderROC),
        figure(figures.averagePrecision), figure(figures.logLoss), figure(figures.brierScore),
        figure(figures.accuracy), figure(figures.calibrationError),
      ]
      if hasBudget {
        row += [figure(figures.atBudget?.precision), figure(figures.atBudget?.recall)]
      }
      if let k { row.append(figure(figures[.cardPrecision(k)])) }
      table.add(row)
    }
    return table.text
  }

  /// Of each model the figures that have an interval worth a line.
  private var intervals: String? {
    guard replay.options.resamples > 0 else { return nil }
    let names: [(FigureName, String)] = [(.areaUnderROC, "AUROC"), (.averagePrecision, "AP")]
    let lines = modelNames.enumerated().compactMap { index, model -> String? in
      let overall = figures.columns[index].overall
      let texts = names.compactMap { name, title in
        overall.intervals[name].map { "\(title) \(figure($0.low)) to \(figure($0.high))" }
      }
      return texts.isEmpty ? nil : "  \(model): \(texts.joined(separator: ", "))"
    }
    return lines.isEmpty
      ? nil : (["95 % intervals, resampling days:"] + lines).joined(separator: "\n")
  }

  private var policies: String {
    var table = TextTable([
      .left("policy"), .left("model"), .right("AUROC"), .right("AP"), .right("log loss"),
      .right("unscored"),
    ])
    for (policy, first) in policyColumns {
      for (index, model) in modelNames.enumerated() {
        let figures = figures.columns[first + index].overall
        table.add([
          policy.rawValue, model, figure(figures.areaUnderROC), figure(figures.averagePrecision),
          figure(figures.logLoss), figures.unscored.grouped,
        ])
      }
    }
    return table.text
  }

  private var tests: String {
    let k = replay.cardEntity == nil ? nil : replay.options.top.first
    var names: [(FigureName, String)] = [(.areaUnderROC, "AUROC"), (.averagePrecision, "AP")]
    if let k { names.append((.cardPrecision(k), "CP@\(k)")) }
    var table = TextTable([.left("in test windows")] + names.map { .right($0.1) })
    for column in replay.table.models.indices {
      let cells = names.map { name, _ in
        TestSpread(figures.tests, column, name).map {
          // Of one window nothing is known about the spread.
          figure($0.mean) + ($0.values.count > 1 ? " ± \(figure($0.deviation))" : "")
        } ?? "–"
      }
      table.add([replay.table.models[column].name] + cells)
    }
    let leftOut = figures.tests.reduce(0) { $0 + $1.leftOut }
    var text = table.text
    text +=
      figures.tests.count > 1
      ? "\nmean ± spread over \(figures.tests.count) windows" : "\none window"
    if leftOut > 0 { text += "; \(leftOut.grouped) events of known entities left out" }
    return text
  }

  private var decisions: String {
    let decision = replay.table.decisionFigures()
    var sentence =
      "decisions by \(replay.pipeline.decisions.by.joined(separator: ", then ")): "
      + "\(replay.alerts.grouped) alerts"
    if let alertsPerDay { sentence += String(format: ", %.1f a day", alertsPerDay) }
    if replay.table.count > 0 {
      sentence += ", precision \(figure(decision.precision)), recall \(figure(decision.recall))"
    }
    if let cost = replay.decisionCost { sentence += ", cost \(significant(cost.total))" }
    let versions = replay.final.compactMap { $0 }.map { "  \($0.header.name)  \($0.digest)" }
    return ([sentence] + versions).joined(separator: "\n")
  }

  // MARK: Pictures

  private func pictures(width: Int) -> [String] {
    guard let deciding = replay.pipeline.decisions.by.first.flatMap(replay.pipeline.modelIndex)
    else { return [] }
    return [sparklines(width: width), histogram(deciding, width: width)].compactMap { $0 }
  }

  /// Every model's AUROC from day to day.
  private func sparklines(width: Int) -> String? {
    let names = modelNames.map(\.count).max() ?? 0
    var lines: [String] = []
    for (index, model) in modelNames.enumerated() {
      let days = figures.columns[index].byDay.map(\.figures.areaUnderROC)
      guard days.count > 2, let line = Sparkline(days, width: width - names - 20) else { continue }
      let space = String(repeating: " ", count: names - model.count)
      let range = String(format: "%.2f to %.2f", line.range.lowerBound, line.range.upperBound)
      lines.append("  \(model)\(space) \(line.text) \(range)")
    }
    return lines.isEmpty ? nil : (["AUROC from day to day:"] + lines).joined(separator: "\n")
  }

  /// The scores of one model by class. Lengths are shares of the class, so that a rare one shows.
  private func histogram(_ model: Int, width: Int) -> String? {
    let rows = 10
    guard let histogram = figures.columns[model].curves?.histogram, !histogram.edges.isEmpty else {
      return nil
    }
    let per = histogram.negatives.count / rows
    func shares(_ counts: [Int]) -> [Double] {
      let total = Double(max(counts.reduce(0, +), 1))
      return (0..<rows).map { row in
        Double(counts[row * per..<(row + 1) * per].reduce(0, +)) / total
      }
    }
    let negatives = shares(histogram.negatives)
    let positives = shares(histogram.positives)
    let room = (width - 30) / 2
    func bar(_ share: Double) -> String {
      let eighths = Int((share * Double(room) * 8).rounded(share < 0.5 ? .up : .down))
      let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
      let bar = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
      return bar + String(repeating: " ", count: max(0, room - bar.count))
    }
    func percent(_ share: Double) -> String {
      share > 0 && share < 0.0005 ? "< 0.1 %" : String(format: "%5.1f %%", share * 100)
    }
    let lines = (0..<rows).reversed().map { row in
      String(format: "  %5.2f  ", histogram.edges[row * per]) + bar(negatives[row])
        + " \(percent(negatives[row]))  " + bar(positives[row]) + " \(percent(positives[row]))"
    }
    let title = "negatives".padding(toLength: room + 10, withPad: " ", startingAt: 0)
    return (["scores of \(modelNames[model]) from:", "         \(title) positives"] + lines)
      .joined(separator: "\n")
  }
}
