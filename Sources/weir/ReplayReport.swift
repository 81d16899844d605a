import Evaluation
import Features
import Files
import Foundation
import Pipeline

/// What a replay came to, for people and for scripts.
struct ReplayReport {
  private let replay: Replay
  private let seconds: Double
  private let budget: AlertBudget?
  private let overall: [Figures]
  private let byDay: [[DayFigures]]
  /// The days' figures at the budget, taken together.
  private let atBudget: [DetectionFigures?]
  private let peakMemory: Int?

  /// Computes the figures.
  /// - Parameter started: when the replay began, on the clock of `monotonicSeconds`. The figures
  ///   count towards its time.
  init(_ replay: Replay, started: Double) {
    self.replay = replay
    let budget = replay.pipeline.decisions.budget
    self.budget = budget
    overall = replay.table.models.indices.map { replay.table.figures(model: $0) }
    byDay = replay.table.models.indices.map { replay.table.figuresByDay(model: $0, budget: budget) }
    atBudget = byDay.map { days in
      days.compactMap(\.figures.atBudget).reduce(nil) { total, day in total.map { $0 + day } ?? day
      }
    }
    seconds = monotonicSeconds() - started
    peakMemory = weir.peakMemory()
  }

  /// Of all events, labelled or not.
  private var alertsPerDay: Double? {
    replay.dayCount > 0 ? Double(replay.alerts) / Double(replay.dayCount) : nil
  }

  private var rate: Double { Double(replay.events) / max(seconds, 1e-9) }

  // MARK: JSON

  var json: JSONValue {
    let pipeline = replay.pipeline
    let models = pipeline.models.enumerated().map { index, model in
      (
        model.name,
        JSONValue.object([
          ("kind", .string(model.learner.kind.rawValue)),
          ("versions", JSONValue(replay.final[index]?.header.version ?? 0)),
          (
            "final",
            replay.final[index].map {
              .object([
                ("epoch", JSONValue($0.header.epoch)), ("version", JSONValue($0.header.version)),
                ("digest", .string($0.digest.description)),
              ])
            } ?? .null
          ),
          ("overall", overall[index].json(atBudget: atBudget[index])),
          ("by_day", .array(byDay[index].map(\.json))),
        ])
      )
    }
    let baselines = Replay.baselines.enumerated().map { offset, name in
      let index = pipeline.models.count + offset
      return (
        name,
        JSONValue.object([
          ("overall", overall[index].json(atBudget: atBudget[index])),
          ("by_day", .array(byDay[index].map(\.json))),
        ])
      )
    }
    return .object([
      ("pipeline", .string(pipeline.name)),
      ("fingerprint", .string(pipeline.fingerprint.description)),
      ("seed", JSONValue(pipeline.seed)), ("events", JSONValue(replay.events)),
      ("labelled", JSONValue(replay.labelled)),
      ("learnt", JSONValue(replay.training.counters.examples)), ("held", held),
      ("seconds", JSONValue(seconds)),
      ("events_per_second", JSONValue(rate)), ("peak_memory_bytes", JSONValue(peakMemory)),
      ("models", .object(models)), ("withheld", .array(replay.withheld.map(\.json))),
      ("decision", decision), ("baselines", .object(baselines)),
    ])
  }

  /// Events that waited for their label: at the end, and the most at a time.
  private var held: JSONValue {
    .object([
      ("events", JSONValue(replay.training.held.events)),
      ("most_events", JSONValue(replay.training.counters.mostHeld)),
      ("share", JSONValue(replay.training.held.share)),
      ("early_labels", JSONValue(replay.training.held.earlyLabels)),
    ])
  }

  private var decision: JSONValue {
    .object([
      ("by", .array(replay.pipeline.decisions.by.map { .string($0) })),
      ("alerts", JSONValue(replay.alerts)), ("alerts_per_day", JSONValue(alertsPerDay)),
      ("overall", replay.table.decisionFigures().json),
      (
        "by_day",
        .array(
          replay.table.decisionFiguresByDay().map {
            .object([
              ("day", .string(EventTime.dayText(Int($0.day)))), ("figures", $0.figures.json),
            ])
          })
      ),
    ])
  }

  // MARK: Text

  var text: String {
    let pipeline = replay.pipeline
    var lines = [
      "\(pipeline.name): \(replay.events.grouped) events, \(replay.labelled.grouped) labels, "
        + "\(UInt64(rate).grouped) events/s"
        + (peakMemory.map { ", peak memory \($0 >> 20) MB" } ?? ""), "",
    ]
    var table = TextTable([
      .left("model"), .right("versions"), .right("AUROC"), .right("AP"), .right("log loss"),
      .right("Brier"), .right("accuracy"), .right("precision@budget"), .right("recall@budget"),
    ])
    for (index, column) in replay.table.models.enumerated() {
      let figures = overall[index]
      let versions =
        index < pipeline.models.count
        ? (replay.final[index]?.header.version ?? 0).grouped : "baseline"
      table.add([
        column.name, versions, figure(figures.areaUnderROC), figure(figures.averagePrecision),
        figure(figures.logLoss), figure(figures.brierScore), figure(figures.accuracy),
        figure(atBudget[index]?.precision), figure(atBudget[index]?.recall),
      ])
    }
    lines.append(table.text)
    let decision = replay.table.decisionFigures()
    var sentence = "decisions by \(pipeline.decisions.by.joined(separator: ", then ")): "
    sentence += "\(replay.alerts.grouped) alerts"
    if let alertsPerDay { sentence += String(format: ", %.1f a day", alertsPerDay) }
    if replay.table.count > 0 {
      sentence += ", precision \(figure(decision.precision)), recall \(figure(decision.recall))"
    }
    lines += ["", sentence]
    for version in replay.final.compactMap({ $0 }) {
      lines.append("  \(version.header.name)  \(version.digest)")
    }
    return lines.joined(separator: "\n")
  }
}

extension Figures {
  fileprivate func json(atBudget: DetectionFigures?) -> JSONValue {
    .object([
      ("events", JSONValue(events)), ("positives", JSONValue(positives)),
      ("unscored", JSONValue(unscored)), ("auroc", JSONValue(areaUnderROC)),
      ("average_precision", JSONValue(averagePrecision)), ("log_loss", JSONValue(logLoss)),
      ("brier", JSONValue(brierScore)), ("accuracy", JSONValue(accuracy)),
      ("at_budget", atBudget?.json ?? .null),
    ])
  }
}

extension DayFigures {
  fileprivate var json: JSONValue {
    .object([
      ("day", .string(EventTime.dayText(Int(day)))),
      ("figures", figures.json(atBudget: figures.atBudget)),
    ])
  }
}

extension DetectionFigures {
  fileprivate var json: JSONValue {
    .object([
      ("events", JSONValue(events)), ("positives", JSONValue(positives)),
      ("alerts", JSONValue(alerts)), ("true_positives", JSONValue(truePositives)),
      ("alerts_per_day", JSONValue(alertsPerDay)), ("precision", JSONValue(precision)),
      ("recall", JSONValue(recall)), ("f1", JSONValue(f1)),
    ])
  }
}
