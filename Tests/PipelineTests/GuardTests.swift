import Features
import Foundation
import Learners
import ModelLog
import Pipeline
import Testing
import Topics

/// Streams that spoil a model, and what becomes of it.
@Suite struct GuardTests {
  /// The test's stream, in which some labels are wrong.
  private func stream(
    _ count: Int, flipped: Range<Int> = 0..<0, seed: UInt64 = 1
  ) -> [Event] {
    var events = Event.stream(count, seed: seed)
    for index in flipped { events[index].fraud = !events[index].fraud! }
    return events
  }

  /// How often a version of a model scores a fraud above another event, of events it never saw.
  private func quality(of update: ParameterUpdate, on pipeline: Pipeline) throws -> Double {
    var scoring = ScoringEngine(pipeline: pipeline, capacity: 500)
    let events = Event.stream(500, seed: 99)
    var whole = update
    #expect(update.header.isSnapshot)
    whole.header.pipeline = pipeline.name
    try scoring.apply(whole)
    let model = try #require(pipeline.modelIndex(update.header.model))
    let scored = scoring.score(try block(events, of: pipeline))
    let scores = events.indices.map { (scored.score(model: model, row: $0), events[$0].fraud!) }
    let frauds = scores.filter(\.1).map(\.0)
    let others = scores.filter { !$0.1 }.map(\.0)
    let won = frauds.reduce(0.0) { sum, fraud in
      sum + others.reduce(0) { $0 + (fraud > $1 ? 1 : fraud == $1 ? 0.5 : 0) }
    }
    return won / Double(frauds.count * others.count)
  }

  /// Each version a snapshot, so that one alone can be scored with.
  private func pipeline(_ changes: (String, String)...) throws -> Pipeline {
    var text = pipelineText.replacingOccurrences(of: "snapshot_every: 5", with: "snapshot_every: 1")
    // Trees that go by gain take half of the rows: of this small forest's, sixteen, too few.
    text.replace("replace_every: 16", with: "replace_every: 16\n    gain_share: 0")
    for (old, new) in changes {
      try #require(text.contains(old), "nothing to replace: \(old)")
      text = text.replacingOccurrences(of: old, with: new)
    }
    return try Pipeline(yaml: text, path: "test.yaml")
  }

  private func qualities(_ bench: Bench, of model: String, after examples: UInt64) throws
    -> [Double]
  {
    try bench.updates.filter { $0.header.model == model && $0.header.examples > examples }
      .map { try quality(of: $0, on: bench.pipeline) }
  }

  private func save(_ training: inout TrainingEngine, in store: inout [String: [UInt8]]) {
    for (key, bytes) in training.takeStateChanges() { store[key] = bytes }
  }

  private func expectVersionsWithoutGap(_ bench: Bench) {
    for model in bench.pipeline.models {
      let versions = bench.updates.map(\.header).filter { $0.model == model.name }.map(\.version)
      #expect(versions == Array(1...UInt64(versions.count)), "\(model.name)")
    }
  }

  // MARK: Figures

  @Test func soundStreamIsPublishedAsWithoutGuards() throws {
    for seed in 1...2 as ClosedRange<UInt64> {
      var guarded = Bench(try pipeline())
      try guarded.run(stream(3000, seed: seed))
      #expect(guarded.withheld == [], "seed \(seed)")
      #expect(guarded.training.counters.rowsLeftOut == 0)
      var open = Bench(try pipeline(("every: 200", "every: 200\n  guards: off")))
      try open.run(stream(3000, seed: seed))
      #expect(guarded.updates.map { Statement($0) } == open.updates.map { Statement($0) })
    }
  }

