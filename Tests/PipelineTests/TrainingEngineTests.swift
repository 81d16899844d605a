import Features
import Foundation
import ModelLog
import Pipeline
import Testing

@Suite struct TrainingEngineTests {
  // MARK: Labels

  private func events(_ ids: String..., at time: Int64 = start) -> [Event] {
    ids.map { Event(id: $0, time: time, amount: 1) }
  }

  @Test func labelOfAWaitingEventIsLearntOnce() throws {
    var bench = Bench(try .test())
    try bench.observe(events("a", "b"))
    bench.label("a", true, at: start + minute)
    #expect(bench.training.counters.examples == 1)
    bench.label("a", true, at: start + 2 * minute)
    bench.label("a", false, at: start + 3 * minute)
    let counters = bench.training.counters
    #expect(counters.events == 2)
    #expect(counters.labels == 3)
    #expect(counters.examples == 1)
    #expect(counters.duplicateLabels == 1)
    #expect(counters.contradictingLabels == 1)
  }

  /// An event whose label was corrected counts once in the figures, with its last label, and the
  /// parameters move towards that label.
  @Test func theLastOfContradictingLabelsWins() throws {
    func run(_ labels: (Event) -> [Bool]) throws -> (ParameterUpdate.Figures, Double) {
      var bench = Bench(try .test())
      let events = Event.stream(600)
      for (index, event) in events.enumerated() {
        try bench.observe([event])
        for label in index < 200 ? [event.fraud!] : labels(event) {
          bench.label(event.id, label, at: event.time + minute)
        }
        // From here on every event is scored by one and the same version.
        if index == 200 { try bench.serve() }
      }
      bench.training.finish()
      try bench.serve()
      let update = try #require(bench.updates.last { $0.header.model == "fraud" })
      var scores = 0.0
      let block = bench.scoring.score(try block(Array(events.suffix(100)), of: bench.pipeline))
      for row in 0..<100 {
        scores += Double(block.score(model: 0, row: row)) * (events[500 + row].fraud! ? 1 : -1)
      }
      return (update.header.figures, scores)
    }
    let right = try run { [$0.fraud!] }
    let corrected = try run { [!$0.fraud!, $0.fraud!] }
    let wrong = try run { [!$0.fraud!] }
    #expect(corrected.0.labelled == right.0.labelled)
    #expect(corrected.0.positives == right.0.positives)
    #expect(right.0.labelled > 390 && right.0.positives < wrong.0.positives)
    #expect(wrong.1 < corrected.1 && corrected.1 <= right.1)
  }

  @Test func labelBeforeItsEventIsKeptAndLearntWithIt() throws {
    var bench = Bench(try .test())
    bench.label("a", false, at: start)
    bench.label("a", true, at: start)
    #expect(bench.training.counters.earlyLabels == 1)
    #expect(bench.training.counters.contradictingLabels == 1)
    #expect(bench.training.counters.examples == 0)
    #expect(bench.training.held.earlyLabels == 1)
    try bench.observe(events("a"))
    #expect(bench.training.counters.examples == 1)
    #expect(bench.training.held.earlyLabels == 0)
    // The last label that came before the event is the one that was learnt.
    bench.label("a", true, at: start)
    #expect(bench.training.counters.duplicateLabels == 1)
    #expect(bench.training.counters.contradictingLabels == 1)
  }

  @Test func labelsForEventsThatNeverComeAreLetGo() throws {
    var bench = Bench(try .test())
    try bench.observe(events("a"))
    for index in 0..<50 { bench.label("ghost \(index)", true, at: start + minute) }
    #expect(bench.training.held.earlyLabels == 50)
    try bench.observe(events("b", at: start + 2 * hour))
    try bench.observe(events("c", at: start + 2 * hour))
    #expect(bench.training.held.earlyLabels == 0)
    #expect(bench.training.held.events == 2)
    #expect(bench.training.counters.examples == 0)
    #expect(bench.training.counters.labelsUnmatched == 50)
  }

  @Test func unlabelledEventsAreIgnoredOnceTheDelayHasPassed() throws {
    var bench = Bench(try .test())
    try bench.observe(events("a", "b"))
    bench.label("a", true, at: start + minute)
    #expect(bench.training.counters.unlabelled == 0)
    try bench.observe(events("c", at: start + 9 * minute))
    #expect(bench.training.counters.unlabelled == 0)
    // Labels given meanwhile may stand behind the events of this moment.
    try bench.observe(events("d", at: start + 2 * hour))
    #expect(bench.training.counters.unlabelled == 0)
    try bench.observe(events("e", at: start + 2 * hour))
    #expect(bench.training.counters.unlabelled == 2)
    #expect(bench.training.counters.presumedNegative == 0)
    #expect(bench.training.counters.examples == 1)
    #expect(bench.training.held.events == 2)
    // It is too late now.
    bench.label("b", true, at: start + 2 * hour)
    #expect(bench.training.counters.examples == 1)
  }

