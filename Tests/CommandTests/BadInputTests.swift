import Foundation
import Pipeline
import Testing
import Topics

/// What bad input gets, asked of the program as a user runs it.
@Suite struct BadInputTests {
  /// A folder of topics whose events and labels are written by hand.
  private struct Desk {
    let folder: String
    let topics: String
    let pipeline: String
    let log: EmbeddedLog

    init(in folder: String, _ changes: (String, String)...) throws {
      self.folder = folder
      topics = folder + "/topics"
      pipeline = folder + "/pipeline.yaml"
      log = try EmbeddedLog(folder: topics, access: .readWrite)
      var text = Workplace.pipelineText
      for (old, new) in changes {
        try #require(text.contains(old), "nothing to replace: \(old)")
        text = text.replacingOccurrences(of: old, with: new)
      }
      try text.write(toFile: pipeline, atomically: false, encoding: .utf8)
    }

    func put(_ values: [String], on topic: String = "events") throws {
      try put(values.map { Array($0.utf8) }, on: topic)
    }

    func put(_ values: [[UInt8]], on topic: String = "events") throws {
      var batch = RecordBatch()
      for value in values { batch.append(key: nil, value: value, timestamp: 1_522_540_800_000) }
      _ = try log.writer(.producers, exclusive: false).transact {
        try $0.append(batch, to: TopicPartition(topic))
      }
    }

    func event(_ id: Int, amount: String = "5", time: String = "2018-04-01 10:00:00") -> String {
      "{\"TRANSACTION_ID\":\(id),\"TX_DATETIME\":\"\(time)\",\"CUSTOMER_ID\":1,\"TX_AMOUNT\":\(amount)}"
    }

    @discardableResult
    func run(_ command: String...) throws -> Command {
      let run = try Command(command + ["--topics", topics])
      run.wait()
      return run
    }

    func score() throws -> Command {
      try run("score", "--pipeline", pipeline, "--until-end")
    }

    func decisions() throws -> [[String: Any]] {
      try weir("topics", "read", "decisions", "--topics", topics).split(separator: "\n").map {
        try #require(try json(String($0)) as? [String: Any])
      }
    }

    func decided() throws -> [String] { try decisions().compactMap { $0["event_id"] as? String } }

    func deadLetters(_ arguments: String...) throws -> [[String: Any]] {
      let list = try Command(["dead-letters", "list", "--json", "--topics", topics] + arguments)
      #expect(list.wait() == 0, "\(list.errors)")
      return try objects(list.output)
    }
  }

