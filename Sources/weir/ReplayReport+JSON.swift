import ArgumentParser
import Evaluation
import Features
import Files
import Pipeline

// docs/evaluation.md describes the document.
extension ReplayReport {
  var json: JSONValue {
    let pipeline = replay.pipeline
    var members: [(String, JSONValue)] = [
      ("weir", .string(Weir.configuration.version)),
      ("command", .array((["weir"] + CommandLine.arguments.dropFirst()).map { .string($0) })),
      ("input", .string(input)), ("pipeline", .string(pipeline.name)),
      ("fingerprint", .string(pipeline.fingerprint.description)),
      ("seed", JSONValue(pipeline.seed)), ("label_delay_ms", JSONValue(replay.labelDelay)),
      ("bootstrap", bootstrap),
      ("events", JSONValue(replay.events)), ("labelled", JSONValue(replay.labelled)),
      ("learnt", JSONValue(replay.training.counters.examples)), ("held", held),
      ("refused", JSONValue(refused)), ("late", JSONValue(replay.late)),
      ("first_time", JSONValue(replay.times.map { EventTime.text($0.lowerBound) })),
      ("last_time", JSONValue(replay.times.map { EventTime.text($0.upperBound) })),
      ("notes", .array(notes.map { .string($0) })), ("windows", windows),
      ("seconds", JSONValue(seconds)), ("events_per_second", JSONValue(rate)),
      ("peak_memory_bytes", JSONValue(peakMemory)),
      ("models", .object(modelNames.enumerated().map { ($1, model($0)) })),
      ("baselines", .object(baselineColumns.map { ($0.name, baseline($0.name, $0.column)) })),
    ]
    if !replay.options.policies.isEmpty {
      let policies = policyColumns.enumerated().map { index, entry in
        (entry.policy.rawValue, policy(index, entry.policy, entry.first))
      }
      members.append(("policies", .object(policies)))
    }
    if !figures.tests.isEmpty {
      members.append(("tests", .array(figures.tests.map(test))))
      members.append(("tests_summary", testsSummary))
    }
    members += [
      ("decision", decision), ("withheld", .array(replay.withheld.map(\.json))),
      ("features", .array(pipeline.plan.names.enumerated().map { feature($0, $1) })),
      ("reasons", reasons),
    ]
    return .object(members)
  }

  private var bootstrap: JSONValue {
    .object([
      ("resamples", JSONValue(replay.options.resamples)), ("seed", JSONValue(replay.options.seed)),
    ])
  }

  // MARK: Models and baselines

  private func model(_ index: Int) -> JSONValue {
    let kind = replay.pipeline.models[index].learner.kind
    let versions = figures.versions[index]
    let final = replay.final[index].map {
      JSONValue.object([
        ("epoch", JSONValue($0.header.epoch)), ("version", JSONValue($0.header.version)),
        ("digest", .string($0.digest.description)),
      ])
    }
    let curves = figures.columns[index].curves!
    func points(_ points: [ScoreCurves.CurvePoint]) -> JSONValue {
      .array(points.map { .array([JSONValue($0.x), JSONValue($0.y)]) })
    }
    return .object(
      [
        ("kind", .string(kind.rawValue)),
        ("versions", JSONValue(replay.final[index]?.header.version ?? 0)),
        ("final", final ?? .null),
        (
          "score_scale",
          .string(replay.table.models[index].isProbability ? "probability" : "anomaly")
        ),
      ] + overTime(index) + [
        (
          "by_version",
          .array(
            spread(versions, 200).map {
              .object([
                ("epoch", JSONValue($0.version.epoch)), ("version", JSONValue($0.version.version)),
                ("time", .string(EventTime.text($0.version.time))), ("figures", json($0.figures)),
              ])
            })
        ),
        ("versions_left_out", JSONValue(max(0, versions.count - 200))),
        (
          "curves",
          .object([
            ("roc", points(curves.roc)), ("precision_recall", points(curves.precisionRecall)),
          ])
        ),
        (
          "calibration",
          .array(
            curves.calibration.map {
              .object([
                ("mean_score", JSONValue($0.meanScore)),
                ("positive_share", JSONValue($0.positiveShare)), ("events", JSONValue($0.events)),
              ])
            })
        ),
        (
          "histogram",
          .object([
            ("edges", .array(curves.histogram.edges.map { JSONValue($0) })),
            ("negatives", .array(curves.histogram.negatives.map { JSONValue($0) })),
            ("positives", .array(curves.histogram.positives.map { JSONValue($0) })),
          ])
        ),
        (
          "published",
          .array(
            spread(replay.published[index], 500).map {
              .object([
                ("version", JSONValue($0.version)), ("time", .string(EventTime.text($0.time))),
              ])
            })
        ),
      ])
  }