  @Test func unlabelledEventsCountAsNegativeIfTheFileSaysSo() throws {
    var bench = Bench(try .test(("unlabelled: ignore", "unlabelled: negative")))
    for index in 0..<16 { try bench.observe(events("a\(index)")) }
    bench.label("a0", true, at: start + minute)
    try bench.serve()
    #expect(!bench.updates.contains { $0.header.model == "fraud" })
    try bench.observe(events("z", at: start + 2 * hour))
    try bench.observe(events("zz", at: start + 2 * hour))
    #expect(bench.training.counters.presumedNegative == 15)
    #expect(bench.training.counters.unlabelled == 0)
    try bench.serve()
    let update = try #require(bench.updates.first { $0.header.model == "fraud" })
    #expect(update.header.examples == 16)
  }

  @Test func labelAfterTheDelayIsLate() throws {
    var bench = Bench(try .test())
    // The block is held for its second event.
    try bench.observe(events("a") + events("b", at: start + 2 * hour))
    try bench.observe(events("c", at: start + 2 * hour))
    bench.label("a", true, at: start + 2 * hour)
    #expect(bench.training.counters.lateLabels == 1)
    #expect(bench.training.counters.examples == 0)
    bench.label("b", true, at: start + 2 * hour)
    #expect(bench.training.counters.examples == 1)
  }

  @Test func labelAtTheVeryEndOfItsDelayStillCounts() throws {
    var bench = Bench(try .test())
    try bench.observe(events("a"))
    try bench.observe(events("b", at: start + 10 * minute))
    bench.label("a", true, at: start + 10 * minute)
    #expect(bench.training.counters.examples == 1)
  }

  @Test func duplicateEventsAreCountedAndTheNewerTakesTheLabel() throws {
    var bench = Bench(try .test())
    try bench.observe(events("a"))
    try bench.observe(events("a", at: start + minute))
    #expect(bench.training.counters.duplicateEvents == 1)
    bench.label("a", true, at: start + minute)
    bench.label("a", true, at: start + minute)
    #expect(bench.training.counters.examples == 1)
    try bench.observe(events("z", at: start + 3 * hour))
    try bench.observe(events("zz", at: start + 3 * hour))
    #expect(bench.training.held.events == 2)
  }

  @Test func withoutALabelPolicyNothingIsHeld() throws {
    var bench = Bench(try .unlabelled())
    try bench.observe(events("a"))
    bench.label("a", true, at: start)
    #expect(bench.training.held.events == 0)
    #expect(bench.training.held.earlyLabels == 0)
  }

  // MARK: Versions

  @Test func firstVersionsComeWithinTheFirstHundredEvents() throws {
    var bench = Bench(try .test())
    let events = Event.stream(100)
    for event in events { try bench.observe([event]) }
    for event in events { bench.label(event.id, event.fraud!, at: event.time) }
    try bench.serve()
    for model in ["fraud", "clusters", "outlier"] {
      let first = try #require(bench.updates.first { $0.header.model == model })
      #expect(first.header.version == 1)
      #expect(first.header.isSnapshot)
      #expect(first.header.examples <= 100)
    }
  }

  @Test func versionsRiseByOneAndComeAsOftenAsAskedFor() throws {
    // A small forest's trees by gain, of sixteen rows each, would be withheld at times.
    var bench = Bench(
      try .test(("replace_every: 16", "replace_every: 16\n    gain_share: 0")))
    try bench.run(Event.stream(3000))
    for model in bench.pipeline.models {
      let headers = bench.updates.map(\.header).filter { $0.model == model.name }
      #expect(headers.map(\.version) == Array(1...UInt64(headers.count)))
      for (previous, next) in zip(headers, headers.dropFirst()) {
        #expect(next.examples > previous.examples)
        // A batch may overshoot.
        #expect(next.examples - previous.examples < 200 + 64)
      }
      #expect(headers.last?.examples == 3000)
    }
  }

  @Test func intervalPublishesHoweverFewTheRows() throws {
    let pipeline = try Pipeline.test(
      ("every: 200", "every: 1000000\n  interval: 30m"))
    var bench = Bench(pipeline)
    // An event every 10 minutes for two days.
    try bench.run(Event.stream(288, spacing: 10 * minute))
    for model in ["fraud", "clusters", "outlier"] {
      let times = bench.updates.map(\.header).filter { $0.model == model }.map(\.eventTime)
      // The forest waits for rows enough to grow a tree on; after that there are no long gaps.
      for (previous, next) in zip(times, times.dropFirst()).dropLast() {
        #expect(next - previous <= 60 * minute, "\(model)")
      }
      #expect(times.count > 40, "\(model)")
    }
  }

