import Datasets
import Evaluation
import Features
import Foundation
import Pipeline

/// What the demo came to, in words.
struct Report {
  let pipeline: Pipeline
  let payments: HandbookTransactions
  let scoreboard: Scoreboard

  /// A time as `2018-05-12 14:03`.
  static func minute(_ time: Int64) -> String {
    EventTime.text(time).prefix(16).replacingOccurrences(of: "T", with: " ")
  }

  var figures: String {
    let table = scoreboard.table()
    var lines = [
      "model".left(12) + "AUROC".right(9) + "avg. precision".right(17) + "log loss".right(11)
    ]
    for (index, model) in table.models.enumerated() {
      let figures = table.figures(model: index)
      lines.append(
        model.name.left(12) + figure(figures.areaUnderROC).right(9)
          + figure(figures.averagePrecision).right(17) + figure(figures.logLoss).right(11))
    }
    let decisions = table.decisionFigures()
    let base = Double(decisions.positives) / Double(decisions.events)
    let lift = String(format: "%.0f", (decisions.precision ?? 0) / base)
    let hidden = percent(payments.count { $0.scenario == 2 }, of: payments.count { $0.isFraud })
    return lines.joined(separator: "\n") + """


      AUROC: how often a fraud scores above a genuine payment; guessing gives 0.5. Average
      precision: guessing gives \(figure(base)). Every score was made before its answer was known.

      Alerts: \(decisions.alerts.grouped), \(figure(decisions.alertsPerDay, digits: 0)) a day; \
      the pipeline file allows about \(budget).
      Right:  \(percent(decisions.truePositives, of: decisions.alerts)) of them were fraud, \
      \(lift) times as many as in a blind sample.
      Found:  \(percent(decisions.truePositives, of: decisions.positives)) of all frauds. \
      (\(hidden) are ordinary payments at a tampered
              terminal; amount and time, all this pipeline looks at, cannot give them away.)
      """
  }

  private var budget: String {
    if case .perDay(let count)? = pipeline.decisions.budget { "\(count)" } else { "as many" }
  }

  var versions: String {
    let updates = pipeline.models.compactMap { scoreboard.published[$0.name] }
    return updates.map { update in
      update.header.name.left(25) + update.header.kind.rawValue.left(21)
        + "learnt from \(update.header.examples.grouped)".left(22) + update.digest.short
    }.joined(separator: "\n")
  }

  /// The clearest flagged fraud of each kind there is.
  func cases() throws -> String {
    let model = pipeline.decisions.by[0]
    return try (1...3).map { (scenario: UInt8) in
      let ofKind = payments.indices.lazy.filter { payments[$0].scenario == scenario }
      guard let payment = scoreboard.clearestCase(of: ofKind, by: model) else {
        throw Failure("no fraud was flagged among those where \(Self.story(scenario))")
      }
      return try describe(payment, model: model)
    }.joined(separator: "\n\n")
  }

  private func describe(_ number: Int, model: String) throws -> String {
    let payment = payments[number]
    let decision = try scoreboard.decision(on: number)
    guard let score = decision.scores[model], let threshold = score.threshold else {
      throw Failure("the alert on payment \(number) does not say which version raised it")
    }
    let time = Self.start + Int64(payment.seconds) * 1000
    return """
      Payment \(number), \(Self.minute(time)): customer \(payment.customer) pays \
      \(String(format: "%.2f", payment.amount)) at terminal \(payment.terminal)
        flagged by  \(pipeline.name)/\(model)@\(score.version), score \
      \(figure(Double(score.score))), alarm from \(figure(Double(threshold))) on
        because     \(decision.explanation(of: model))
        in truth    \(Self.story(payment.scenario))
      """
  }

  /// 2018-04-01, where the simulated stream begins, ms since 1970.
  private static let start: Int64 = 1_522_540_800_000

  private static func story(_ scenario: UInt8) -> String {
    switch scenario {
    case 1: "a payment above 220, which here is always fraud"
    case 2: "a terminal that criminals had tampered with for four weeks"
    default: "card details were stolen, and the thieves spend five times the usual"
    }
  }

  /// Commands to go on with.
  static let next = """
    All of it was done with one program. Next, on the full stream of 1.75 million payments:

      export PATH="$PWD/.build/release:$PATH"
      weir generate handbook --out payments.csv.gz
      weir replay --pipeline models/card-fraud.yaml --input payments.csv.gz

    or live, in three terminals, and then look at what was learnt:

      weir score --pipeline models/card-fraud.yaml
      weir train --pipeline models/card-fraud.yaml
      weir produce payments.csv.gz --pipeline models/card-fraud.yaml --rate 5000
      weir models list card-fraud/fraud --last 5
    """
}