  private func baseline(_ name: String, _ column: Int) -> JSONValue {
    let feature: [(String, JSONValue)] =
      name == Replay.ruleName ? [("feature", JSONValue(replay.rule))] : []
    return .object(feature + overTime(column))
  }

  /// The figures of a column over all events, by day and by week.
  private func overTime(_ column: Int) -> [(String, JSONValue)] {
    let figures = figures.columns[column]
    return [
      ("overall", json(figures.overall)),
      (
        "by_day",
        .array(
          figures.byDay.map {
            .object([("day", day($0.day)), ("figures", json($0.figures))])
          })
      ),
      (
        "by_week",
        .array(
          figures.byWeek.map {
            .object([
              ("week", .string(EventTime.weekText(Int($0.monday)))), ("from", day($0.monday)),
              ("to", day($0.monday + 7)), ("figures", json($0.figures)),
            ])
          })
      ),
    ]
  }

  private func day(_ day: Int32) -> JSONValue { .string(EventTime.dayText(Int(day))) }

  /// At most so many elements, evenly spread, the first and the last among them.
  private func spread<Element>(_ all: [Element], _ most: Int) -> [Element] {
    guard all.count > most else { return all }
    return (0..<most).map { all[$0 * (all.count - 1) / (most - 1)] }
  }

  // MARK: Policies and tests

  private func policy(_ index: Int, _ policy: LearningPolicy, _ first: Int) -> JSONValue {
    let decision =
      index == 0 ? replay.table.decisionFigures() : figures.policyDecisions[index - 1]
    return .object([
      ("description", .string(policy.description)),
      (
        "models",
        .object(modelNames.enumerated().map { ($1, .object(overTime(first + $0))) })
      ),
      ("decision", .object([("overall", decision.json)])),
    ])
  }

  private func test(_ test: ReplayFigures.TestFigures) -> JSONValue {
    func models(_ first: Int) -> JSONValue {
      .object(modelNames.enumerated().map { ($1, json(test.columns[first + $0])) })
    }
    var members: [(String, JSONValue)] = [
      ("from", .string(test.window.from.dayOrTime)), ("to", .string(test.window.to.dayOrTime)),
      ("models", models(0)),
      ("baselines", .object(baselineColumns.map { ($0.name, json(test.columns[$0.column])) })),
    ]
    if !replay.options.policies.isEmpty {
      members.append(
        ("policies", .object(policyColumns.map { ($0.policy.rawValue, models($0.first)) })))
    }
    return .object(members + [("left_out_known", JSONValue(test.leftOut))])
  }

  private var testsSummary: JSONValue {
    func models(_ first: Int) -> [(String, JSONValue)] {
      modelNames.enumerated().map { ($1, summary(first + $0)) }
    }
    var members = models(0) + baselineColumns.map { ($0.name, summary($0.column)) }
    if !replay.options.policies.isEmpty {
      members.append(
        (
          "policies",
          .object(policyColumns.map { ($0.policy.rawValue, .object(models($0.first))) })
        ))
    }
    return .object(members)
  }

  /// Mean and spread of a column's figures over the test windows.
  private func summary(_ column: Int) -> JSONValue {
    .object(
      figures.tests[0].columns[column].names.compactMap { name in
        guard let spread = TestSpread(figures.tests, column, name) else { return nil }
        return (
          key(name),
          .object([
            ("mean", JSONValue(spread.mean)), ("spread", JSONValue(spread.deviation)),
            ("values", .array(spread.values.map { JSONValue($0) })),
          ])
        )
      })
  }

  // MARK: Decisions, features, reasons

  /// Events that waited for their label: at the end, and the most at a time.
  private var held: JSONValue {
    .object([
      ("events", JSONValue(replay.training.held.events)),
      ("most_events", JSONValue(replay.training.counters.mostHeld)),
      ("share", JSONValue(replay.training.held.share)),
      ("early_labels", JSONValue(replay.training.held.earlyLabels)),
    ])
  }

  /// What windows hold at the end, and what did not enter them or left before its time.
  private var windows: JSONValue {
    replay.windows.map { .object($0.map { ($0.name, JSONValue($0.count)) }) } ?? .null
  }

