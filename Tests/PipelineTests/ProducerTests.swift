import Features
import Foundation
import Pipeline
import Testing
import Topics

@Suite struct ProducerTests {
  /// The rows of a history on an in-memory log, and what they came to.
  private struct Work {
    let log = MemoryLog()
    let pipeline: Pipeline

    /// Runs a producer; after `stopAfter` batches it is stopped as if it had been killed.
    @discardableResult
    func run(
      _ path: String, again: Bool = false, delay: Int64? = nil, stopAfter: Int = .max,
      between: () throws -> Void = {}
    ) throws -> Producer {
      var producer = try Producer(
        source: ProducerSource(path: path, schema: pipeline.schema), log: log,
        target: .pipeline(pipeline, labelDelay: delay), rate: nil, again: again, now: { start },
        elapsed: { 0 })
      let stop = StopSignal()
      var batches = 0
      var failure: (any Error)?
      try producer.run(stop: stop) { _, _ in
        batches += 1
        do { try between() } catch { failure = error }
        if batches >= stopAfter { stop.request() }
      }
      if let failure { throw failure }
      return producer
    }

    func records(_ topic: TopicPartition) throws -> [String] {
      let reader = try log.reader(topic, of: PipelineTopics.producers)
      var records: [String] = []
      _ = try reader.read(from: 0, limit: .max) {
        records.append("\($0.timestamp) " + String(decoding: $0.value, as: UTF8.self))
        return true
      }
      return records
    }
  }

  private func history(_ events: some Sequence<Event>) -> String {
    events.map(\.history).joined(separator: "\n") + "\n"
  }

  @Test func killedAgainAndAgainItPutsEveryRowAndLabelOnce() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let events = Event.stream(6000, seed: seed)
    try withFile(history(events)) { path in
      let whole = Work(pipeline: try .test())
      try whole.run(path)
      let killed = Work(pipeline: try .test())
      var runs = 0
      while try killed.records(PipelineTopics.labels).count < events.count, runs < 100 {
        try killed.run(path, stopAfter: Int.random(in: 1...4, using: &random))
        runs += 1
      }
      for topic in [PipelineTopics.events, PipelineTopics.labels] {
        #expect(try killed.records(topic) == whole.records(topic), "seed \(seed)")
      }
      #expect(try whole.records(PipelineTopics.events).count == events.count)
      #expect(try whole.records(PipelineTopics.labels).count == events.count)
      // Nothing is left to do.
      let producer = try killed.run(path)
      #expect(producer.counters.events == 0)
      #expect(producer.counters.resumed == UInt64(events.count))
    }
  }

  /// Where the position is the identifier, labels name the right events although somebody else
  /// appends in between.
  @Test func labelsFindTheirEventsByPosition() throws {
    let events = Event.stream(4000)
    try withFile(history(events)) { path in
      let work = Work(pipeline: try .test(("  id: id\n", "")))
      let other = try work.log.writer(PipelineTopics.producers, exclusive: false)
      func interfere() throws {
        var batch = RecordBatch()
        batch.append(key: nil, value: Array("{\"id\":\"other\"}".utf8), timestamp: start)
        _ = try other.transact { try $0.append(batch, to: PipelineTopics.events) }
      }
      for _ in 0..<3 { try work.run(path, stopAfter: 2, between: interfere) }
      try work.run(path)
      let produced = try work.records(PipelineTopics.events)
      let labels = try work.records(PipelineTopics.labels)
      #expect(produced.count > events.count)
      #expect(labels.count == events.count)
      let truth = Dictionary(uniqueKeysWithValues: events.map { ($0.id, $0.fraud!) })
      var seen: Set<String> = []
      for record in labels {
        let text = record.split(separator: " ", maxSplits: 1)[1]
        let label = try #require(
          try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let offset = try #require((label["event_id"] as? String).flatMap(Int.init))
        let event = try #require(produced[offset].firstMatch(of: /"id":"([^"]*)"/)).1
        #expect(truth[String(event)] == (label["label"] as? Int == 1))
        seen.insert(String(event))
      }
      #expect(seen.count == events.count)
    }
  }

  @Test func aGrownFileIsProducedFromWhereItEnded() throws {
    let events = Event.stream(900)
    try withFolder { folder in
      let work = Work(pipeline: try .test())
      let path = folder + "/history"
      for count in [300, 900] {
        try history(events.prefix(count)).write(toFile: path, atomically: false, encoding: .utf8)
        try work.run(path)
        #expect(try work.records(PipelineTopics.events).count == count)
        #expect(try work.records(PipelineTopics.labels).count == count)
      }
      // Another file of that name is not gone on with.
      try history(events.dropFirst()).write(toFile: path, atomically: false, encoding: .utf8)
      #expect(throws: Producer.ResumeError.self) { try work.run(path) }
      #expect(throws: Producer.ResumeError.self) { try work.run(path, delay: 1) }
      try history(events.prefix(200)).write(toFile: path, atomically: false, encoding: .utf8)
      #expect(throws: Producer.ResumeError.self) { try work.run(path) }
      #expect(try work.records(PipelineTopics.events).count == 900)
      try work.run(path, again: true)
      #expect(try work.records(PipelineTopics.events).count == 1100)
      try work.run(path)
      #expect(try work.records(PipelineTopics.events).count == 1100)
    }
  }

  @Test func ofTwoProducersOfAFileOneIsFenced() throws {
    let events = Event.stream(2000)
    try withFile(history(events)) { path in
      let work = Work(pipeline: try .test())
      var first = true
      let error = #expect(throws: TopicError.self) {
        try work.run(path) {
          if first {
            first = false
            try work.run(path, stopAfter: 1)
          }
        }
      }
      #expect(error?.code == .fenced)
      try work.run(path)
      #expect(try work.records(PipelineTopics.events).count == events.count)
      #expect(try work.records(PipelineTopics.labels).count == events.count)
    }
  }

  @Test func rowsThatAreNoneBecomeDeadLetters() throws {
    try withFile("id,time,amount\na,1522540800000,1\nb,2\nc,1522540800001,3\n") { path in
      let work = Work(pipeline: try .test())
      let producer = try work.run(path)
      #expect(producer.counters.events == 2)
      #expect(producer.counters.refused == 1)
      var found: [DeadLetters.Found] = []
      let letters = DeadLetters(log: work.log)
      try letters.forEach {
        found.append($0)
        return true
      }
      let letter = try #require(found.first).letter
      #expect(found.count == 1)
      #expect(letter.value == Array("b,2".utf8))
      #expect(letter.kind == "malformed")
      guard case .row(1, let file) = letter.source else {
        Issue.record("\(letter.source)")
        return
      }
      #expect(file.hasSuffix("/file"))
      // It goes back only as what somebody makes of it.
      #expect(throws: DeadLetters.ReplayError.self) { try letters.replay(found) }
      let mended = Array("{\"id\":\"b\",\"time\":1522540800000,\"amount\":2}".utf8)
      #expect(try letters.replay(found, value: mended) == [found[0].reference])
      #expect(try work.records(PipelineTopics.events).count == 3)
      #expect(try letters.replay(found, value: mended) == [])
      #expect(try work.records(PipelineTopics.events).count == 3)
    }
  }
}