  @Test(arguments: [1, 7, 50])
  func savedAndRestoredEngineGoesOnAsIfUndisturbed(_ every: Int) throws {
    let events = Event.stream(every < 10 ? 300 : 1500)
    for changes in [("every: 200", "every: 200"), ("unlabelled: ignore", "unlabelled: negative")] {
      let pipeline = try Pipeline.test(changes)
      var undisturbed = Bench(pipeline)
      try undisturbed.run(events)
      var disturbed = Bench(pipeline)
      var store: [String: [UInt8]] = [:]
      try disturbed.run(events) { bench, index in
        guard index % every == 0 else { return }
        for (key, bytes) in bench.training.takeStateChanges() { store[key] = bytes }
        let restored = try TrainingEngine(pipeline: pipeline, epoch: 1) { store[$0] }
        bench.training = try #require(restored)
      }
      #expect(disturbed.updates.map { Statement($0) } == undisturbed.updates.map { Statement($0) })
      #expect(disturbed.training.counters == undisturbed.training.counters)
      #expect(disturbed.training.held == undisturbed.training.held)
      // What has matured is not kept in the store.
      #expect(store.count < 60 + disturbed.training.held.events * 2)
    }
  }

  @Test func storeWithoutStateGivesNoEngine() throws {
    #expect(try TrainingEngine(pipeline: .test(), epoch: 1) { _ in nil } == nil)
  }

  @Test func damagedStateIsRefused() throws {
    var bench = Bench(try .test())
    let events = Event.stream(300)
    for from in stride(from: 0, to: 300, by: 50) {
      try bench.observe(Array(events[from..<from + 50]))
      bench.label("e\(from)", true, at: events[from].time)
      bench.label("ghost \(from)", true, at: events[from].time)
    }
    var store: [String: [UInt8]] = [:]
    for (key, bytes) in bench.training.takeStateChanges() { store[key] = bytes }
    let seed = UInt64.random(in: 1...1_000_000)
    var random = SeededGenerator(seed: seed)
    for key in store.keys.sorted() {
      var missing = store
      missing[key] = nil
      if key == "engine" {
        #expect(try TrainingEngine(pipeline: bench.pipeline, epoch: 1) { missing[$0] } == nil)
      } else if key != "pending/early" {
        #expect(throws: (any Error).self, "without \(key)") {
          try TrainingEngine(pipeline: bench.pipeline, epoch: 1) { missing[$0] }
        }
      }
      for _ in 0..<10 {
        var damaged = store
        damaged[key] = store[key]!.dropLast(Int.random(in: 1...store[key]!.count, using: &random))
        #expect(throws: (any Error).self, "\(key), seed \(seed)") {
          try TrainingEngine(pipeline: bench.pipeline, epoch: 1) { damaged[$0] }
        }
        // Flipped bytes may go unnoticed here (the log has checksums), but nothing traps.
        damaged = store
        let at = Int.random(in: 0..<store[key]!.count, using: &random)
        damaged[key]![at] = UInt8.random(in: 0...255, using: &random)
        _ = try? TrainingEngine(pipeline: bench.pipeline, epoch: 1) { damaged[$0] }
      }
    }
  }

  @Test func stateOfAnotherPipelineFileIsRefusedWithTheDifference() throws {
    var bench = Bench(try .test())
    try bench.observe(Event.stream(30))
    var store: [String: [UInt8]] = [:]
    for (key, bytes) in bench.training.takeStateChanges() { store[key] = bytes }
    let other = try Pipeline.test(("- log: balance", "- number: balance"))
    let error = try #require(throws: PipelineMismatch.self) {
      _ = try TrainingEngine(pipeline: other, epoch: 1) { store[$0] }
    }
    #expect(error.description.contains("- feature log(balance)"))
    #expect(error.description.contains("+ feature balance"))
  }

  @Test func stateOutlivesChangesThatLeaveTheFingerprint() throws {
    var bench = Bench(try .test())
    try bench.observe(Event.stream(230))
    var store: [String: [UInt8]] = [:]
    for (key, bytes) in bench.training.takeStateChanges() { store[key] = bytes }
    for change in [("batch: 32", "batch: 3"), ("batch: 32", "batch: 300"), ("5 %", "10 a day")] {
      let pipeline = try Pipeline.test(change)
      var training = try #require(try TrainingEngine(pipeline: pipeline, epoch: 2) { store[$0] })
      let next = Event.stream(400).dropFirst(230)
      var scoring = ScoringEngine(pipeline: pipeline)
      training.observe(scoring.score(try block(Array(next.prefix(170)), of: pipeline)))
      #expect(training.counters.events == 400)
      training.finish()
      for update in training.takeUpdates(time: 0, positions: []) { try scoring.apply(update) }
    }
  }

  // MARK: Thresholds

  @Test(arguments: ["5 %", "1 %", "100 a day", "1000 a day"])
  func thresholdsKeepTheAlertRateNearTheBudget(_ budget: String) throws {
    let text = pipelineText.replacingOccurrences(of: "  - time: hour\n", with: "")
      .replacingOccurrences(of: "by: [fraud, outlier]", with: "by: [outlier]")
      .replacingOccurrences(of: "5 %", with: budget)
    let pipeline = try Pipeline(yaml: text, path: "test.yaml")
    var bench = Bench(pipeline)
    // A stationary stream of 17,280 events a day.
    let events = Event.stream(30_000)
    var alerts = 0
    for from in stride(from: 0, to: events.count, by: 50) {
      try bench.observe(Array(events[from..<from + 50]))
      try bench.serve()
      guard from >= 12_000 else { continue }
      let block = bench.blocks.removeLast()
      alerts += (0..<50).count { block.outcome($0) == .alert }
    }
    let share = Double(alerts) / 18_000
    let wanted = [
      "5 %": 0.05, "1 %": 0.01, "100 a day": 100.0 / 17_280, "1000 a day": 1000.0 / 17_280,
    ][budget]!
    #expect(share > wanted * 0.5 && share < wanted * 1.6, "\(share) of \(wanted)")
  }

  @Test func fixedThresholdsDecideAsWritten() throws {
    let pipeline = try Pipeline.test(
      ("budget: 5 %", "thresholds: {fraud: 0.25, clusters: 0.5, outlier: 0.75}"))
    var bench = Bench(pipeline)
    try bench.run(Event.stream(600))
    let threshold = ["fraud": Float(0.25), "clusters": 0.5, "outlier": 0.75]
    for update in bench.updates {
      #expect(update.header.threshold == threshold[update.header.model])
    }
    for block in bench.blocks where block.versions[0].version > 0 {
      for row in 0..<block.rows {
        #expect((block.outcome(row) == .alert) == (block.score(model: 0, row: row) >= 0.25))
      }
    }
  }
}