  @Test func unreadableEventsBecomeDeadLettersAndTheOthersAreScored() throws {
    try withFolder { folder in
      let desk = try Desk(in: folder, ("events:\n", "events:\n  max_bytes: 300\n"))
      let long = String(repeating: "x", count: 400)
      let cases: [(value: String, kind: String, words: String)] = [
        ("{\"TRANSACTION_ID\":", "malformed", ""),
        ("[1,2]", "malformed", ""),
        ("{\"TRANSACTION_ID\":2,\"note\":\"\(long)\"}", "oversized", "the limit is 300"),
        (desk.event(3, amount: "\"much\""), "wrong-type", "TX_AMOUNT"),
        ("{\"TRANSACTION_ID\":4,\"TX_DATETIME\":\"2018-04-01\"}", "missing-field", "TX_AMOUNT"),
        (desk.event(5, amount: "null"), "missing-field", "TX_AMOUNT"),
        (desk.event(6, amount: "1e39"), "not-finite", "TX_AMOUNT"),
        (desk.event(7, amount: "-1e400"), "", "TX_AMOUNT"),
        (desk.event(8, amount: "NaN"), "", ""),
        (desk.event(9, time: "yesterday"), "unreadable-time", "TX_DATETIME"),
        (
          "{\"TRANSACTION_ID\":\"\",\"TX_DATETIME\":\"2018-04-01\",\"TX_AMOUNT\":1}",
          "bad-identifier", ""
        ),
      ]
      // A sound event behind each bad one.
      try desk.put(cases.enumerated().flatMap { [$0.element.value, desk.event(100 + $0.offset)] })
      try desk.put([[0xff, 0xfe, 0x00]])
      let scorer = try desk.score()
      #expect(scorer.wait() == 0, "\(scorer.errors)")
      #expect(try desk.decided() == cases.indices.map { "\(100 + $0)" })
      let letters = try desk.deadLetters()
      #expect(letters.count == cases.count + 1)
      for (index, (value, kind, words)) in cases.enumerated() {
        let letter = letters[index]
        #expect(letter["value"] as? String == value)
        #expect(letter["topic"] as? String == "events")
        #expect(letter["offset"] as? Int == 2 * index)
        #expect(letter["time"] is String)
        if !kind.isEmpty { #expect(letter["kind"] as? String == kind, "\(value)") }
        let reason = try #require(letter["reason"] as? String)
        #expect(words.isEmpty || reason.contains(words), "\(value): \(reason)")
      }
      #expect(letters.last?["value_base64"] as? String == "//4A")
    }
  }

  @Test func missingFieldsAreWhatThePipelineFileSays() throws {
    try withFolder { folder in
      let desk = try Desk(
        in: folder, ("TX_AMOUNT: number", "TX_AMOUNT: {type: number, missing: 7}"),
        ("  - log: TX_AMOUNT\n", "  - missing: TX_AMOUNT\n"))
      try desk.put([
        "{\"TRANSACTION_ID\":1,\"TX_DATETIME\":\"2018-04-01\"}", desk.event(2, amount: "3"),
      ])
      #expect(try desk.score().wait() == 0)
      let scored = try weir("topics", "read", "scored", "--topics", desk.topics)
        .split(separator: "\n").map { try json(String($0)) as? [String: Any] }
      #expect((scored[0]?["features"] as? [Double])?.prefix(2) == [7, 1])
      #expect((scored[1]?["features"] as? [Double])?.prefix(2) == [3, 0])
    }
  }

  @Test func memoryOfWindowsIsSaidBeforeTheyFill() throws {
    try withFolder { folder in
      let desk = try Desk(
        in: folder, ("  - time: hour\n", "  - count: CUSTOMER_ID\n    over: [1d]\n"))
      let check = try Command(["pipeline", "check", desk.pipeline])
      #expect(check.wait() == 0, "\(check.errors)")
      let described = try Command(["pipeline", "check", desk.pipeline, "--json"])
      #expect(described.wait() == 0)
      let object = try #require(try json(described.output) as? [String: Any])
      let windows = try #require((object["windows"] as? [[String: Any]])?.first)
      let entity = try #require(windows["bytes_per_entity"] as? Int)
      let event = try #require(windows["bytes_per_event"] as? Int)
      #expect(entity > 0 && event > 0)
      let examples = try #require(windows["a_million_entities"] as? [[String: Int]])
      #expect(examples.map { $0["events_each"] } == [1, 10, 100])
      for example in examples {
        let events = try #require(example["events_each"])
        let bytes = (entity + events * event) * 1_000_000
        #expect(example["bytes"] == bytes)
        #expect(check.output.filter { $0 != "," }.contains("\(bytes / 1_048_576) MiB"))
      }
    }
  }

  @Test func whatWindowsLeaveOutIsSaid() throws {
    try withFolder { folder in
      let desk = try Desk(
        in: folder, ("events:\n", "events:\n  lateness: 1h\n"),
        (
          "  - time: hour\n",
          "  - count: CUSTOMER_ID\n    over: [1d]\nwindows: {events_per_entity: 16}\n"
        ))
      try desk.put(
        (0..<18).map { desk.event($0) } + [
          desk.event(18, time: "2018-04-01 09:30:00"), desk.event(19, time: "2018-04-01 08:59:59"),
        ])
      let scorer = try desk.score()
      #expect(scorer.wait() == 0)
      let said = try #require(scorer.errors.split(separator: "\n").last)
      for words in [
        "windows hold", "windows_entities=1", "windows_events=16", "windows_out_of_order=1",
        "windows_left_out=1", "windows_crowded_out=3", "windows_forgotten=0",
      ] {
        #expect(said.contains(words), "\(words): \(said)")
      }
      #expect(scorer.errors.contains("warning") && scorer.errors.contains("no room in windows"))
      #expect(try desk.decided().count == 20)
    }
  }

  @Test func lateEventsAreScoredAndMarkedAlsoAfterARestart() throws {
    try withFolder { folder in
      let desk = try Desk(in: folder, ("events:\n", "events:\n  lateness: 30m\n"))
      try desk.put([
        desk.event(1, time: "2018-04-01 10:00:00"), desk.event(2, time: "2018-04-01 12:00:00"),
        desk.event(3, time: "2018-04-01 11:30:00"), desk.event(4, time: "2018-04-01 11:29:59"),
      ])
      #expect(try desk.score().wait() == 0)
      try desk.put([
        desk.event(5, time: "2018-04-01 10:00:00"), desk.event(6, time: "2018-04-01 12:00:01"),
      ])
      #expect(try desk.score().wait() == 0)
      #expect(
        try desk.decisions().map { $0["late"] as? Bool ?? false } == [
          false, false, false, true, true, false,
        ])
    }
  }

