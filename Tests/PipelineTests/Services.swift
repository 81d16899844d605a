import Foundation
import ModelLog
import Pipeline
import Testing
import Topics

/// A backend under test, made anew for each test.
enum Backend: String, CaseIterable, CustomTestStringConvertible {
  case memory, embedded
  var testDescription: String { rawValue }

  /// Runs `body` with a pipeline's services on an empty log.
  func withServices(
    _ pipeline: Pipeline? = nil, _ body: (Services) throws -> Void
  ) throws {
    let pipeline = try pipeline ?? .test()
    switch self {
    case .memory:
      let services = Services(log: MemoryLog(), pipeline: pipeline)
      try body(services)
    case .embedded:
      try withFolder { folder in
        let services = Services(
          log: try EmbeddedLog(folder: folder + "/log", access: .readWrite), pipeline: pipeline)
        try body(services)
      }
    }
  }
}

/// Producers, scorer and trainer of a pipeline on a log.
struct Services {
  let log: any TopicLog
  let pipeline: Pipeline

  var topics: PipelineTopics { PipelineTopics(pipeline: pipeline.name) }

  func produce(_ texts: [String], to topic: TopicPartition = PipelineTopics.events) throws {
    try produce(texts.map { Array($0.utf8) }, to: topic)
  }

  func produce(_ values: [[UInt8]], to topic: TopicPartition = PipelineTopics.events) throws {
    var batch = RecordBatch()
    for value in values { batch.append(key: Array("key".utf8), value: value, timestamp: start) }
    try log.writer(PipelineTopics.producers, exclusive: false).transact { transaction in
      _ = try transaction.append(batch, to: topic)
    }
  }

  func produce(_ events: [Event]) throws { try produce(events.map(\.json)) }

  /// The labels of events, given right at the end of their delay.
  func label(_ events: [Event]) throws {
    let delay = pipeline.labels!.delay
    try produce(
      events.map {
        "{\"event_id\":\"\($0.id)\",\"label\":\($0.fraud! ? 1 : 0),\"time\":\(($0.time + delay) / 1000)}"
      }, to: PipelineTopics.labels)
  }

  func scorer(_ other: Pipeline? = nil) throws -> ScorerService {
    try ScorerService(pipeline: other ?? pipeline, log: log, logger: silent, now: { start })
  }

  func trainer(
    _ other: Pipeline? = nil, now: @escaping @Sendable () -> Int64 = { start }
  ) throws -> TrainerService {
    try TrainerService(pipeline: other ?? pipeline, log: log, logger: silent, now: now)
  }

  /// Scores everything that is there with a scorer started anew.
  @discardableResult
  func score() throws -> ScorerService {
    let service = try scorer()
    try service.run(stop: StopSignal(), untilEnd: true)
    return service
  }

  /// Learns everything that is there with a trainer started anew.
  @discardableResult
  func train() throws -> TrainerService {
    let service = try trainer()
    try service.run(stop: StopSignal(), untilEnd: true)
    return service
  }

  /// Runs a service on a thread of its own, off the tests' shared pool, while `body` goes on, and
  /// then has it stop.
  func whileFollowing(
    _ run: @escaping (StopSignal) throws -> Void, _ body: () throws -> Void = {}
  ) throws {
    let stop = StopSignal()
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) let run = run
    nonisolated(unsafe) var failure: (any Error)?
    Thread {
      do { try run(stop) } catch { failure = error }
      done.signal()
    }.start()
    let result = Result { try body() }
    stop.request()
    log.wake()
    #expect(done.wait(timeout: .now() + 60) == .success)
    if let failure { throw failure }
    try result.get()
  }

  /// Returns as soon as a condition holds that a change of the log brings about.
  func waitUntil(_ condition: () throws -> Bool) throws {
    for _ in 0..<100_000 {
      let token = log.changeToken()
      if try condition() { return }
      try #require(log.waitForChange(since: token, timeoutMilliseconds: 60_000))
    }
    Issue.record("it never came about")
  }

  func records(_ topic: TopicPartition, of role: WriterRole) throws -> [[UInt8]] {
    let reader = try log.reader(topic, of: role)
    var values: [[UInt8]] = []
    _ = try reader.read(from: reader.startOffset(), limit: .max) {
      values.append([UInt8]($0.value))
      return true
    }
    return values
  }

  func objects(_ topic: TopicPartition, of role: WriterRole) throws -> [[String: Any]] {
    try records(topic, of: role).map {
      try #require(try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])
    }
  }

  func decisions() throws -> [[String: Any]] {
    try objects(PipelineTopics.decisions, of: topics.scorer)
  }

  func scored() throws -> [ScoredBlock] {
    try records(PipelineTopics.scored, of: topics.scorer).map { try ScoredBlock(bytes: $0) }
  }

  func updates() throws -> [ParameterUpdate] {
    var updates: [ParameterUpdate] = []
    try ModelHistory(log: log).forEach { if let update = try $0.get() { updates.append(update) } }
    return updates
  }
}