/// Labels that are dated wrongly, or too early or too late for their event.
@Suite struct LabelTimeTests {
  @Test(arguments: Backend.allCases)
  func anEventDatedFarAheadHoldsUpNothing(_ backend: Backend) throws {
    try backend.withServices { services in
      var stream = Event.stream(600, spacing: minute)
      stream[20].time += 900 * 365 * 24 * hour
      try services.produce(stream)
      try services.label(stream)
      try services.score()
      let trainer = try services.trainer()
      try trainer.run(stop: StopSignal(), untilEnd: true)
      #expect(trainer.engine.counters.examples == 600)
      #expect(trainer.engine.counters.unlabelled == 0)
      #expect(trainer.engine.held.events < 400)
    }
  }

  @Test(arguments: Backend.allCases)
  func aLabelDatedFarAheadHoldsUpNoOther(_ backend: Backend) throws {
    try backend.withServices { services in
      let stream = Event.stream(600)
      try services.produce(stream)
      for time in ["\"9000-01-01\"", "\((start + 20 * 24 * hour) / 1000)"] {
        try services.produce(
          ["{\"event_id\":\"none\",\"label\":0,\"time\":\(time)}"], to: PipelineTopics.labels)
      }
      try services.label(stream)
      try services.score()
      let trainer = try services.trainer()
      try trainer.run(stop: StopSignal(), untilEnd: true)
      #expect(trainer.engine.counters.examples == 600)
    }
  }

  @Test(arguments: Backend.allCases)
  func labelsWithoutATimeAreLearntHoweverFarBehindTheTrainerIs(_ backend: Backend) throws {
    try backend.withServices { services in
      let stream = Event.stream(600)
      try services.produce(stream)
      try services.produce(
        stream.map { "{\"event_id\":\"\($0.id)\",\"label\":\($0.fraud! ? 1 : 0)}" },
        to: PipelineTopics.labels)
      try services.score()
      let trainer = try services.trainer()
      try trainer.run(stop: StopSignal(), untilEnd: true)
      #expect(trainer.engine.counters.examples == 600)
    }
  }
}

extension TrainingEngineTests {
  @Test func aDuplicateIsNotLearntAsANegative() throws {
    var bench = Bench(try .test(("unlabelled: ignore", "unlabelled: negative")))
    for _ in 0..<2 { try bench.observe(events("a")) }
    bench.label("a", true, at: start + minute)
    for index in 0..<3 { try bench.observe(events("z\(index)", at: start + 5 * hour)) }
    #expect(bench.training.counters.examples == 1)
    #expect(bench.training.counters.presumedNegative == 0)
    #expect(bench.training.counters.duplicateEvents == 1)
  }
}
