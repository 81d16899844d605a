import Evaluation
import Features
import Files
import Foundation
import ModelLog
import Pipeline
import Testing

@Suite struct ReplayTests {
  struct Result {
    var updates: [ParameterUpdate] = []
    var decisions: [String] = []
    var replay: Replay

    var statements: [Statement] { updates.map { Statement($0) } }
  }

  private func replay(
    _ text: String, _ pipeline: Pipeline, options: Replay.Options = .init()
  ) throws -> Result {
    try withFile(text) { path in
      var history = try HistoryReader(path: path, schema: pipeline.schema)
      var result = try Result(replay: Replay(pipeline: pipeline, options: options))
      var hooks = Replay.Hooks()
      hooks.published = { result.updates.append($0) }
      hooks.decision = { result.decisions.append(String(decoding: $0.dropLast(), as: UTF8.self)) }
      try result.replay.run(&history, hooks: hooks)
      #expect(history.refused == 0)
      return result
    }
  }

  private func jsonLines(_ events: [Event]) -> String {
    events.map(\.history).joined(separator: "\n") + "\n"
  }

  private func csv(_ events: [Event]) -> String {
    "fraud,balance,time,id,other,amount\n"
      + events.map { event in
        "\(event.fraud.map { $0 ? "1" : "0" } ?? ""),\(event.balance.map { "\($0)" } ?? ""),"
          + "\(event.time),\(event.id),\"x,y\",\(event.amount)\n"
      }.joined()
  }

  @Test func sameHistoryGivesTheSameVersionsBitForBit() throws {
    let text = jsonLines(.init(Event.stream(4000)))
    let pipeline = try Pipeline.test()
    let first = try replay(text, pipeline)
    let second = try replay(text, pipeline)
    #expect(first.updates.map { $0.encode() } == second.updates.map { $0.encode() })
    #expect(first.decisions == second.decisions)
    #expect(first.updates.count > 30)
    #expect(first.replay.events == 4000)
    #expect(first.replay.labelled == 4000)
    for model in pipeline.models.indices {
      let last = try #require(first.updates.last { $0.header.model == pipeline.models[model].name })
      #expect(first.replay.final[model]?.digest == last.digest)
    }
  }

  @Test func anotherSeedGivesOtherForests() throws {
    let text = jsonLines(Event.stream(500))
    let one = try replay(text, .test())
    let two = try replay(text, .test(("publish:", "seed: 2\npublish:")))
    func digests(_ result: Result, _ model: String) -> [Digest] {
      result.updates.filter { $0.header.model == model }.map(\.digest)
    }
    #expect(digests(one, "outlier") != digests(two, "outlier"))
    #expect(digests(one, "fraud") == digests(two, "fraud"))
  }

  @Test func linesAndTablesGiveTheSameResult() throws {
    let events = Event.stream(1500)
    let pipeline = try Pipeline.test()
    let lines = try replay(jsonLines(events), pipeline)
    let table = try replay(csv(events), pipeline)
    #expect(lines.updates.map { $0.encode() } == table.updates.map { $0.encode() })
    #expect(lines.decisions == table.decisions)
  }

  /// Replay scores whole blocks; the result has to be that of one event at a time.
  @Test(
    arguments: [
      ("5 %", "10m", 5_000), ("5 %", "0s", 5_000), ("200 a day", "3h", 5_000),
      ("5 %", "2h", 20 * 60_000),
    ] as [(String, String, Int64)])
  func blocksAreScoredAsOneEventAtATime(
    _ budget: String, _ delay: String, _ spacing: Int64
  ) throws {
    let pipeline = try Pipeline.test(("5 %", budget), ("10m", delay))
    try expectSame(Event.stream(6000, spacing: spacing), pipeline)
  }

  @Test func blocksEndWhereTheIntervalOfPublishingDoes() throws {
    let text = pipelineText.replacingOccurrences(of: "200", with: "100000\n  interval: 20m")
      .replacingOccurrences(of: "kind: logistic-regression", with: "kind: k-means")
    let pipeline = try Pipeline(yaml: text, path: "test.yaml")
    try expectSame(Event.stream(1500, spacing: 5 * minute), pipeline)
  }

  @Test func eventsThatComeOutOfOrderAreScoredAsOneAtATime() throws {
    var events = Event.stream(2000)
    for index in stride(from: 5, to: 2000, by: 7) { events[index].time -= 20 * minute }
    try expectSame(events, .test(("10m", "0s")), delay: 0)
  }

