import Foundation
import Logging
import ModelLog
import Pipeline
import Synchronization
import Testing
import Topics
import UpdateFaults

/// Whatever happens to updates on their way: it is noticed, named and healed, and what was served
/// before is served meanwhile.
@Suite struct UpdateFaultTests {
  /// A scorer that serves version 3, and what it logs.
  private final class Bench {
    let services: Services
    let trainer: PretendTrainer
    let log = LogLines()
    private(set) var scorer: ScorerService
    private var events = 0

    init(_ services: Services) throws {
      self.services = services
      trainer = try PretendTrainer(pipeline: services.pipeline, log: services.log)
      try trainer.publish(trainer.updates[0], trainer.updates[1], trainer.updates[2])
      scorer = try Self.makeScorer(services, log)
      #expect(try servedVersion() == 3)
    }

    private static func makeScorer(_ services: Services, _ lines: LogLines) throws -> ScorerService
    {
      try ScorerService(
        pipeline: services.pipeline, log: services.log,
        logger: Logger(label: "test") { _ in lines }, now: { start })
    }

    func restart() throws { scorer = try Self.makeScorer(services, log) }

    /// Has another event scored, and gives the version that scored it.
    func servedVersion() throws -> Int? {
      var event = Event.stream(1)[0]
      events += 1
      event.id = "fault-\(events)"
      try services.produce([event])
      try scorer.run(stop: StopSignal(), untilEnd: true)
      let scores = try services.decisions().last?["scores"] as? [String: [String: Any]]
      return scores?["fraud"]?["version"] as? Int
    }

    /// Appends an event for a scorer that follows, and gives the version that scored it.
    func followedVersion() throws -> Int? {
      var event = Event.stream(1)[0]
      events += 1
      event.id = "followed-\(events)"
      let before = try services.decisions().count
      try services.produce([event])
      try services.waitUntil { try services.decisions().count > before }
      let scores = try services.decisions().last?["scores"] as? [String: [String: Any]]
      return scores?["fraud"]?["version"] as? Int
    }

    func refusals() throws -> UpdateRefusals {
      try UpdateRefusals(log: services.log, pipeline: services.pipeline.name)
    }
  }

  private func withBench(_ backend: Backend, _ body: (Bench) throws -> Void) throws {
    try backend.withServices { try body(Bench($0)) }
  }

  @Test(arguments: Backend.allCases, UpdateFault.allCases)
  func faultIsNoticedNamedAndHealed(_ backend: Backend, _ fault: UpdateFault) throws {
    try withBench(backend) { bench in
      try bench.trainer.publish(fault)
      #expect(try bench.servedVersion() == 3)
      // Further deltas on what is missing say nothing new.
      try bench.trainer.publish(bench.trainer.updates[5], bench.trainer.updates[6])
      #expect(try bench.servedVersion() == 3)
      #expect(bench.scorer.counters.updates.refused == 1)
      #expect(bench.scorer.counters.updates.refusedByCode.map(\.key.rawValue) == [fault.code])
      #expect(bench.scorer.counters.updates.skipped >= 2)
      let open = try bench.refusals()
      #expect(open.entries.map(\.code.rawValue) == [fault.code])
      let refusal = try #require(open.entries.first)
      #expect(refusal.subject?.pipeline == "test")
      #expect(refusal.subject?.model == "fraud")
      #expect(refusal.offset != nil)
      #expect(refusal.time == start)
      #expect(refusal.healedBy == nil)
      #expect(bench.log.lines(containing: "update refused").count == 1)
      #expect(bench.log.lines(containing: fault.code).count == 1)

      // A scorer that starts now says so again, but has nothing new to keep.
      try bench.restart()
      #expect(try bench.servedVersion() == 3)
      #expect(try bench.refusals().entries.map(\.code) == [refusal.code])

      try bench.trainer.publish(bench.trainer.snapshot(8))
      #expect(try bench.servedVersion() == 8)
      let healed = try #require(try bench.refusals().entries.first)
      #expect(healed.healedBy == "test/fraud@8")
      #expect(healed.healedTime == start)
      #expect(bench.log.lines(containing: "healed").last?.contains("4 to 7") == true)
      // And the next scorer has nothing to complain about.
      try bench.restart()
      #expect(bench.scorer.counters.updates.refused == 0)
      #expect(try bench.servedVersion() == 8)
    }
  }

