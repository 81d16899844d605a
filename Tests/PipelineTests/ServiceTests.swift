import Features
import Foundation
import Learners
import ModelLog
import Pipeline
import Synchronization
import Testing
import Topics

@Suite struct ServiceTests {
  @Test(arguments: Backend.allCases)
  func everyEventGetsOneDecisionThatAgreesWithWhatWasScored(_ backend: Backend) throws {
    try backend.withServices { services in
      let events = Event.stream(1500)
      for from in stride(from: 0, to: 1500, by: 300) {
        try services.produce(Array(events[from..<from + 300]))
        try services.score()
        try services.label(Array(events[from..<from + 300]))
        try services.train()
      }
      let decisions = try services.decisions()
      #expect(decisions.map { $0["event_id"] as? String } == events.map(\.id))
      let blocks = try services.scored()
      #expect(blocks.reduce(0) { $0 + $1.rows } == 1500)
      var alerts = 0
      var index = 0
      for block in blocks {
        for row in 0..<block.rows {
          let decision = decisions[index]
          index += 1
          #expect(decision["event_id"] as? String == String(decoding: block.id(row), as: UTF8.self))
          #expect(decision["pipeline"] as? String == "test")
          let outcome = try #require(decision["outcome"] as? String)
          #expect(outcome == "\(block.outcome(row))")
          alerts += outcome == "alert" ? 1 : 0
          let scores = try #require(decision["scores"] as? [String: [String: Any]])
          for (model, version) in block.versions.enumerated() {
            let name = services.pipeline.models[model].name
            guard version.version > 0 else {
              #expect(scores[name] == nil)
              continue
            }
            let score = try #require(scores[name])
            #expect(
              (score["score"] as? Double).map(Float.init) == block.score(model: model, row: row))
            #expect(score["version"] as? UInt64 == version.version)
            #expect(score["epoch"] as? UInt64 == version.epoch)
            #expect(score["digest"] as? String == version.digest?.description)
            let threshold = try #require(score["threshold"] as? Double)
            #expect(score["flagged"] as? Bool == ((score["score"] as! Double) >= threshold))
          }
          let reasons = try #require(decision["reasons"] as? [[String: Any]])
          if outcome == "alert" {
            let names = services.pipeline.plan.names
            #expect(!reasons.isEmpty)
            for reason in reasons {
              let feature = try #require(names.firstIndex(of: reason["feature"] as? String ?? ""))
              let value = try #require(reason["value"] as? Double)
              #expect(abs(value - block.feature(feature, row: row)) < 1e-9)
              #expect(reason["contribution"] as? Double ?? 0 > 0)
              #expect(reason["typical"] is Double)
            }
          }
        }
      }
      #expect(alerts > 0)
    }
  }

  @Test(arguments: Backend.allCases)
  func beforeAnyParametersDecisionsSaySo(_ backend: Backend) throws {
    try backend.withServices { services in
      let events = Event.stream(10)
      try services.produce(events)
      let scorer = try services.score()
      #expect(scorer.servedNames.isEmpty)
      for decision in try services.decisions() {
        #expect(decision["status"] as? String == "no-parameters")
        #expect(decision["outcome"] as? String == "none")
        #expect((decision["scores"] as? [String: Any])?.isEmpty == true)
      }
      let block = try #require(try services.scored().first)
      for (row, event) in events.enumerated() {
        #expect(block.feature(0, row: row) == event.amount)
        #expect(block.score(model: 0, row: row).isNaN)
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func brokenEventsBecomeDeadLettersAndTheBatchGoesOn(_ backend: Backend) throws {
    try backend.withServices { services in
      let good = Event.stream(3)
      let bad: [(kind: String, bytes: [UInt8])] = [
        ("malformed", Array("{\"id\":\"a\",".utf8)),
        ("malformed", Array("".utf8)),
        ("malformed", Array("[1]".utf8)),
        ("malformed", [0xff, 0xfe, 0x00, 0x7b]),
        (
          "malformed",
          Array("{\"id\":\"".utf8) + [0xc3, 0x28] + Array("\",\"time\":1,\"amount\":1}".utf8)
        ),
        ("oversized", Array("{\"x\":\"\(String(repeating: "y", count: 500))\"}".utf8)),
        ("wrong-type", Array("{\"id\":\"a\",\"time\":1,\"amount\":\"much\"}".utf8)),
        ("not-finite", Array("{\"id\":\"a\",\"time\":1,\"amount\":1e300}".utf8)),
        ("missing-field", Array("{\"id\":\"a\",\"time\":1}".utf8)),
        ("missing-field", Array("{\"time\":1,\"amount\":1}".utf8)),
        ("unreadable-time", Array("{\"id\":\"a\",\"time\":\"soon\",\"amount\":1}".utf8)),
        ("bad-identifier", Array("{\"id\":\"\",\"time\":1,\"amount\":\"1\"}".utf8)),
      ]
      var values: [[UInt8]] = [Array(good[0].json.utf8)]
      values += bad.map(\.bytes)
      values += good[1...].map { Array($0.json.utf8) }
      try services.produce(values)
      let scorer = try services.score()
      #expect(scorer.counters.events == 3)
      #expect(scorer.counters.refused == UInt64(bad.count))
      #expect(try services.decisions().map { $0["event_id"] as? String } == good.map(\.id))
      let letters = try services.objects(PipelineTopics.deadLetters, of: services.topics.scorer)
      #expect(letters.count == bad.count)
      for (index, (letter, bad)) in zip(letters, bad).enumerated() {
        #expect(letter["topic"] as? String == "events")
        #expect(letter["partition"] as? Int == 0)
        #expect(letter["offset"] as? Int == index + 1)
        #expect(letter["kind"] as? String == bad.kind)
        #expect(!(letter["reason"] as? String ?? "").isEmpty)
        if let text = String(validating: bad.bytes, as: UTF8.self) {
          #expect(letter["value"] as? String == text)
        } else {
          let encoded = try #require(letter["value_base64"] as? String)
          #expect(Data(base64Encoded: encoded) == Data(bad.bytes))
        }
      }
      // Refused once, refused for good: nothing is read again.
      let counters = try services.score().counters
      #expect(counters.events == 0)
      #expect(counters.refused == 0)
    }
  }

  @Test(arguments: Backend.allCases)
  func brokenLabelsBecomeDeadLetters(_ backend: Backend) throws {
    try backend.withServices { services in
      let events = Event.stream(20)
      try services.produce(events)
      try services.score()
      let bad = [
        "{\"event_id\":\"e1\"}", "{\"label\":1}", "{\"event_id\":\"e1\",\"label\":2}", "no",
        "{\"event_id\":\"e1\",\"label\":1,\"time\":\"never\"}",
        "{\"event_id\":\"e1\",\"label\":null}",
        "{\"event_id\":\"e1\",\"label\":1,\"weight\":0}",
        "{\"event_id\":\"e1\",\"label\":1,\"weight\":-1}",
        "{\"event_id\":\"e1\",\"label\":1,\"weight\":1000001}",
        "{\"event_id\":\"e1\",\"label\":1,\"weight\":\"heavy\"}",
        "{\"event_id\":\"e1\",\"label\":1,\"source\":{}}",
      ]
      try services.produce(bad, to: PipelineTopics.labels)
      // Both spellings of a time, and none.
      try services.produce(
        [
          "{\"event_id\":\"e2\",\"label\":true,\"time\":\"2018-04-01T00:20:00Z\"}",
          "{\"event_id\":\"e3\",\"label\":0}",
          "{\"event_id\":\"e4\",\"label\":\"1\",\"source\":\"x\",\"weight\":1000000}",
        ], to: PipelineTopics.labels)
      let trainer = try services.train()
      #expect(trainer.engine.counters.labels == 3)
      #expect(trainer.engine.counters.examples == 3)
      #expect(trainer.engine.labelSources.text == "x 1")
      let letters = try services.objects(PipelineTopics.deadLetters, of: services.topics.trainer)
      #expect(letters.map { $0["value"] as? String } == bad)
      #expect(letters.map { $0["offset"] as? Int } == Array(bad.indices))
      #expect(letters.allSatisfy { $0["topic"] as? String == "labels" })
      try services.train()
      #expect(
        try services.objects(PipelineTopics.deadLetters, of: services.topics.trainer).count
          == bad.count)
    }
  }

  @Test(arguments: Backend.allCases)
  func restartedServicesGoOnWhereTheyStood(_ backend: Backend) throws {
    let events = Event.stream(2000)
    var versions: [String: UInt64] = [:]
    try backend.withServices { services in
      var epochs: [UInt64] = []
      for from in stride(from: 0, to: 2000, by: 100) {
        let piece = Array(events[from..<from + 100])
        try services.produce(piece)
        let scorer = try services.score()
        #expect(scorer.counters.events == 100)
        #expect(scorer.position == UInt64(from + 100))
        try services.label(piece)
        let trainer = try services.train()
        epochs.append(trainer.engine.epoch)
        #expect(trainer.engine.counters.events == UInt64(from + 100))
        #expect(trainer.engine.counters.examples == UInt64(from + 100))
      }
      #expect(epochs == Array(1...20))
      var epoch: UInt64 = 0
      for update in try services.updates() {
        #expect(update.header.version == versions[update.header.model, default: 0] + 1)
        versions[update.header.model] = update.header.version
        #expect(update.header.epoch >= epoch)
        epoch = update.header.epoch
        #expect(update.header.positions.map(\.topic) == ["scored", "labels"])
      }
      #expect(versions.count == 3)
      #expect(try services.decisions().count == 2000)
    }
  }

  /// One long-lived trainer, and one restarted between all of its reads, publish the same.
  @Test(arguments: Backend.allCases)
  func restartsDoNotChangeWhatIsLearnt(_ backend: Backend) throws {
    let events = Event.stream(1200)
    func digests(restarting: Bool) throws -> [String] {
      var names: [String] = []
      try backend.withServices { services in
        for from in stride(from: 0, to: 1200, by: 200) {
          try services.produce(Array(events[from..<from + 200]))
          try services.score()
          try services.label(Array(events[from..<from + 200]))
          if restarting {
            let stop = StopSignal()
            let trainer = try services.trainer()
            // Stopped after its first commit, then again until nothing is left.
            try trainer.run(stop: stop) { _ in stop.request() }
          }
        }
        try services.train()
        names = try services.updates().map { "\($0.header.name) \($0.digest)" }
      }
      return names.sorted()
    }
    let undisturbed = try digests(restarting: false)
    let restarted = try digests(restarting: true)
    // Scores do not feed back into what is learnt, so the versions are the same.
    #expect(undisturbed == restarted)
  }

  @Test(arguments: Backend.allCases)
  func aNewServiceFencesTheOldOne(_ backend: Backend) throws {
    try backend.withServices { services in
      let oldScorer = try services.scorer()
      let oldTrainer = try services.trainer()
      try services.produce(Event.stream(300))
      try services.score()
      let newTrainer = try services.train()
      #expect(newTrainer.engine.epoch == oldTrainer.engine.epoch + 1)
      for run in [
        { try oldScorer.run(stop: StopSignal(), untilEnd: true) },
        { try oldTrainer.run(stop: StopSignal(), untilEnd: true) },
      ] {
        let error = try #require(throws: TopicError.self) { try run() }
        #expect(error.code == .fenced)
      }
      #expect(try services.decisions().count == 300)
    }
  }

  @Test(arguments: Backend.allCases)
  func scorerServesTheLastParametersWithoutATrainer(_ backend: Backend) throws {
    // So many versions that a scorer starts in the midst of them.
    try backend.withServices(.test(("every: 200", "every: 32"))) { services in
      let events = Event.stream(3000)
      try services.produce(events)
      try services.score()
      try services.label(events)
      try services.train()
      let last = Dictionary(
        try services.updates().map { ($0.header.model, $0.header.name) }, uniquingKeysWith: { $1 })
      let scorer = try services.scorer()
      #expect(scorer.servedNames == services.pipeline.models.map { last[$0.name] })
      // A sound topic gives nothing to complain about.
      #expect(scorer.counters.updates.refused == 0)
      try services.produce(Event.stream(10, seed: 3, prefix: "later "))
      try scorer.run(stop: StopSignal(), untilEnd: true)
      #expect(scorer.counters.events == 10)
      for decision in try services.decisions().suffix(10) {
        #expect((decision["scores"] as? [String: Any])?.count == 3)
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func refusedUpdatesAreCountedAndServingGoesOn(_ backend: Backend) throws {
    try backend.withServices { services in
      try services.produce(Event.stream(500))
      try services.score()
      try services.train()
      let scorer = try services.scorer()
      let served = scorer.servedNames
      // Whoever writes to the topic in the trainer's name.
      let writer = try services.log.writer(services.topics.trainer, exclusive: true)
      var batch = RecordBatch()
      batch.append(key: nil, value: Array("no update".utf8), timestamp: start)
      let update = try #require(try services.updates().last { $0.header.isSnapshot })
      var records = UpdateChunks.split(update)
      records[0][records[0].count / 2] ^= 1
      for record in records { batch.append(key: nil, value: record, timestamp: start) }
      try writer.transact { _ = try $0.append(batch, to: PipelineTopics.models) }
      try services.produce(Event.stream(10, seed: 2, prefix: "later "))
      try scorer.run(stop: StopSignal(), untilEnd: true)
      #expect(scorer.counters.updates.refused == 2)
      #expect(scorer.servedNames == served)
      #expect(scorer.counters.events == 10)
      // The trainer's next updates are applied.
      try services.produce(Event.stream(500, seed: 4, prefix: "last "))
      try services.score()
      try services.train()
      #expect(try services.scorer().servedNames != served)
    }
  }

  @Test(arguments: Backend.allCases)
  func anotherPipelineFileIsRefusedBeforeAnythingIsConsumed(_ backend: Backend) throws {
    try backend.withServices { services in
      let events = Event.stream(400)
      try services.produce(events)
      try services.score()
      let trainer = try services.trainer()
      try trainer.run(stop: StopSignal(), untilEnd: true)
      let other = try Pipeline.test(("- log: balance", "- number: balance"))
      try services.produce(Event.stream(10, seed: 2, prefix: "later "))
      let scorer = try services.scorer()
      for start in [{ _ = try services.scorer(other) }, { _ = try services.trainer(other) }] {
        let error = try #require(throws: PipelineMismatch.self) { try start() }
        #expect(error.description.contains("- feature log(balance)"))
        #expect(error.description.contains("+ feature balance"))
        #expect(error.description.contains("'test'"))
      }
      // Nothing was consumed, and those that run are not disturbed.
      try scorer.run(stop: StopSignal(), untilEnd: true)
      #expect(scorer.counters.events == 10)
      try trainer.run(stop: StopSignal(), untilEnd: true)
      #expect(trainer.engine.counters.events == 410)
    }
  }

  /// State is there before the first version is.
  @Test(arguments: Backend.allCases)
  func anotherPipelineFileIsRefusedByTheStateAlone(_ backend: Backend) throws {
    try backend.withServices { services in
      try services.produce(Event.stream(5))
      try services.score()
      let stop = StopSignal()
      // A minute passes whenever the time is asked for, so that the trainer saves what it has.
      let asked = Mutex(Int64(0))
      let trainer = try services.trainer(
        now: {
          asked.withLock {
            $0 += 60_000
            return $0
          }
        })
      try trainer.run(stop: stop) { _ in stop.request() }
      try #require(try services.updates().isEmpty)
      let other = try Pipeline.test(("clusters: 3", "clusters: 4"))
      #expect(throws: PipelineMismatch.self) { try services.trainer(other) }
      try trainer.run(stop: StopSignal(), untilEnd: true)
    }
  }

  @Test(arguments: Backend.allCases)
  func eventsScoredByAnotherPipelineFileAreRefusedWithTheDifference(_ backend: Backend) throws {
    try backend.withServices { services in
      try services.produce(Event.stream(5))
      try services.score()
      // Nothing has been published yet: only the scorer has worked.
      let other = try Pipeline.test(("- log: balance", "- number: balance"))
      let error = try #require(throws: PipelineMismatch.self) { try services.trainer(other) }
      #expect(error.description.contains("- feature log(balance): log balance"))
      #expect(error.description.contains("+ feature balance: number balance"))
      #expect(throws: PipelineMismatch.self) { try services.scorer(other) }
      #expect(try services.updates().isEmpty)
    }
  }

  @Test(arguments: Backend.allCases)
  func pipelinesSideBySideDoNotDisturbEachOther(_ backend: Backend) throws {
    let other = try Pipeline.test(
      ("pipeline: test", "pipeline: second"), ("clusters: 3", "clusters: 2"))
    try backend.withServices { services in
      let second = Services(log: services.log, pipeline: other)
      let events = Event.stream(300)
      try services.produce(events)
      try services.label(events)
      for one in [services, second] {
        try one.score()
        try one.train()
        #expect(try one.decisions().count == 300)
      }
      #expect(Set(try services.updates().map(\.header.pipeline)) == ["test", "second"])
      try services.score()
      #expect(try services.scorer().servedNames.allSatisfy { $0.hasPrefix("test/") })
    }
  }

  @Test(arguments: Backend.allCases)
  func stoppedServicesReturnWithTheirWorkCommitted(_ backend: Backend) throws {
    try backend.withServices { services in
      let scorer = try services.scorer()
      let trainer = try services.trainer()
      try services.whileFollowing { try scorer.run(stop: $0) }
      try services.whileFollowing { try trainer.run(stop: $0) }
      try services.produce(Event.stream(100))
      try services.score()
      #expect(try services.decisions().count == 100)
    }
  }
}