  private func expectSame(_ events: [Event], _ pipeline: Pipeline, delay: Int64? = nil) throws {
    let replayed = try replay(jsonLines(events), pipeline)
    var bench = Bench(pipeline)
    var decisions: [String] = []
    let delay = pipeline.labels!.delay
    var queue: [(due: Int64, event: Event)] = []
    func deliver(_ bench: inout Bench, dueBy time: Int64) {
      // In the order of their times, and of the events where these are the same.
      let known = queue.indices.filter { queue[$0].due <= time }
        .sorted { (queue[$0].due, $0) < (queue[$1].due, $1) }
      for index in known {
        bench.label(queue[index].event.id, queue[index].event.fraud!, at: queue[index].due)
      }
      for index in known.sorted(by: >) { queue.remove(at: index) }
    }
    for event in events {
      let one = try block([event], of: pipeline)
      let scored = bench.scoring.score(one)
      var decision: [UInt8] = []
      bench.scoring.writeDecision(row: 0, of: one, into: &decision)
      decisions.append(String(decoding: decision, as: UTF8.self))
      bench.training.observe(scored)
      let now = bench.training.eventTime!
      queue.append((max(min(event.time, now) + delay, now), event))
      deliver(&bench, dueBy: bench.training.eventTime!)
      try bench.serve()
    }
    deliver(&bench, dueBy: .max)
    try bench.serve()
    bench.training.finish()
    try bench.serve()
    let supervised = pipeline.models.filter(\.learner.isSupervised).map(\.name)
    // The figures of models without labels are taken at the end of a block.
    let mine = bench.updates.map { Statement($0, figures: supervised.contains($0.header.model)) }
    let theirs = replayed.updates.map {
      Statement($0, figures: supervised.contains($0.header.model))
    }
    #expect(mine.count == theirs.count)
    let models = pipeline.models.map(\.name)
    for model in models {
      let mine = mine.filter { $0.name.contains("/\(model)@") }
      let theirs = theirs.filter { $0.name.contains("/\(model)@") }
      let differing = zip(mine, theirs).first { $0 != $1 }
      #expect(differing == nil)
    }
    let differing = decisions.indices.first { decisions[$0] != replayed.decisions[$0] }
    if let differing {
      Issue.record("event \(differing):\n\(decisions[differing])\n\(replayed.decisions[differing])")
    }
  }

  /// What an event's own label says must not show before the delay has passed.
  @Test func labelsAreNeverUsedBeforeTheirDelay() throws {
    let events = Event.stream(2400)
    let pipeline = try Pipeline.test(("10m", "1h"))
    let honest = try replay(jsonLines(events), pipeline)
    // From some event on, all labels are the opposite.
    let turn = 500
    var other = events
    for index in turn..<other.count { other[index].fraud = !other[index].fraud! }
    let changed = try replay(jsonLines(other), pipeline)
    let known = try #require(events.firstIndex { $0.time >= events[turn].time + hour })
    #expect(honest.decisions[..<known] == changed.decisions[..<known])
    #expect(honest.decisions[known...] != changed.decisions[known...])
  }

  @Test func labelDelayCanBeOverridden() throws {
    let text = jsonLines(Event.stream(600))
    let asked = try replay(text, .test(), options: .init(labelDelay: 0))
    let written = try replay(text, .test(("10m", "0s")))
    #expect(asked.decisions == written.decisions)
    let late = try replay(text, .test(), options: .init(labelDelay: 1000 * hour))
    #expect(late.decisions.allSatisfy { !$0.contains("\"fraud\":{") })
  }

  /// A pipeline that learns from no labels is evaluated by the labels of the file, but holds none.
  @Test func labelsOfAPipelineWithoutAnyOnlyEvaluate() throws {
    let pipeline = try Pipeline.unlabelled()
    let events = Event.stream(800)
    let result = try withFile(jsonLines(events)) { path in
      var schema = pipeline.schema
      schema.label = .init(name: "fraud", type: .number)
      var history = try HistoryReader(path: path, schema: schema)
      let replay = try Replay(pipeline: pipeline)
      try replay.run(&history)
      return replay
    }
    #expect(result.labelled == 800)
    #expect(result.table.figures(model: 1, budget: nil).events > 700)
    #expect(result.training.held.earlyLabels == 0)
    #expect(result.training.held.events == 0)
  }

  @Test func tableHoldsEveryLabelledEventAsItWasScored() throws {
    var events = Event.stream(900)
    for index in stride(from: 0, to: 900, by: 3) { events[index].fraud = nil }
    let result = try replay(jsonLines(events), .test())
    #expect(result.replay.events == 900)
    #expect(result.replay.labelled == 600)
    let figures = result.replay.table.figures(model: 0, budget: nil)
    #expect(figures.events + figures.unscored == 600)
    #expect(try #require(figures.areaUnderROC) > 0.9)
    #expect(result.decisions.count == 900)
  }

  @Test func refusedRowsAreCountedAndNamed() throws {
    var lines = Event.stream(50).map(\.history)
    lines[10] = "{\"id\": 3"
    lines[20] = "{\"id\":\"x\",\"time\":1}"
    let pipeline = try Pipeline.test()
    try withFile(lines.joined(separator: "\n")) { path in
      var history = try HistoryReader(path: path, schema: pipeline.schema)
      let replay = try Replay(pipeline: pipeline)
      try replay.run(&history)
      #expect(replay.events == 48)
      #expect(history.rows == 50)
      #expect(history.refused == 2)
      #expect(history.firstRefusals.map(\.row) == [10, 20])
      #expect(history.firstRefusals[1].reason == .missing(field: "amount"))
    }
  }

  // MARK: Real data

  /// The folder with the data sets, if this machine has it.
  static let datasets = ProcessInfo.processInfo.environment["WEIR_DATASETS"]

  @Test(.enabled(if: datasets != nil, "WEIR_DATASETS names no folder with creditcard_sub.csv.gz"))
  func creditCardFraudsAreFound() throws {
    let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("models")
    let pipeline = try Pipeline(path: models.appendingPathComponent("credit-card.yaml").path)
    var history = try HistoryReader(
      path: Self.datasets! + "/creditcard_sub.csv.gz", schema: pipeline.schema)
    let replay = try Replay(pipeline: pipeline)
    try replay.run(&history)
    let fraud = replay.table.figures(model: pipeline.modelIndex("fraud")!, budget: nil)
    let outlier = replay.table.figures(model: pipeline.modelIndex("outlier")!, budget: nil)
    #expect(try #require(fraud.areaUnderROC) >= 0.96)
    #expect(try #require(outlier.areaUnderROC) >= 0.92)
  }
}
