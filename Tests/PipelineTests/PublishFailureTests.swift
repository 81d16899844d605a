import ModelLog
import Pipeline
import Testing
import Topics

/// A trainer whose topics take nothing for a while.
@Suite struct PublishFailureTests {
  private func statements(_ services: Services) throws -> [Statement] {
    try services.updates().map { Statement($0) }
  }

  private func fed(_ log: any TopicLog, _ pipeline: Pipeline) throws -> Services {
    let services = Services(log: log, pipeline: pipeline)
    let events = Event.stream(3000)
    try services.produce(events)
    try services.score()
    try services.label(events)
    return services
  }

  @Test(arguments: [1, 3, 8])
  func learningGoesOnAndNothingIsLost(_ failures: Int) throws {
    let pipeline = try Pipeline.test()
    let sound = try fed(MemoryLog(), pipeline)
    try sound.train()
    let log = FailingLog(role: PipelineTopics(pipeline: pipeline.name).trainer)
    let failing = try fed(log, pipeline)
    let trainer = try failing.trainer()
    log.failures.store(failures, ordering: .relaxed)
    try trainer.run(stop: StopSignal(), untilEnd: true)
    #expect(log.failures.load(ordering: .relaxed) == 0)
    #expect(try statements(failing) == statements(sound))
    #expect(trainer.engine.counters.examples == 3000)
  }

  @Test func endingWithoutACommitIsAnErrorAndTheNextTrainerGoesOn() throws {
    let pipeline = try Pipeline.test()
    let log = FailingLog(role: PipelineTopics(pipeline: pipeline.name).trainer)
    let services = try fed(log, pipeline)
    let trainer = try services.trainer()
    log.failures.store(.max, ordering: .relaxed)
    let error = #expect(throws: TopicError.self) {
      try trainer.run(stop: StopSignal(), untilEnd: true)
    }
    #expect(error?.code == .full)
    #expect(try services.updates().isEmpty)
    log.failures.store(0, ordering: .relaxed)
    let next = try services.train()
    #expect(next.engine.counters.examples == 3000)
    #expect(try services.updates().count > 10)
  }

  /// It stops learning at its bound instead of piling up what may be lost.
  @Test func learningStopsAtItsBound() throws {
    let pipeline = try Pipeline.test()
    let log = FailingLog(role: PipelineTopics(pipeline: pipeline.name).trainer)
    let services = try fed(log, pipeline)
    try services.produce(
      (0..<250_000).map { "{\"event_id\":\"\($0)\",\"label\":0}" }, to: PipelineTopics.labels)
    let trainer = try services.trainer()
    log.failures.store(.max, ordering: .relaxed)
    #expect(throws: TopicError.self) { try trainer.run(stop: StopSignal(), untilEnd: true) }
    #expect((200_000..<220_000).contains(trainer.engine.counters.labels))
  }
}
