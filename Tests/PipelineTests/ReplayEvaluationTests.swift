import Evaluation
import Features
import Foundation
import ModelLog
import Pipeline
import Testing

/// Policies, test windows, costs and what else a replay is asked for.
@Suite struct ReplayEvaluationTests {
  private struct Card {
    var time: Int64
    var card: Int?
    var amount: Double
    var fraud: Bool?
  }

  private static let day: Int64 = 24 * hour

  /// Some days of card payments; a fraud's card goes on being used.
  private func stream(seed: UInt64, days: Int = 20, perDay: Int = 120) -> [Card] {
    var random = SeededGenerator(seed: seed)
    return (0..<days * perDay).map { index in
      let time = start + Int64(index) * Self.day / Int64(perDay) + Int64(index % 7) * 1000
      let fraud = Int.random(in: 0..<25, using: &random) == 0
      let card = Int.random(in: 0..<40, using: &random)
      return Card(
        time: time, card: card == 0 ? nil : card,
        amount: Double.random(in: 1...100, using: &random) + (fraud ? 60 : 0),
        fraud: Int.random(in: 0..<20, using: &random) == 0 ? nil : fraud)
    }
  }

  private func pipeline(_ changes: (String, String)...) throws -> Pipeline {
    var text = pipelineText.replacingOccurrences(of: "10m", with: "1d")
      .replacingOccurrences(of: "  fields:\n", with: "  entities: [card]\n  fields:\n")
    for (old, new) in changes {
      try #require(text.contains(old))
      text = text.replacingOccurrences(of: old, with: new)
    }
    return try Pipeline(yaml: text, path: "test.yaml")
  }

  private func run(
    _ cards: [Card], _ pipeline: Pipeline, _ options: Replay.Options = .init(),
    published: @escaping (Replay, ParameterUpdate) -> Void = { _, _ in }
  ) throws -> Replay {
    let lines = cards.enumerated().map { index, card in
      "\(index),\(card.time),\(card.card.map { "c\($0)" } ?? ""),\(card.amount),"
        + "\(card.fraud.map { $0 ? "1" : "0" } ?? "")\n"
    }
    return try withFile("id,time,card,amount,fraud\n" + lines.joined()) { path in
      var history = try HistoryReader(path: path, schema: pipeline.schema)
      let replay = try Replay(pipeline: pipeline, options: options)
      var hooks = Replay.Hooks()
      hooks.published = { published(replay, $0) }
      try replay.run(&history, hooks: hooks)
      #expect(history.refused == 0)
      return replay
    }
  }

  private func text(_ time: Int64) -> String { EventTime.text(time) }