  @Test func anIdentifierIsScoredOnceAlsoAfterARestart() throws {
    try withFolder { folder in
      let desk = try Desk(in: folder)
      try desk.put([desk.event(1), desk.event(2), desk.event(1, amount: "9")])
      #expect(try desk.score().wait() == 0)
      try desk.put([desk.event(2), desk.event(3)])
      #expect(try desk.score().wait() == 0)
      #expect(try desk.decided() == ["1", "2", "3"])
      let letters = try desk.deadLetters("--kind", "duplicate")
      #expect(letters.map { $0["offset"] as? Int } == [2, 3])
    }
  }

  @Test func labelsOfAnyKindAreCountedAndTheLastOneWins() throws {
    try withFolder { folder in
      let desk = try Desk(in: folder)
      func label(_ id: Int, _ label: String) -> String {
        "{\"event_id\":\"\(id)\",\"label\":\(label),\"time\":\"2018-04-01T11:00:00Z\"}"
      }
      try desk.put(
        [
          label(1, "1"), label(1, "1"), label(2, "0"), label(2, "1"), label(99, "1"), "nonsense",
          label(3, "0.5"),
        ], on: "labels")
      try desk.put([desk.event(1), desk.event(2), desk.event(3)])
      #expect(try desk.score().wait() == 0)
      let trainer = try desk.run("train", "--pipeline", desk.pipeline, "--until-end")
      #expect(trainer.wait() == 0, "\(trainer.errors)")
      for words in [
        "labels=5", "examples=2", "duplicate_labels=1", "contradicting_labels=1", "early_labels=",
      ] { #expect(trainer.errors.contains(words), "\(words): \(trainer.errors)") }
      let letters = try desk.deadLetters("--topic", "labels")
      #expect(letters.map { $0["offset"] as? Int } == [5, 6])
      // Two events, one of them once more when its label was corrected.
      let last = try #require(
        try objects(
          weir("models", "list", "cards/fraud", "--last", "1", "--json", "--topics", desk.topics)
        ).first)
      #expect(last["examples"] as? Int == 3)
    }
  }

