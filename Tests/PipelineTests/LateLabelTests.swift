import Features
import Foundation
import ModelLog
import Pipeline
import Testing

/// Labels that contradict each other, come late, weigh more or less, or are learnt in part.
@Suite struct LateLabelTests {
  /// The pipeline of the tests with nothing but the model that learns from labels.
  static func pipeline(_ label: String, _ changes: (String, String)...) throws -> Pipeline {
    let from = try #require(pipelineText.range(of: "  clusters:\n"))
    let to = try #require(pipelineText.range(of: "decisions:\n"))
    var text = pipelineText
    text.removeSubrange(from.lowerBound..<to.lowerBound)
    text = text.replacingOccurrences(of: "by: [fraud, outlier]", with: "by: [fraud]")
      .replacingOccurrences(of: "unlabelled: ignore", with: label)
    for (old, new) in changes { text = text.replacingOccurrences(of: old, with: new) }
    return try Pipeline(yaml: text, path: "test.yaml")
  }

  private func event(_ id: String, at time: Int64 = start) -> Event {
    Event(id: id, time: time, amount: 1)
  }

  /// Learns a stream, each label `delay` after its event, and gives the mean probability of further
  /// events, weighted as their labels are, and their share of positives, weighted the same.
  private func calibration(
    _ pipeline: Pipeline, count: Int, delay: Int64 = 0, weight: (Bool) -> Double = { _ in 1 },
    after: (Bench) -> Void = { _ in }
  ) throws -> (bench: Bench, predicted: Double, expected: Double) {
    var bench = Bench(pipeline)
    let events = Event.stream(count + 6_000)
    var delivered = 0
    for from in stride(from: 0, to: count, by: 50) {
      try bench.observe(Array(events[from..<from + 50]))
      let now = bench.training.eventTime!
      while delivered < count, events[delivered].time + delay <= now {
        let event = events[delivered]
        let label = event.fraud! ? Label.positive : .negative
        bench.training.label(
          id: Array(event.id.utf8),
          GivenLabel(label, time: event.time + delay, weight: weight(event.fraud!)))
        delivered += 1
      }
      try bench.serve()
      after(bench)
    }
    bench.training.finish()
    try bench.serve()
    var (sum, positives, total) = (0.0, 0.0, 0.0)
    for from in stride(from: count, to: events.count, by: 250) {
      let chunk = Array(events[from..<from + 250])
      let scored = bench.scoring.score(try block(chunk, of: pipeline))
      for (row, event) in chunk.enumerated() {
        let weight = weight(event.fraud!)
        total += weight
        sum += weight * Double(scored.score(model: 0, row: row))
        positives += event.fraud! ? weight : 0
      }
    }
    return (bench, sum / total, positives / total)
  }

  // MARK: A share of the negatives

  @Test func aShareOfNegativesLeavesProbabilitiesRight() throws {
    let all = try calibration(Self.pipeline("unlabelled: ignore"), count: 15_000)
    #expect(all.bench.training.counters.negativesLeftOut == 0)
    let some = try calibration(
      Self.pipeline("unlabelled: ignore\n  keep_negatives: 10 %"), count: 15_000)
    for run in [all, some] {
      let ratio = run.predicted / run.expected
      #expect(ratio > 0.8 && ratio < 1.25, "\(run.predicted) for \(run.expected)")
    }
    let counters = some.bench.training.counters
    #expect(counters.labels == 15_000)
    #expect(counters.examples + counters.negativesLeftOut == 15_000)
    let share = Double(counters.negativesLeftOut) / (15_000 * 0.96)
    #expect(share > 0.88 && share < 0.92, "\(share)")
    // Positives are all learnt, and figures count every event that was scored.
    let figures = try #require(some.bench.updates.last).header.figures
    #expect(figures.labelled > 13_000)
    #expect(try #require(figures.auroc) > 0.9)
    let updates = some.bench.updates
    #expect(updates.last?.header.examples == counters.examples)
  }

