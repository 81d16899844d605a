import Foundation
import Pipeline
import Testing
import Topics

@Suite struct DeadLetterTests {
  private func all(
    _ log: any TopicLog, _ change: (inout DeadLetters.Filter) -> Void = { _ in }
  ) throws -> [DeadLetters.Found] {
    var filter = DeadLetters.Filter()
    change(&filter)
    var found: [DeadLetters.Found] = []
    try DeadLetters(log: log).forEach(filter) {
      found.append($0)
      return true
    }
    return found
  }

  @Test(arguments: Backend.allCases)
  func replayedAfterAFixAnEventHasOneDecision(_ backend: Backend) throws {
    try backend.withServices { services in
      let events = Event.stream(20)
      // Every other event comes with another name for its amount.
      let texts = events.enumerated().map { index, event in
        index % 2 == 0
          ? event.json : event.json.replacingOccurrences(of: "\"amount\"", with: "\"sum\"")
      }
      try services.produce(texts)
      try services.score()
      #expect(try services.decisions().count == 10)
      let refused = try all(services.log)
      #expect(refused.count == 10)
      #expect(
        refused.map { String(decoding: $0.letter.value, as: UTF8.self) }
          == texts.enumerated()
          .filter { $0.offset % 2 == 1 }.map(\.element))
      #expect(refused.allSatisfy { $0.status == .waiting && $0.letter.kind == "missing-field" })
      #expect(refused.allSatisfy { $0.key == Array("key".utf8) && $0.timestamp == start })

      let fixed = try Pipeline.test(
        ("amount: number", "amount:\n      type: number\n      or: [sum]"))
      let mended = Services(log: services.log, pipeline: fixed)
      let letters = DeadLetters(log: services.log)
      #expect(try letters.replay(refused).count == 10)
      #expect(try letters.replay(refused).isEmpty)
      try mended.score()
      let decided = try mended.decisions().compactMap { $0["event_id"] as? String }
      #expect(Set(decided) == Set(events.map(\.id)))
      #expect(decided.count == events.count)
      #expect(try all(services.log) { $0.status = .waiting }.isEmpty)
      #expect(try all(services.log) { $0.status = .replayed }.count == 10)

      // Put on the topic twice all the same, an event is decided once.
      try services.produce(texts)
      try mended.score()
      #expect(try mended.decisions().count == events.count)
      let repeated = try all(services.log) { $0.kind = "duplicate" }
      #expect(repeated.count == 20)
      #expect(repeated.allSatisfy { $0.letter.reason.contains("taken in before") })
    }
  }

  @Test func filtersChooseAndDroppedOnesStayOnRecord() throws {
    let services = Services(log: MemoryLog(), pipeline: try .test())
    try services.produce(["nonsense", "{\"id\":\"a\"}", "\u{1}"])
    try services.score()
    try services.produce(["{}", "[]"], to: PipelineTopics.labels)
    try services.train()
    #expect(try all(services.log).count == 5)
    #expect(try all(services.log) { $0.topic = "labels" }.count == 2)
    #expect(try all(services.log) { $0.role = "scorer-test" }.count == 3)
    #expect(try all(services.log) { $0.kind = "missing-field" }.count == 2)
    #expect(try all(services.log) { $0.since = start + 1 }.isEmpty)
    #expect(try all(services.log) { $0.until = start }.isEmpty)
    let one = try #require(DeadLetters.Reference("scorer-test/1"))
    let chosen = try all(services.log) { $0.references = [one] }
    #expect(chosen.map(\.reference) == [one])
    let letters = DeadLetters(log: services.log)
    #expect(try letters.drop(chosen) == [one])
    #expect(try letters.drop(chosen).isEmpty)
    #expect(try letters.replay(chosen).isEmpty)
    #expect(try all(services.log) { $0.status = .waiting }.count == 4)
    #expect(try all(services.log) { $0.status = .dropped }.map(\.reference) == [one])
    for wrong in ["", "scorer-test", "scorer-test/", "/1", "scorer-test/x", "a/b/1"] {
      #expect(DeadLetters.Reference(wrong) == nil, "\(wrong)")
    }
  }

  /// Whichever of the two topics that tell of an event has lost it.
  @Test(arguments: [PipelineTopics.scored, PipelineTopics.decisions])
  func anEventThatComesAgainIsNotDecidedAgainWhereRecordsAreGone(_ gone: TopicPartition) throws {
    let services = Services(log: MemoryLog(), pipeline: try .test())
    let events = Event.stream(30)
    for tenth in [events[..<10], events[10..<20], events[20...]] {
      try services.produce(Array(tenth))
      try services.score()
    }
    let end = try services.log.reader(gone, of: services.topics.scorer).endOffset()
    let kept = try services.log.writer(services.topics.scorer, exclusive: true).transact {
      try $0.trim(gone, before: end, limit: .max)
    }
    #expect(kept > 0)
    let decided = try services.decisions().count
    try services.produce(events)
    try services.score()
    #expect(try services.decisions().count == decided)
    #expect(try all(services.log) { $0.kind = "duplicate" }.count == events.count)
  }

  /// What two pipelines refused is put back once.
  @Test func aRecordRefusedTwiceIsReplayedOnce() throws {
    let log = MemoryLog()
    let one = Services(log: log, pipeline: try .test())
    let two = Services(log: log, pipeline: try .test(("pipeline: test", "pipeline: other")))
    try one.produce(["broken"])
    try one.score()
    try two.score()
    let found = try all(log)
    #expect(found.count == 2)
    #expect(try DeadLetters(log: log).replay(found).count == 1)
    #expect(try all(log) { $0.status = .replayed }.count == 2)
    #expect(try one.records(PipelineTopics.events, of: PipelineTopics.producers).count == 2)
  }

  /// Bytes that are no text come back exactly.
  @Test func bytesAreKeptAsTheyCame() throws {
    let services = Services(log: MemoryLog(), pipeline: try .test())
    let values: [[UInt8]] = [
      [], [0, 255, 254], Array("\"\\\u{0}é".utf8), Array(repeating: 7, count: 999),
    ]
    try services.produce(values)
    try services.score()
    #expect(try all(services.log).map(\.letter.value) == values)
  }
}