  /// A scorer that follows has updates made ready beside its events.
  @Test(arguments: Backend.allCases)
  func updatesAreTakenUpWhileEventsGoOn(_ backend: Backend) throws {
    try withBench(backend) { bench in
      let (services, trainer) = (bench.services, bench.trainer)
      try services.whileFollowing({ try bench.scorer.run(stop: $0) }) {
        #expect(try bench.followedVersion() == 3)
        try trainer.publish(trainer.updates[3], trainer.updates[4])
        // Events that come before it is ready are scored by the version before.
        var version = try bench.followedVersion()
        while version == 3 { version = try bench.followedVersion() }
        #expect(version == 5)
        // What is refused is kept on record although no event comes.
        try trainer.append([Array("no update".utf8)])
        try services.waitUntil { try bench.refusals().entries.map(\.code) == [.corrupt] }
        #expect(try bench.followedVersion() == 5)
        try trainer.publish(trainer.snapshot(8))
        try services.waitUntil { try bench.followedVersion() == 8 }
        try services.waitUntil { try bench.refusals().entries.first?.healedBy == "test/fraud@8" }
      }
      #expect(bench.scorer.counters.updates.refused == 1)
    }
  }

  /// The signal comes while an update is being refused.
  @Test(arguments: Backend.allCases)
  func refusalsAreKeptWhenItIsAskedToStop(_ backend: Backend) throws {
    try withBench(backend) { bench in
      let stop = StopSignal()
      bench.log.onLine = { if $0.contains("update refused") { stop.request() } }
      try bench.services.whileFollowing({ _ in try bench.scorer.run(stop: stop) }) {
        try bench.trainer.append([Array("no update".utf8)])
        try bench.services.waitUntil { stop.isRequested }
      }
      #expect(try bench.refusals().entries.map(\.code) == [.corrupt])
      #expect(bench.scorer.counters.updates.refused == 1)
    }
  }

  @Test(arguments: Backend.allCases)
  func updatesThatWereRemovedBeforeTheyWereReadAreMissed(_ backend: Backend) throws {
    try withBench(backend) { bench in
      for update in bench.trainer.updates[3...4] { try bench.trainer.publish(update) }
      try bench.trainer.publish(bench.trainer.snapshot(6))
      let services = bench.services
      _ = try services.log.writer(services.topics.trainer, exclusive: false).transact {
        try $0.trim(PipelineTopics.models, before: 5, limit: 10)
      }
      #expect(try bench.servedVersion() == 6)
      let refusal = try #require(try bench.refusals().entries.first)
      #expect(refusal.code == .gap)
      #expect(refusal.reason.contains("offsets 5..<6"))
      #expect(refusal.healedBy == "test/fraud@6")
    }
  }

  @Test(arguments: Backend.allCases)
  func refusalsAreKeptWithoutAnEvent(_ backend: Backend) throws {
    try withBench(backend) { bench in
      try bench.trainer.append([Array("no update".utf8)])
      try bench.scorer.run(stop: StopSignal(), untilEnd: true)
      #expect(try bench.refusals().entries.map(\.code) == [.corrupt])
      for _ in 0..<UpdateRefusals.kept + 5 { try bench.trainer.append([[0xff]]) }
      try bench.scorer.run(stop: StopSignal(), untilEnd: true)
      #expect(try bench.refusals().entries.count == UpdateRefusals.kept)
      #expect(try bench.refusals().counts == [.corrupt: UInt64(UpdateRefusals.kept) + 6])
    }
  }

  /// The one that was too early is on the topic: nobody waits for a snapshot.
  @Test(arguments: Backend.allCases)
  func updatesInTheWrongOrderHealAtOnce(_ backend: Backend) throws {
    try withBench(backend) { bench in
      let updates = bench.trainer.updates
      try bench.trainer.publish(updates[4], updates[5])
      #expect(try bench.servedVersion() == 3)
      try bench.trainer.publish(updates[3])
      #expect(try bench.servedVersion() == 6)
      #expect(try bench.refusals().entries.map(\.healedBy) == ["test/fraud@6"])
      try bench.trainer.publish(updates[6])
      #expect(try bench.servedVersion() == 7)
      #expect(bench.scorer.counters.updates.refused == 1)
    }
  }

