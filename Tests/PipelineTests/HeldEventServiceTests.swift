import ModelLog
import Pipeline
import Testing
import Topics

/// A trainer with more events that wait for their label than it may hold in memory.
@Suite struct HeldEventServiceTests {
  private func pipeline(_ bound: String) throws -> Pipeline {
    try LateLabelTests.pipeline("unlabelled: negative\n  corrections: 1h\(bound)", ("10m", "3h"))
  }

  /// Everything is scored, then learnt by a trainer after another.
  private func run(_ services: Services, failing log: FailingLog? = nil) throws -> [Statement] {
    let events = Event.stream(3000)
    for from in stride(from: 0, to: 3000, by: 1000) {
      let piece = Array(events[from..<from + 1000])
      try services.produce(piece)
      try services.score()
      // Of a thousand labels 334 never come.
      try services.label(piece.enumerated().filter { $0.offset % 3 > 0 }.map(\.element))
    }
    for _ in 0..<3 {
      let trainer = try services.trainer()
      log?.failures.store(3, ordering: .relaxed)
      try trainer.run(stop: StopSignal(), untilEnd: true)
      #expect(trainer.engine.storeFailure == nil)
      #expect(trainer.engine.counters.examples == 1998)
      #expect(trainer.engine.counters.mostHeld > 2000)
    }
    return try services.updates().map { Statement($0) }
  }

  @Test(arguments: Backend.allCases)
  func theStoreHoldsWhatMemoryMayNot(_ backend: Backend) throws {
    var versions: [[Statement]] = []
    for bound in ["", "\n  pending: 100"] {
      try backend.withServices(pipeline(bound)) { services in
        versions.append(try run(services))
        let held = try services.trainer().engine.held
        #expect(held.events > 2000)
        #expect(bound.isEmpty ? held.inStoreOnly == 0 : held.inStoreOnly > held.events - 500)
      }
    }
    #expect(versions[0].count > 5)
    #expect(versions[0] == versions[1])
  }

  /// A label that claims to be of the far future is of now: it can be corrected.
  @Test func aLabelDatedFarAheadCanBeCorrected() throws {
    let services = Services(log: MemoryLog(), pipeline: try pipeline(""))
    let events = Event.stream(20)
    try services.produce(events)
    try services.score()
    let time = events[19].time / 1000 + 60
    try services.produce(
      [
        "{\"event_id\":\"e1\",\"label\":1,\"time\":4000000000}",
        "{\"event_id\":\"e1\",\"label\":0,\"time\":\(time)}",
      ], to: PipelineTopics.labels)
    let counters = try services.train().engine.counters
    #expect(counters.contradictingLabels == 1)
    #expect(counters.outdatedLabels == 0)
  }

  /// What could not be committed yet is read back from what waits to be.
  @Test func eventsAreReadBackWhileNothingCanBeCommitted() throws {
    let sound = try run(Services(log: MemoryLog(), pipeline: pipeline("\n  pending: 100")))
    let bounded = try pipeline("\n  pending: 100")
    let log = FailingLog(role: PipelineTopics(pipeline: bounded.name).trainer)
    #expect(try run(Services(log: log, pipeline: bounded), failing: log) == sound)
  }
}