  @Test func wrongLabelsForAWhileAreNotServed() throws {
    let events = stream(3500, flipped: 2000..<2400)
    var bench = Bench(try pipeline())
    try bench.run(events)
    let first = try #require(bench.withheld.first)
    #expect(first.model == "fraud")
    #expect(first.code == .figureDrop)
    #expect(first.action == .fellBack)
    #expect(first.reason.contains("recent labelled rows would"))
    #expect(first.rows > 0)
    #expect(bench.withheld.allSatisfy { $0.model == "fraud" })
    // What is withheld names the version that is served on, and uses up no number.
    let served = try #require(
      bench.updates.last {
        $0.header.model == "fraud" && $0.header.eventTime < first.eventTime
      })
    #expect(first.servedVersion == served.header.version)
    expectVersionsWithoutGap(bench)
    let guarded = try qualities(bench, of: "fraud", after: 900)
    #expect(guarded.allSatisfy { $0 > 0.9 }, "\(guarded)")
    // Every label was learnt, and the rows that were left out are counted.
    let counters = bench.training.counters
    #expect(counters.examples == 3500)
    #expect(counters.updatesWithheld == UInt64(bench.withheld.count))
    #expect(
      counters.rowsLeftOut
        == bench.withheld.filter { $0.action != .learnsOn }.reduce(0) { $0 + $1.rows })
    #expect(bench.updates.last { $0.header.model == "fraud" }?.header.examples == 3500)
    // Without guards they are served.
    var open = Bench(try pipeline(("every: 200", "every: 200\n  guards: off")))
    try open.run(events)
    #expect(open.withheld == [])
    #expect(try qualities(open, of: "fraud", after: 900).contains { $0 < 0.5 })
  }

  @Test func modelThatStaysBadBeginsAnewAndCatchesUp() throws {
    var bench = Bench(try pipeline())
    try bench.run(stream(5000, flipped: 2000..<2850))
    let actions = bench.withheld.map(\.action)
    #expect(actions.starts(with: [.fellBack, .fellBack, .reset]), "\(actions)")
    let reset = try #require(bench.withheld.first { $0.action == .reset })
    #expect(reset.actionText.hasPrefix("began anew; all "))
    let guarded = try qualities(bench, of: "fraud", after: 900)
    #expect(guarded.allSatisfy { $0 > 0.8 }, "\(guarded)")
    #expect(guarded.last! > 0.95)
    expectVersionsWithoutGap(bench)
    let last = try #require(bench.updates.last { $0.header.model == "fraud" }).header
    #expect(last.examples == 5000)
    #expect(last.version > reset.servedVersion)
  }

  /// Labels that go on saying so are the truth.
  @Test func whatLastsIsBelieved() throws {
    var bench = Bench(try pipeline())
    try bench.run(stream(8000, flipped: 2000..<8000))
    #expect(!bench.withheld.isEmpty)
    let last = try #require(bench.updates.last { $0.header.model == "fraud" })
    #expect(last.header.examples == 8000)
    #expect(try quality(of: last, on: bench.pipeline) < 0.2)
  }

  /// A value at the edge of what an event may hold makes all others look alike.
  @Test func oneHugeValueDoesNotBlindTheModels() throws {
    var events = stream(3000)
    events[2001].amount = 3e38
    var bench = Bench(try pipeline())
    try bench.run(events)
    let clusters = try qualities(bench, of: "clusters", after: 1000)
    #expect(bench.withheld.contains { $0.model == "clusters" && $0.action == .fellBack })
    #expect(clusters.allSatisfy { $0 > 0.6 }, "\(clusters)")
    var open = Bench(try pipeline(("every: 200", "every: 200\n  guards: off")))
    try open.run(events)
    let blind = try qualities(open, of: "clusters", after: 2200)
    #expect(blind.allSatisfy { $0 < 0.6 }, "\(blind)")
  }

  // MARK: Exploding and non-finite parameters

  /// Two fields that are all but the same, a penalty that is all but none, labels that hang on their
  /// difference, and batches so small that steps that are bounded still lead there.
  @Test func explodingParametersAreWithheldUntilTheStreamIsSane() throws {
    let changes = [
      ("- log: balance", "- number: balance"),
      (
        "kind: logistic-regression\n    batch: 32",
        "kind: logistic-regression\n    ridge: 1e-12\n    half_lives: [100, 1000]\n    batch: 1"
      ),
    ]
    func events(_ count: Int) -> [Event] {
      var events = stream(count)
      for index in events.indices.prefix(1500) {
        events[index].balance = events[index].amount + (events[index].fraud! ? 0.01 : -0.01)
      }
      return events
    }
    var bench = Bench(try pipeline(changes[0], changes[1]))
    try bench.run(events(4000))
    let exploding = bench.withheld.filter { $0.code == .exploding }
    #expect(!exploding.isEmpty)
    #expect(exploding.allSatisfy { $0.model == "fraud" && $0.reason.contains("more than 1000") })
    // Ever more rows pass until the next attempt.
    #expect(exploding.count < 20)
    for update in bench.updates where update.header.model == "fraud" {
      let served = try ServedModel.apply(update, to: nil, fingerprint: bench.pipeline.fingerprint)
      guard case .applied(let model) = served else { continue }
      #expect(model.parameters.largestMagnitude <= 1000)
    }
    let last = try #require(bench.updates.last { $0.header.model == "fraud" })
    #expect(last.header.examples == 4000)
    let quality = try quality(of: last, on: bench.pipeline)
    #expect(quality > 0.9, "\(quality), \(bench.withheld.map { "\($0.code) \($0.action)" })")
  }

  @Test func whatAScorerWouldRefuseIsNotFit() throws {
    let standardisation = Standardisation(mean: [0], scale: [1])
    func parameters(_ weight: Double) -> LogisticParameters {
      LogisticParameters(standardisation: standardisation, weights: [weight], intercept: 0)
    }
    for weight in [Double.nan, .infinity, -.infinity, 1e200] {
      let objection = GuardObjection.toNonFinite(parameters(weight), threshold: 0.5)
      #expect(objection?.code == .nonFinite, "\(weight)")
    }
    let threshold = GuardObjection.toNonFinite(parameters(1), threshold: .infinity)
    #expect(threshold?.code == .nonFinite)
    #expect(GuardObjection.toNonFinite(parameters(1), threshold: 0.5) == nil)
    #expect(GuardObjection.toNonFinite(parameters(1), threshold: nil) == nil)
    #expect(GuardObjection.toExploding(parameters(-1001))?.code == .exploding)
    #expect(GuardObjection.toExploding(parameters(999)) == nil)
    let far = KMeansParameters(
      standardisation: standardisation, centres: [20_000], spreads: [1], weights: [1])
    #expect(GuardObjection.toExploding(far)?.code == .exploding)
    let near = KMeansParameters(
      standardisation: standardisation, centres: [200], spreads: [1], weights: [1])
    #expect(GuardObjection.toExploding(near) == nil)
  }

  // MARK: Alert rates

  private func fixedThresholds(_ guards: String) throws -> Pipeline {
    // Without the hour, which moves the scores of a stream of a few hours.
    try pipeline(
      ("  - time: hour\n", ""),
      ("budget: 5 %", "thresholds: {fraud: 0.5, clusters: 0.99, outlier: 0.99}"),
      ("every: 200", "every: 200\n  guards: {\(guards)}"))
  }

  /// Everything is called a fraud: the order of scores may stay, their level does not.
  @Test func jumpOfTheAlertRateIsLearntOnAndThenLeftOut() throws {
    var events = stream(6000)
    for index in 2000..<3500 { events[index].fraud = true }
    var bench = Bench(try fixedThresholds("figure_drop: 1, log_loss_rise: 20"))
    var alerts: [Bool] = []
    try bench.run(events) { bench, index in
      alerts.append(bench.blocks.last?.outcome(0) == .alert)
    }
    #expect(bench.withheld.allSatisfy { $0.code == .alertRate && $0.model == "fraud" })
    let actions = bench.withheld.map(\.action)
    #expect(
      actions.starts(with: [.learnsOn, .learnsOn, .learnsOn, .fellBack, .reset]), "\(actions)")
    #expect(bench.withheld[0].reason.contains("flagged would rise from"))
    let guarded = alerts[2000...].count { $0 }
    #expect(try qualities(bench, of: "fraud", after: 5000).last! > 0.9)
    var open = Bench(
      try pipeline(
        ("  - time: hour\n", ""),
        ("budget: 5 %", "thresholds: {fraud: 0.5, clusters: 0.99, outlier: 0.99}"),
        ("every: 200", "every: 200\n  guards: off")))
    alerts = []
    try open.run(events) { bench, index in
      alerts.append(bench.blocks.last?.outcome(0) == .alert)
    }
    let unguarded = alerts[2000...].count { $0 }
    #expect(guarded < unguarded / 2, "\(guarded) and \(unguarded)")
  }

  /// A model that began anew and still flags as much has learnt it from the stream alone.
  @Test func jumpThatLastsIsPublishedInTheEnd() throws {
    var events = stream(7500)
    for index in 2000..<7500 { events[index].fraud = true }
    var bench = Bench(try fixedThresholds("figure_drop: 1, log_loss_rise: 20"))
    try bench.run(events)
    let actions = bench.withheld.filter { $0.model == "fraud" }.map(\.action)
    #expect(
      actions == [.learnsOn, .learnsOn, .learnsOn, .fellBack, .reset]
        + Array(repeating: .learnsOn, count: 16), "\(actions)")
    let last = try #require(bench.updates.last { $0.header.model == "fraud" }).header
    #expect(last.examples == 7500)
    let flagged = bench.blocks.suffix(100).count { $0.outcome(0) == .alert }
    #expect(flagged > 90, "\(flagged)")
  }

  /// What is served flags the wave as well: that is no fault of the new parameters.
  @Test func waveOfRealFraudIsFollowed() throws {
    var events = stream(4000)
    for index in 2000..<4000 where index % 2 == 0 && !events[index].fraud! {
      events[index].fraud = true
      events[index].amount += 80
    }
    var bench = Bench(try fixedThresholds("alert_rate_factor: 3"))
    try bench.run(events)
    #expect(
      !bench.withheld.contains { $0.code == .alertRate || $0.model == "fraud" },
      "\(bench.withheld.map(\.reason))")
  }

  // MARK: Restarts and services

  @Test(arguments: [13, 50])
  func restartsChangeNothing(_ every: Int) throws {
    let events = stream(4000, flipped: 2000..<2850)
    var undisturbed = Bench(try pipeline())
    try undisturbed.run(events)
    var disturbed = Bench(undisturbed.pipeline)
    var store: [String: [UInt8]] = [:]
    try disturbed.run(events) { bench, index in
      guard index >= 1900, index % every == 0 else { return }
      save(&bench.training, in: &store)
      bench.training = try #require(
        try TrainingEngine(pipeline: bench.pipeline, epoch: 1) { store[$0] })
    }
    #expect(undisturbed.withheld.contains { $0.action == .reset })
    #expect(disturbed.withheld == undisturbed.withheld)
    #expect(disturbed.updates.map { Statement($0) } == undisturbed.updates.map { Statement($0) })
    #expect(disturbed.training.counters == undisturbed.training.counters)
  }

  @Test func guardsMayBeTurnedOnAndOffBetweenStarts() throws {
    let events = stream(3500, flipped: 2000..<2400)
    let guarded = try pipeline()
    let open = try pipeline(("every: 200", "every: 200\n  guards: off"))
    for (before, after) in [(guarded, open), (open, guarded)] {
      var bench = Bench(before)
      var store: [String: [UInt8]] = [:]
      try bench.run(events) { bench, index in
        guard index == 2150 else { return }
        save(&bench.training, in: &store)
        bench.training = try #require(
          try TrainingEngine(pipeline: after, epoch: 1) { store[$0] })
      }
      #expect(bench.training.counters.examples == 3500)
      expectVersionsWithoutGap(bench)
    }
  }

  @Test(arguments: Backend.allCases)
  func withheldUpdatesStandOnTheTopic(_ backend: Backend) throws {
    try backend.withServices(try pipeline()) { services in
      let events = stream(3500, flipped: 2000..<2400)
      try services.produce(events)
      try services.label(events)
      try services.score()
      let trainer = try services.train()
      var withheld: [WithheldUpdate] = []
      var versions: [UInt64] = []
      var assembler = UpdateAssembler()
      for record in try services.records(PipelineTopics.models, of: services.topics.trainer) {
        switch try record.withUnsafeBytes({ try assembler.take($0) }) {
        case .incomplete: break
        case .update(let update):
          if update.header.model == "fraud" { versions.append(update.header.version) }
        case .withheld(let statement):
          // It stands behind the version that is served on.
          #expect(statement.servedVersion == versions.last)
          withheld.append(statement)
        }
      }
      #expect(!withheld.isEmpty)
      #expect(withheld.allSatisfy { $0.pipeline == "test" && $0.model == "fraud" })
      #expect(withheld.allSatisfy { $0.time == start && $0.epoch == 1 })
      #expect(versions == Array(1...UInt64(versions.count)))
      #expect(trainer.engine.counters.updatesWithheld == UInt64(withheld.count))
      // Readers of versions pass over them, and so does a scorer.
      let history = ModelHistory(log: services.log)
      let newest = try history.version(try #require(ModelReference("test/fraud")))
      #expect(newest.header.version == versions.last)
      #expect(try services.scorer().servedNames.contains(newest.header.name))
      #expect(try services.scorer().counters.updates.refused == 0)
      // The state was saved with them: nothing is said twice.
      let again = try services.train()
      #expect(again.engine.counters == trainer.engine.counters)
      #expect(
        try services.records(PipelineTopics.models, of: services.topics.trainer).count
          == services.updates().count + withheld.count)
    }
  }

  @Test func replayNamesWhatWasWithheld() throws {
    let events = stream(3500, flipped: 2000..<2400)
    let text = events.map(\.history).joined(separator: "\n") + "\n"
    try withFile(text) { path in
      let pipeline = try pipeline()
      var history = try HistoryReader(path: path, schema: pipeline.schema)
      let replay = try Replay(pipeline: pipeline)
      try replay.run(&history)
      #expect(!replay.withheld.isEmpty)
      #expect(replay.withheld.allSatisfy { $0.time == $0.eventTime && $0.code == .figureDrop })
    }
  }
}