  private var decision: JSONValue {
    let decided = replay.table.decisionFigures()
    let days = replay.table.decisionFiguresByDay()
    var members: [(String, JSONValue)] = [
      ("by", .array(replay.pipeline.decisions.by.map { .string($0) }))
    ]
    if let budget = replay.pipeline.decisions.budget {
      members.append(("budget", .string(budget.text)))
    }
    members += [
      ("alerts", JSONValue(replay.alerts)), ("alerts_per_day", JSONValue(alertsPerDay)),
      ("overall", decided.json),
      (
        "intervals",
        .object(
          [("precision", \DetectionFigures.precision), ("recall", \.recall), ("f1", \.f1)]
            .compactMap { name, figure in
              days.interval(
                of: { $0[keyPath: figure] }, resamples: replay.options.resamples,
                seed: replay.options.seed
              ).map { (name, .array([JSONValue($0.low), JSONValue($0.high)])) }
            })
      ),
      (
        "by_day",
        .array(days.map { .object([("day", day($0.day)), ("figures", $0.figures.json)]) })
      ),
      (
        "by_week",
        .array(
          days.byWeek.map {
            .object([
              ("week", .string(EventTime.weekText(Int($0.day)))), ("from", day($0.day)),
              ("to", day($0.day + 7)), ("figures", $0.figures.json),
            ])
          })
      ),
    ]
    if let cost = replay.decisionCost {
      let perEvent = decided.events > 0 ? cost.total / Double(decided.events) : nil
      members.append(
        (
          "cost",
          .object([
            ("total", JSONValue(cost.total)), ("per_event", JSONValue(perEvent)),
            ("alert", JSONValue(cost.alerts)), ("missed", JSONValue(cost.missed)),
          ])
        ))
    }
    return .object(members)
  }

  private func feature(_ index: Int, _ name: String) -> JSONValue {
    let statistics = replay.statistics
    return .object([
      ("name", .string(name)), ("mean", JSONValue(statistics.mean(index))),
      ("deviation", JSONValue(statistics.deviation(index))),
      (
        "drift",
        .array(
          statistics.drift(index).map {
            .object([
              ("week", .string(EventTime.weekText($0.monday))), ("index", JSONValue($0.index)),
            ])
          })
      ),
    ])
  }

  /// The most frequent first.
  private var reasons: JSONValue {
    let counts = replay.reasons.sorted {
      ($1.value, $0.key.model, $0.key.feature) < ($0.value, $1.key.model, $1.key.feature)
    }
    return .array(
      counts.map { reason, count in
        .object([
          ("model", .string(modelNames[reason.model])),
          ("feature", .string(replay.pipeline.plan.names[reason.feature])),
          ("alerts", JSONValue(count)),
          ("share", JSONValue(Double(count) / Double(max(replay.alerts, 1)))),
        ])
      })
  }

  /// The name of a figure; the first k of Card Precision needs no number.
  private func key(_ name: FigureName) -> String {
    if case .cardPrecision(let k) = name, k == replay.options.top.first { return "card_precision" }
    return name.key
  }

  private func json(_ figures: Figures) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("events", JSONValue(figures.events)), ("positives", JSONValue(figures.positives)),
      ("unscored", JSONValue(figures.unscored)), ("auroc", JSONValue(figures.areaUnderROC)),
      ("average_precision", JSONValue(figures.averagePrecision)),
      ("log_loss", JSONValue(figures.logLoss)), ("brier", JSONValue(figures.brierScore)),
      ("accuracy", JSONValue(figures.accuracy)),
      ("calibration_error", JSONValue(figures.calibrationError)),
      ("at_threshold", figures.atThreshold?.json ?? .null),
      ("at_budget", figures.atBudget?.json ?? .null),
      (
        "recall_at_fpr",
        .object(
          figures.recallAtFalsePositiveRate.map {
            ("\($0.falsePositiveRate)", JSONValue($0.recall))
          }
        )
      ),
    ]
    if let entity = replay.cardEntity, let first = figures.cardPrecision.first {
      var card: [(String, JSONValue)] = [
        ("entity", .string(entity)), ("k", JSONValue(first.k)), ("mean", JSONValue(first.value)),
      ]
      let others = figures.cardPrecision.dropFirst()
      if !others.isEmpty {
        card.append(
          (
            "others",
            .array(
              others.map { .object([("k", JSONValue($0.k)), ("mean", JSONValue($0.value))]) })
          ))
      }
      members.append(("card_precision", .object(card)))
    }
    if let cost = figures.cost { members.append(("cost", JSONValue(cost))) }
    if !figures.intervals.isEmpty {
      let intervals = figures.names.compactMap { name in
        figures.intervals[name].map {
          (key(name), JSONValue.array([JSONValue($0.low), JSONValue($0.high)]))
        }
      }
      members.append(("intervals", .object(intervals)))
    }
    return .object(members)
  }
}

extension Int64 {
  /// A day where a time is its beginning, otherwise the time.
  var dayOrTime: String {
    let day = EventTime.day(self)
    return Int64(day) * EventTime.millisecondsPerDay == self
      ? EventTime.dayText(day) : EventTime.text(self)
  }
}

extension AlertBudget {
  /// As a pipeline file writes it.
  var text: String {
    switch self {
    case .perDay(let count): "\(count) a day"
    case .share(let share): "\(significant(share * 100)) %"
    }
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