  @Test func whichNegativesAreLearntDependsOnTheirIdAndTheSeedAlone() throws {
    let events = Event.stream(400)
    func left(_ order: [Int], restart: Bool = false, seed: Int = 0) throws -> UInt64 {
      let pipeline = try Self.pipeline(
        "unlabelled: ignore\n  keep_negatives: 50 %", ("publish:", "seed: \(seed)\npublish:"))
      var bench = Bench(pipeline)
      var store: [String: [UInt8]] = [:]
      for from in stride(from: 0, to: events.count, by: 200) {
        try bench.observe(Array(events[from..<from + 200]))
      }
      for (count, index) in order.enumerated() {
        bench.label(events[index].id, events[index].fraud!, at: events[399].time)
        guard restart, count % 50 == 0 else { continue }
        for (key, bytes) in bench.training.takeStateChanges() { store[key] = bytes }
        bench.training = try #require(
          try TrainingEngine(pipeline: pipeline, epoch: 1) { store[$0] })
      }
      return bench.training.counters.negativesLeftOut
    }
    let order = Array(events.indices)
    let first = try left(order)
    #expect(first > 150 && first < 240)
    #expect(try left(order.reversed()) == first)
    #expect(try left(order, restart: true) == first)
    #expect(try Set((0..<5).map { try left(order, seed: $0) }).count > 1)
  }

  /// A positive that is taken back is learnt as a negative for certain.
  @Test func aPositiveTakenBackIsAlwaysLearnt() throws {
    var bench = Bench(try Self.pipeline("unlabelled: ignore\n  keep_negatives: 0.1 %"))
    try bench.observe((0..<100).map { event("e\($0)") })
    for index in 0..<100 { bench.label("e\(index)", true, at: start) }
    for index in 0..<100 { bench.label("e\(index)", false, at: start + 1) }
    bench.training.finish()
    try bench.serve()
    #expect(bench.updates.last?.header.examples == 200)
    #expect(bench.training.counters.negativesLeftOut == 0)
    #expect(bench.training.counters.contradictingLabels == 100)
  }

  // MARK: Weights and sources

  @Test func theWeightOfALabelIsTheExamplesWeight() throws {
    let run = try calibration(
      Self.pipeline("unlabelled: ignore"), count: 15_000, weight: { $0 ? 4 : 1 })
    let ratio = run.predicted / run.expected
    #expect(run.expected > 0.12)
    #expect(ratio > 0.8 && ratio < 1.25, "\(run.predicted) for \(run.expected)")
  }

  /// A label that waits for its event keeps its weight, also through a restart.
  @Test func earlyLabelsKeepTheirWeight() throws {
    let pipeline = try Self.pipeline("unlabelled: ignore")
    let events = Event.stream(600)
    func run(early: Bool, restart: Bool) throws -> Digest {
      var bench = Bench(pipeline)
      func label(_ bench: inout Bench) {
        for event in events {
          bench.training.label(
            id: Array(event.id.utf8),
            GivenLabel(
              event.fraud! ? .positive : .negative, time: event.time,
              weight: event.fraud! ? 7 : 0.5))
        }
      }
      if early { label(&bench) }
      if restart {
        var store: [String: [UInt8]] = [:]
        for (key, bytes) in bench.training.takeStateChanges() { store[key] = bytes }
        bench.training = try #require(
          try TrainingEngine(pipeline: pipeline, epoch: 1) { store[$0] })
      }
      for from in stride(from: 0, to: events.count, by: 200) {
        try bench.observe(Array(events[from..<from + 200]))
      }
      if !early { label(&bench) }
      bench.training.finish()
      try bench.serve()
      #expect(bench.training.counters.earlyLabels == (early ? 600 : 0))
      return try #require(bench.updates.last).digest
    }
    let expected = try run(early: false, restart: false)
    #expect(try run(early: true, restart: false) == expected)
    #expect(try run(early: true, restart: true) == expected)
  }

  @Test func sourcesAreCountedByNameUpToABound() throws {
    var bench = Bench(try Self.pipeline("unlabelled: ignore"))
    func label(_ source: String?) {
      bench.training.label(id: [1], GivenLabel(.positive, time: start, source: source))
    }
    for _ in 0..<3 { label("analyst") }
    label("charge-back")
    label(nil)
    #expect(bench.training.labelSources.text == "analyst 3, charge-back 1")
    label(String(repeating: "x", count: 1000))
    for index in 0..<1000 { label("source \(index)") }
    label("analyst")
    let sources = bench.training.labelSources
    #expect(sources.counts["analyst"] == 4)
    #expect(sources.counts.count == 32)
    #expect(sources.counts.values.reduce(0, +) + sources.others == 1006)
    #expect(sources.text.hasSuffix(", others \(sources.others)"))
    var store: [String: [UInt8]] = [:]
    for (key, bytes) in bench.training.takeStateChanges() { store[key] = bytes }
    let restored = try TrainingEngine(pipeline: bench.pipeline, epoch: 1) { store[$0] }
    #expect(restored?.labelSources == sources)
  }

  // MARK: Contradictions

  @Test func ofContradictingLabelsTheOneGivenLastStays() throws {
    var bench = Bench(try Self.pipeline("unlabelled: ignore"))
    try bench.observe([event("a")])
    bench.label("a", false, at: start + 3 * minute)
    bench.label("a", true, at: start + 2 * minute)
    #expect(bench.training.counters.outdatedLabels == 1)
    #expect(bench.training.counters.contradictingLabels == 0)
    // Said again later, it is later than what lies between.
    bench.label("a", false, at: start + 6 * minute)
    bench.label("a", true, at: start + 5 * minute)
    #expect(bench.training.counters.duplicateLabels == 1)
    #expect(bench.training.counters.outdatedLabels == 2)
    // Given at the same time, the one that comes last counts.
    bench.label("a", true, at: start + 6 * minute)
    #expect(bench.training.counters.contradictingLabels == 1)
    #expect(bench.training.counters.examples == 1)
    // The same before the event.
    bench.label("b", false, at: start + 3 * minute)
    bench.label("b", true, at: start + 2 * minute)
    bench.label("b", false, at: start + 2 * minute)
    #expect(bench.training.counters.outdatedLabels == 3)
    #expect(bench.training.counters.duplicateLabels == 2)
    #expect(bench.training.held.earlyLabels == 1)
  }

  /// In whatever order labels, their repetitions and reversals come, before or after their event
  /// and across restarts: each counts once, and what is known in the end is what was said last.
  @Test func labelsInAnyOrderComeToWhatWasSaidLast() throws {
    let seed = UInt64.random(in: 1...1_000_000)
    var random = SeededGenerator(seed: seed)
    let pipeline = try Self.pipeline("unlabelled: ignore")
    for _ in 0..<12 {
      var bench = Bench(pipeline)
      let warm = Event.stream(200, prefix: "warm")
      try bench.run(warm, delay: 0)
      let before = try #require(bench.updates.last).header.figures
      let now = bench.training.eventTime!
      enum Step {
        case event(Int)
        case label(Int, Bool, Int64)
        case restart
      }
      let count = 40
      var steps = (0..<count).map { Step.event($0) }
      for index in 0..<count {
        for _ in 0..<Int.random(in: 1...6, using: &random) {
          steps.append(
            .label(index, Bool.random(using: &random), now + .random(in: 0...4, using: &random)))
        }
      }
      steps += [.restart, .restart, .restart]
      steps.shuffle(using: &random)
      var said: [Int: (label: Bool, time: Int64)] = [:]
      var store: [String: [UInt8]] = [:]
      for step in steps {
        switch step {
        case .event(let index): try bench.observe([event("e\(index)", at: now)])
        case .label(let index, let label, let time):
          bench.label("e\(index)", label, at: time)
          if time >= said[index]?.time ?? .min { said[index] = (label, time) }
        case .restart:
          for (key, bytes) in bench.training.takeStateChanges() { store[key] = bytes }
          bench.training = try #require(
            try TrainingEngine(pipeline: pipeline, epoch: 1) { store[$0] })
        }
      }
      bench.training.finish()
      try bench.serve()
      let after = try #require(bench.updates.last).header.figures
      let counters = bench.training.counters
      #expect(after.labelled - before.labelled == UInt64(count), "seed \(seed)")
      #expect(
        after.positives - before.positives == UInt64(said.values.count { $0.label }),
        "seed \(seed)")
      #expect(counters.examples == UInt64(200 + count), "seed \(seed)")
      #expect(
        counters.labels == counters.examples + counters.duplicateLabels
          + counters.contradictingLabels + counters.outdatedLabels, "seed \(seed)")
    }
  }

  // MARK: Maturity

  @Test func anUnlabelledEventIsLearntOnceAndALaterLabelCorrectsIt() throws {
    var bench = Bench(try Self.pipeline("unlabelled: negative\n  corrections: 5h"))
    try bench.run(Event.stream(200, prefix: "warm"), delay: 0)
    let before = try #require(bench.updates.last).header
    let now = bench.training.eventTime!
    try bench.observe(["a", "b", "c"].map { event($0, at: now) })
    // 70 minutes are the delay and the grace; events mature by the time of the block before.
    for after in [70 * minute - 1, 70 * minute - 1] {
      try bench.observe([event("\(after) \(bench.blocks.count)", at: now + after)])
    }
    #expect(bench.training.counters.presumedNegative == 0)
    for _ in 0..<3 {
      try bench.observe([event("later \(bench.blocks.count)", at: now + 70 * minute)])
    }
    #expect(bench.training.counters.presumedNegative == 3)
    bench.label("a", true, at: now + 2 * hour)
    bench.label("b", false, at: now + 2 * hour)
    #expect(bench.training.counters.lateLabels == 2)
    #expect(bench.training.counters.lateLabelsLearnt == 1)
    bench.label("a", true, at: now + 2 * hour)
    #expect(bench.training.counters.duplicateLabels == 1)
    // And back again.
    bench.label("a", false, at: now + 3 * hour)
    #expect(bench.training.counters.contradictingLabels == 1)
    bench.label("a", true, at: now + 3 * hour)
    bench.training.finish()
    try bench.serve()
    let after = try #require(bench.updates.last).header
    #expect(after.figures.labelled - before.figures.labelled == 3)
    #expect(after.figures.positives - before.figures.positives == 1)
    // Three presumed negatives and three corrections.
    #expect(after.examples - before.examples == 6)
    // Past the time for corrections they are let go of.
    for _ in 0..<2 { try bench.observe([event("end \(bench.blocks.count)", at: now + 20 * hour)]) }
    #expect(bench.training.held.events == 2)
    bench.label("c", true, at: now + 2 * hour)
    #expect(bench.training.counters.lateLabels == 3)
    #expect(bench.training.counters.lateLabelsLearnt == 1)
  }

  @Test func aLateLabelOfAnIgnoredEventIsLearnt() throws {
    var bench = Bench(try Self.pipeline("unlabelled: ignore\n  corrections: 5h"))
    try bench.observe([event("a")])
    for index in 0..<2 { try bench.observe([event("b\(index)", at: start + 2 * hour)]) }
    #expect(bench.training.counters.unlabelled == 1)
    bench.label("a", true, at: start + 2 * hour)
    #expect(bench.training.counters.lateLabelsLearnt == 1)
    #expect(bench.training.counters.examples == 1)
  }

  // MARK: More than may be held

  /// What a trainer's store is to its engine.
  private final class Store {
    var values: [String: [UInt8]] = [:]
    var reads = 0
    var isBroken = false

    struct Broken: Error {}

    func load(_ key: String) throws -> [UInt8]? {
      if isBroken { throw Broken() }
      reads += 1
      return values[key]
    }

    func save(_ training: inout TrainingEngine) {
      for (key, bytes) in training.takeStateChanges() { values[key] = bytes }
    }
  }

  @Test(arguments: ["ignore", "negative\n  corrections: 3h"])
  func eventsInTheStoreAloneAreLearntAsThoseInMemory(_ unlabelled: String) throws {
    let events = Event.stream(3_000)
    let delay = 5 * hour / 2
    var engines: [(Bench, most: Int)] = []
    for bound in ["", "\n  pending: 100"] {
      let pipeline = try Self.pipeline("unlabelled: \(unlabelled)\(bound)", ("10m", "3h"))
      let store = Store()
      var bench = Bench(pipeline)
      bench.training = TrainingEngine(pipeline: pipeline, epoch: 1, load: store.load)
      var most = 0
      var index = 0
      try bench.run(
        events.map {
          // Some are never labelled.
          var event = $0
          index += 1
          if index % 7 == 0 { event.fraud = nil }
          return event
        }, delay: delay
      ) { bench, index in
        if index % 25 == 0 { store.save(&bench.training) }
        if index % 500 == 499, !bound.isEmpty {
          store.save(&bench.training)
          bench.training = try #require(
            try TrainingEngine(pipeline: pipeline, epoch: 1, load: store.load))
        }
        let held = bench.training.held
        most = max(most, held.inStoreOnly)
        #expect(bound.isEmpty || held.events - held.inStoreOnly <= 100 + 100)
      }
      #expect(bench.training.storeFailure == nil)
      engines.append((bench, most))
    }
    #expect(engines[0].most == 0)
    #expect(engines[1].most > 1000)
    #expect(
      engines[0].0.updates.map { Statement($0) } == engines[1].0.updates.map { Statement($0) })
    #expect(engines[0].0.training.counters == engines[1].0.training.counters)
    #expect(engines[0].0.training.counters.mostHeld > 1500)
    #expect(engines[0].0.training.held.events == engines[1].0.training.held.events)
  }

  /// Labels in any order need block after block, and do not bring them all back.
  @Test func readingBackIsBounded() throws {
    let pipeline = try Self.pipeline("unlabelled: ignore\n  pending: 100")
    let store = Store()
    var bench = Bench(pipeline)
    bench.training = TrainingEngine(pipeline: pipeline, epoch: 1, load: store.load)
    let events = (0..<2_000).map { event("e\($0)") }
    for from in stride(from: 0, to: 2_000, by: 10) {
      try bench.observe(Array(events[from..<from + 10]))
    }
    store.save(&bench.training)
    let seed = UInt64.random(in: 1...1_000_000)
    var random = SeededGenerator(seed: seed)
    for (count, event) in (events + events).shuffled(using: &random).enumerated() {
      bench.label(event.id, true, at: start)
      let held = bench.training.held
      #expect(held.events - held.inStoreOnly <= 100 + 65 * 10, "seed \(seed)")
      if count == 2_500 { store.save(&bench.training) }
    }
    #expect(store.reads > 2_000)
    #expect(bench.training.storeFailure == nil)
    #expect(bench.training.counters.examples == 2_000)
    #expect(bench.training.counters.duplicateLabels == 2_000)
    store.save(&bench.training)
    let restored = try #require(
      try TrainingEngine(pipeline: pipeline, epoch: 1, load: store.load))
    #expect(restored.held == bench.training.held)
  }

  @Test func aStoreThatFailsIsNoticed() throws {
    let pipeline = try Self.pipeline("unlabelled: ignore\n  pending: 10")
    let store = Store()
    var bench = Bench(pipeline)
    bench.training = TrainingEngine(pipeline: pipeline, epoch: 1, load: store.load)
    try bench.observe([event("a")])
    try bench.observe((0..<30).map { event("e\($0)") })
    store.save(&bench.training)
    #expect(bench.training.held.inStoreOnly == 31)
    store.isBroken = true
    bench.label("unknown", true, at: start)
    #expect(bench.training.storeFailure == nil)
    bench.label("a", true, at: start)
    #expect(bench.training.storeFailure is Store.Broken)
  }

  @Test func aSampleOfTheEventsLeavesProbabilitiesRight() throws {
    let pipeline = try Self.pipeline(
      "unlabelled: ignore\n  pending: 1000\n  overflow: sample", ("10m", "5h"))
    var most = 0
    var smallest = 1.0
    let run = try calibration(
      pipeline, count: 40_000, delay: 5 * hour,
      after: { bench in
        most = max(most, bench.training.held.events)
        smallest = min(smallest, bench.training.held.share)
      })
    #expect(most <= 1000 && most > 800)
    #expect(smallest == 0.25 || smallest == 0.125)
    let ratio = run.predicted / run.expected
    #expect(ratio > 0.75 && ratio < 1.3, "\(run.predicted) for \(run.expected)")
    let counters = run.bench.training.counters
    #expect(counters.examples > 40_000 / 16 && counters.examples < 40_000 / 2)
    #expect(counters.eventsNotSampled > 40_000 / 2)
    let known = counters.examples + counters.labelsNotSampled + counters.earlyLabels
    #expect(counters.labels == known + counters.labelsRefused)
    // An event whose label came early is an example as well, unless it was let go.
    #expect(counters.earlyLabels < 2_000)
  }

  @Test func aSampleGoesOnAfterARestartAsIfUndisturbed() throws {
    let pipeline = try Self.pipeline(
      "unlabelled: negative\n  corrections: 10m\n  pending: 60\n  overflow: sample", ("10m", "1h"))
    let events = Event.stream(2_000)
    var undisturbed = Bench(pipeline)
    try undisturbed.run(events, delay: hour)
    var disturbed = Bench(pipeline)
    let store = Store()
    try disturbed.run(events, delay: hour) { bench, index in
      guard index % 13 == 0 else { return }
      store.save(&bench.training)
      bench.training = try #require(
        try TrainingEngine(pipeline: pipeline, epoch: 1, load: store.load))
    }
    #expect(disturbed.updates.map { Statement($0) } == undisturbed.updates.map { Statement($0) })
    #expect(disturbed.training.counters == undisturbed.training.counters)
    #expect(disturbed.training.held == undisturbed.training.held)
    #expect(undisturbed.training.held.share < 1)
  }

  @Test func labelsWithoutAnEventAreBoundedAsWell() throws {
    var bench = Bench(try Self.pipeline("unlabelled: ignore\n  pending: 20"))
    for index in 0..<50 { bench.label("ghost \(index)", true, at: start) }
    #expect(bench.training.held.earlyLabels == 20)
    #expect(bench.training.counters.labelsRefused == 30)
    // A later label of one that is held needs no further room.
    bench.label("ghost 3", false, at: start)
    #expect(bench.training.counters.contradictingLabels == 1)
  }
}