  @Test(arguments: Backend.allCases)
  func updatesThatComeAgainAreHarmless(_ backend: Backend) throws {
    try withBench(backend) { bench in
      let updates = bench.trainer.updates
      try bench.trainer.publish(updates[3], updates[3], updates[1], updates[3])
      #expect(try bench.servedVersion() == 4)
      #expect(bench.scorer.counters.updates.doubled == 3)
      #expect(bench.scorer.counters.updates.refused == 0)
      #expect(try bench.refusals().entries.isEmpty)
      #expect(try bench.refusals().doubled == 3)
      #expect(bench.log.lines(containing: "refused").isEmpty)
    }
  }

  /// A snapshot needs no base, but the versions before it are missed all the same.
  @Test(arguments: Backend.allCases)
  func missingVersionsBeforeASnapshotAreNoticed(_ backend: Backend) throws {
    try withBench(backend) { bench in
      try bench.trainer.publish(bench.trainer.snapshot(6))
      #expect(try bench.servedVersion() == 6)
      let refusal = try #require(try bench.refusals().entries.first)
      #expect(refusal.code == .gap)
      #expect(refusal.healedBy == "test/fraud@6")
    }
  }

  @Test(arguments: Backend.allCases)
  func aDamagedNewestSnapshotLeavesTheOneBefore(_ backend: Backend) throws {
    try withBench(backend) { bench in
      var damaged = UpdateChunks.split(bench.trainer.snapshot(4))
      damaged[0][damaged[0].count - 1] ^= 1
      try bench.trainer.append(damaged)
      try bench.trainer.publish(bench.trainer.updates[4])
      try bench.restart()
      #expect(try bench.servedVersion() == 3)
      #expect(try bench.refusals().entries.map(\.code) == [.corrupt])
      #expect(!bench.log.lines(containing: "corrupt").isEmpty)
      try bench.trainer.publish(bench.trainer.snapshot(6))
      #expect(try bench.servedVersion() == 6)
    }
  }

  /// Flips a byte in the file in which a record lies, as a bad disk does.
  @Test(arguments: [false, true])
  func damagedBatchIsSteppedOver(_ restarts: Bool) throws {
    try withFolder { folder in
      let path = folder + "/log"
      let services = Services(
        log: try EmbeddedLog(folder: path, access: .readWrite), pipeline: try .test())
      let bench = try Bench(services)
      let updates = bench.trainer.updates
      try bench.trainer.publish(updates[3])
      let needle = Data(updates[3].digest.bytes)
      let file = "\(path)/\(services.topics.trainer.name)/data.mdb"
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
      let place = try #require(handle.readDataToEndOfFile().range(of: needle))
      try handle.seek(toOffset: UInt64(place.lowerBound))
      try handle.write(contentsOf: Data([needle[0] ^ 1]))
      try handle.close()

      if restarts { try bench.restart() }
      #expect(try bench.servedVersion() == 3)
      let refusal = try #require(try bench.refusals().entries.first)
      #expect(refusal.code == .damagedBatch)
      #expect(refusal.offset == 3)
      #expect(refusal.reason.contains("models/0"))
      #expect(refusal.reason.contains("offset 3"))
      // Reported once, however often it is met.
      #expect(try bench.servedVersion() == 3)
      #expect(bench.scorer.counters.updates.refused == 1)
      try bench.trainer.publish(updates[4])
      #expect(try bench.servedVersion() == 3)
      #expect(bench.scorer.counters.updates.refused == 1)
      try bench.trainer.publish(bench.trainer.snapshot(6))
      #expect(try bench.servedVersion() == 6)
      #expect(try bench.refusals().entries.map(\.code) == [.damagedBatch])
    }
  }
}

/// Keeps what is logged.
final class LogLines: LogHandler {
  private let kept = Mutex<[String]>([])
  private let watcher = Mutex<(@Sendable (String) -> Void)?>(nil)

  /// Called with each line that is logged.
  var onLine: (@Sendable (String) -> Void)? {
    get { watcher.withLock { $0 } }
    set { watcher.withLock { $0 = newValue } }
  }

  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  var logLevel: Logger.Level {
    get { .info }
    set {}
  }

  subscript(metadataKey _: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(event: LogEvent) {
    let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
    kept.withLock { $0.append(line) }
    onLine?(line)
  }

  func lines(containing text: String) -> [String] {
    kept.withLock { $0.filter { $0.contains(text) } }
  }
}