  @Test func deadLettersAreReplayedOnceTheCauseIsMended() throws {
    try withFolder { folder in
      let desk = try Desk(in: folder)
      try desk.put([
        desk.event(1), desk.event(2).replacingOccurrences(of: "TX_AMOUNT", with: "amount"),
        "broken", "broken too",
      ])
      #expect(try desk.score().wait() == 0)
      #expect(try desk.decided() == ["1"])
      let name = try #require(try desk.deadLetters().first?["dead_letter"] as? String)
      #expect(name == "scorer-cards/0")
      #expect(try desk.run("dead-letters", "list").output.contains("field 'TX_AMOUNT' is missing"))
      #expect(try desk.run("dead-letters", "show", name).output.contains("\"amount\":5"))

      let text = try String(contentsOfFile: desk.pipeline, encoding: .utf8).replacingOccurrences(
        of: "TX_AMOUNT: number", with: "TX_AMOUNT: {type: number, or: [amount]}")
      try text.write(toFile: desk.pipeline, atomically: false, encoding: .utf8)
      for expected in ["1 replayed\n", "0 replayed\n"] {
        #expect(
          try desk.run("dead-letters", "replay", "--kind", "missing-field").output == expected)
      }
      #expect(try desk.run("dead-letters", "replay", name).wait() == 1)
      try desk.event(3).write(
        toFile: folder + "/mended.json", atomically: false, encoding: .utf8)
      let mended = try desk.run(
        "dead-letters", "replay", "scorer-cards/1", "--value", folder + "/mended.json")
      #expect(mended.output == "1 replayed\n", "\(mended.errors)")
      #expect(try desk.run("dead-letters", "drop", "--all").output == "1 dropped\n")
      #expect(try desk.score().wait() == 0)
      #expect(try desk.decided() == ["1", "2", "3"])
      #expect(try desk.deadLetters().isEmpty)
      #expect(
        try desk.deadLetters("--all").map { $0["status"] as? String } == [
          "replayed", "replayed", "dropped",
        ])
      // Nobody settles everything by leaving out a word.
      #expect(try desk.run("dead-letters", "drop").wait() == 64)
      #expect(try desk.run("dead-letters", "replay", "--all", name).wait() == 64)
    }
  }

  @Test func aFileThatDoesNotMatchTheModelsIsRefusedWithTheDifference() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      try work.produce(0)
      try work.run("score")
      try work.run("train")
      try work.produce(1)
      let log = try work.openLog()
      let decided = try log.count("decisions")
      let text = Workplace.pipelineText.replacingOccurrences(of: "clusters: 3", with: "clusters: 4")
      try text.write(toFile: work.pipeline, atomically: false, encoding: .utf8)
      for service in ["score", "train"] {
        let command = try work.start(service, "--until-end")
        #expect(command.wait() == 1)
        for words in [
          "- model clusters: k-means clusters=3", "+ model clusters: k-means clusters=4",
        ] {
          #expect(command.errors.contains(words), "\(command.errors)")
        }
      }
      #expect(try log.count("decisions") == decided)
    }
  }

  /// Nothing half-written, a clear error, and everything goes on once there is room.
  @Test func aFullDiskEndsWithAClearErrorAndNothingIsLost() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      for piece in 0..<4 { try work.produce(piece) }
      // The kernel refuses to let files grow, as a full disk does.
      for service in ["score", "train"] {
        if service == "train" { try work.run("score") }
        let full = try Command(
          [service, "--pipeline", work.pipeline, "--topics", work.topics, "--until-end"],
          largestFile: 96 << 10)
        #expect(full.wait() == 1, "\(full.errors)")
        #expect(full.errors.contains("full"), "\(full.errors)")
        try work.run(service)
      }
      try work.run("score")
      try work.run("train")
      try work.check()
      let produced = try Command(
        ["produce", work.history, "--topic", "events", "--topics", folder + "/other"],
        largestFile: 200 << 10)
      #expect(produced.wait() == 1)
      #expect(produced.errors.contains("full"), "\(produced.errors)")
      try weir("produce", work.history, "--topic", "events", "--topics", folder + "/other")
      let other = try EmbeddedLog(folder: folder + "/other", access: .readOnly)
      #expect(try other.count("events") == work.events)
    }
  }

  @Test func topicsDeletedUnderARunningServiceEndIt() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      try work.produce(0)
      let log = try work.openLog()
      let scorer = try work.start("score")
      try wait(on: log) { try log.count("decisions") > 0 }
      try FileManager.default.removeItem(atPath: work.topics)
      #expect(scorer.wait() == 1)
      #expect(scorer.errors.contains("deleted"), "\(scorer.errors)")
    }
  }

  @Test func ofTwoTrainersTheOlderIsFencedBeforeItAppends() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      try work.produce(0)
      try work.run("score")
      let log = try EmbeddedLog(folder: work.topics, access: .readWrite)
      let older = try work.start("train")
      try wait(on: log) { try log.count("models") > 3 }
      // It stands still while its successor starts, and wakes up with work before it. Not amid a
      // commit: nobody could write in its place before it went on.
      let role = PipelineTopics(pipeline: "cards").trainer
      try log.writer(role, exclusive: false).transact { _ in older.stop() }
      for piece in 1..<4 { try work.produce(piece) }
      try work.run("score")
      try work.run("train")
      let published = try log.count("models")
      older.send(SIGCONT)
      log.wake()
      #expect(older.wait() == 1)
      #expect(older.errors.contains("fenced"), "\(older.errors)")
      #expect(try log.count("models") == published)
      try work.check()
    }
  }
}