  private func window(_ from: Int, _ to: Int) throws -> TestWindow {
    try #require(
      TestWindow(
        "\(text(start + Int64(from) * Self.day))..\(text(start + Int64(to) * Self.day))"))
  }

  /// Under a policy, the events between two boundaries have the scores of the versions that were
  /// published last before the first of them.
  @Test(arguments: [LearningPolicy.frozen, .daily, .weekly])
  func policiesServeWhatWasPublishedBeforeTheirBoundary(_ policy: LearningPolicy) throws {
    let cards = stream(seed: 4)
    // Versions come several times a day.
    let pipeline = try pipeline(("every: 200", "every: 50"))
    var options = Replay.Options()
    options.policies = [policy]
    // The boundary lies at the first window's start; the last day still has it under each policy
    // but daily.
    options.tests = [try window(10, 11), try window(11, 12), try window(16, 17)]
    var updates: [(events: UInt64, update: ParameterUpdate)] = []
    let replay = try run(cards, pipeline, options) { updates.append(($0.events, $1)) }
    let figures = replay.figures()
    let first = pipeline.models.count + replay.baselines.count
    for (index, test) in options.tests.enumerated() {
      let from = policy == .daily ? test.from : options.tests[0].from
      let boundary = try #require(cards.firstIndex { $0.time >= from })
      let versions = try pipeline.models.map { model -> ServedModel in
        var served: ServedModel?
        for (events, update) in updates where events <= UInt64(boundary) {
          guard update.header.model == model.name else { continue }
          let outcome = try ServedModel.apply(update, to: served, fingerprint: nil)
          if case .applied(let next) = outcome { served = next }
        }
        return try #require(served)
      }
      var expected = Replay.Options(models: versions)
      expected.tests = [test]
      let alone = try run(cards, pipeline, expected).figures().tests[0]
      for model in pipeline.models.indices {
        let mine = figures.tests[index].columns[first + model]
        let theirs = alone.columns[model]
        #expect(mine.areaUnderROC == theirs.areaUnderROC)
        #expect(mine.averagePrecision == theirs.averagePrecision)
        #expect(mine.logLoss == theirs.logLoss)
        #expect(mine.atThreshold == theirs.atThreshold)
        #expect(mine.unscored == 0)
      }
      // The versions went on meanwhile.
      #expect(
        figures.tests[index].columns[0].logLoss != figures.tests[index].columns[first].logLoss)
    }
    let before = try window(0, 9)
    let column = figures.columns[first]
    if policy == .frozen {
      let days = column.byDay.filter { Int64($0.day) * Self.day < before.to }
      #expect(days == figures.columns[0].byDay.filter { Int64($0.day) * Self.day < before.to })
    }
    #expect(column.overall.events + column.overall.unscored == replay.table.count)
    #expect(figures.policyDecisions[0].events > 0)
  }

  @Test func policiesLeaveOnlineAsItIs() throws {
    let cards = stream(seed: 5, days: 8)
    let pipeline = try pipeline()
    let alone = try run(cards, pipeline)
    var options = Replay.Options()
    options.policies = [.daily, .weekly]
    let together = try run(cards, pipeline, options)
    #expect(alone.final.map { $0?.digest } == together.final.map { $0?.digest })
    let models = 0..<pipeline.models.count
    #expect(
      models.map { alone.figures().columns[$0] } == models.map { together.figures().columns[$0] })
    // Nothing serves before the first boundary, a day or a week after the first event's day began.
    let first = pipeline.models.count + together.baselines.count
    let unscored = together.figures().columns[first...].map(\.overall.unscored)
    let labelled = { (days: Int) in cards.prefix(days * 120).count { $0.fraud != nil } }
    #expect(unscored[1] == labelled(1))
    #expect(unscored[pipeline.models.count + 1] == labelled(7))
  }

  @Test func knownEntitiesAreLeftOutDayByDay() throws {
    let cards = stream(seed: 6)
    let pipeline = try pipeline()
    var options = Replay.Options()
    options.tests = [try window(8, 12), try window(12, 15)]
    options.leaveOutKnown = "card"
    for since in [nil, 5 * Self.day] {
      options.knownSince = since
      let replay = try run(cards, pipeline, options)
      let figures = replay.figures()
      for (test, result) in zip(options.tests, figures.tests) {
        let inside = cards.filter { test.from <= $0.time && $0.time < test.to && $0.fraud != nil }
        let left = inside.filter { event in
          let begin = event.time - event.time % Self.day
          return !cards.contains {
            $0.fraud == true && $0.card != nil && $0.card == event.card
              && $0.time + Self.day < begin && $0.time >= test.from - (since ?? .max / 2)
          }
        }
        #expect(result.leftOut == inside.count - left.count)
        #expect(result.leftOut > 0)
        #expect(result.columns[0].events == left.count)
        #expect(result.columns[0].positives == left.count { $0.fraud == true })
      }
    }
  }

  @Test func costsFollowFromThePipelineFile() throws {
    let cards = stream(seed: 7, days: 6)
    let pipeline = try pipeline(
      ("budget: 5 %", "budget: 5 %\n  cost: {alert: 3, missed: amount, caught: 1}"))
    let replay = try run(cards, pipeline)
    let figures = replay.figures()
    let missed = cards.filter { $0.fraud == true }.reduce(0) { $0 + Double(Float($1.amount)) }
    // A baseline flags nothing.
    let nothing = try #require(figures.columns[pipeline.models.count].overall.cost)
    #expect(abs(nothing - missed) < 1e-6 * missed)
    let decision = replay.table.decisionFigures()
    let cost = try #require(replay.decisionCost)
    #expect(cost.alerts == 3 * Double(decision.alerts))
    #expect(
      abs(cost.total - cost.alerts - cost.missed + Double(decision.truePositives)) < 1e-6 * missed)
    #expect(cost.missed < missed)
    #expect(try pipeline.fingerprint == self.pipeline().fingerprint)
  }

  @Test(
    arguments: [
      ("{alert: 3}", "'cost' has no 'missed'"),
      ("{alert: 3, missed: amont}", "'missed' must be a number or a number field; did you mean"),
      ("{alert: 3, missed: 5, lost: 2}", "unknown key 'lost' in 'cost'"),
    ])
  func badCostsAreRefused(_ cost: String, _ message: String) throws {
    do {
      _ = try pipeline(("budget: 5 %", "budget: 5 %\n  cost: \(cost)"))
      Issue.record("accepted")
    } catch { #expect("\(error)".contains(message), "\(error)") }
  }

  @Test func unknownNamesAreRefusedWithTheNearest() throws {
    let pipeline = try pipeline()
    func refused(_ change: (inout Replay.Options) -> Void) -> String {
      var options = Replay.Options()
      change(&options)
      do {
        _ = try Replay(pipeline: pipeline, options: options)
        return "accepted"
      } catch { return "\(error)" }
    }
    #expect(refused { $0.cardPrecision = "crad" }.contains("did you mean 'card'"))
    #expect(refused { $0.leaveOutKnown = "x" }.contains("does not name 'x'"))
    #expect(refused { $0.rule = "amuont" }.contains("did you mean 'amount'"))
    #expect(refused { $0.policies = [.frozen] }.contains("a time to freeze at"))
  }

  @Test func theRuleScoresByOneFeature() throws {
    let cards = stream(seed: 8, days: 5)
    let pipeline = try pipeline()
    let replay = try run(cards, pipeline)
    #expect(replay.rule == "amount")
    let labelled = cards.filter { $0.fraud != nil }
    var table = EvaluationTable(models: [ModelColumn(name: "rule", isProbability: false)])
    for card in labelled {
      table.append(
        scores: [Float(card.amount)], decision: .none, label: card.fraud!, day: 0)
    }
    let column = try #require(replay.table.index(ofModel: "rule"))
    #expect(
      replay.figures().columns[column].overall.areaUnderROC == table.figures(model: 0).areaUnderROC)
  }

  @Test func versionsShareTheEventsAmongThem() throws {
    let replay = try run(stream(seed: 9, days: 10), pipeline())
    let figures = replay.figures()
    for model in replay.pipeline.models.indices {
      let versions = figures.versions[model]
      let events = versions.reduce(0) { $0 + $1.figures.events }
      #expect(events == figures.columns[model].overall.events)
      #expect(versions.map(\.version.version) == versions.map(\.version.version).sorted())
      #expect(versions.count > 3)
      #expect(replay.published[model].map(\.version).last == replay.final[model]?.header.version)
    }
  }

  @Test func driftShowsInTheWeekOfTheChange() throws {
    var cards = stream(seed: 10, days: 43)
    let turn = start + 36 * Self.day
    for index in cards.indices where cards[index].time >= turn { cards[index].amount *= 4 }
    let replay = try run(cards, pipeline())
    let drift = replay.statistics.drift(0)
    // 2018-04-01 was a Sunday: a week of its own, of which nothing can be said.
    #expect(drift.count == 7)
    #expect(drift[0].index == nil)
    #expect(drift[1...5].allSatisfy { ($0.index ?? 1) < 0.1 })
    #expect(try #require(drift[6].index) > 0.5)
    let mean = cards.reduce(0) { $0 + $1.amount } / Double(cards.count)
    #expect(abs(try #require(replay.statistics.mean(0)) - mean) < 1e-9 * mean)
    let square = cards.reduce(0) { $0 + ($1.amount - mean) * ($1.amount - mean) }
    let deviation = (square / Double(cards.count)).squareRoot()
    #expect(abs(try #require(replay.statistics.deviation(0)) - deviation) < 1e-9 * deviation)
  }

  @Test func reasonsAreCountedOverAlerts() throws {
    let replay = try run(stream(seed: 11, days: 6), pipeline())
    #expect(replay.alerts > 0)
    let most = try #require(replay.reasons.values.max())
    #expect(most <= replay.alerts)
    #expect(replay.reasons.values.reduce(0, +) >= replay.alerts)
  }

  @Test func windowsAreReadAsDaysOrTimes() {
    #expect(TestWindow("2018-08-08..2018-08-15")?.to == 1_534_291_200_000)
    #expect(TestWindow("2018-08-08 12:00..2018-08-08T13:00:00Z").map { $0.to - $0.from } == hour)
    for text in ["2018-08-08", "2018-08-08..", "2018-08-15..2018-08-08", "a..b"] {
      #expect(TestWindow(text) == nil)
    }
  }
}
