import Foundation
import Testing
import Topics

/// Separate processes on one folder of topics.
@Suite struct EndToEndTests {
  @Test func takingTurnsEveryEventIsDecidedOnce() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      for piece in 0..<4 {
        try work.produce(piece)
        try work.run("score")
        try work.run("train")
      }
      try work.check()
      // Nothing is left to do, and nothing is done twice.
      try work.run("score")
      try work.check()

      let topics = try objects(weir("topics", "list", "--json", "--topics", work.topics))
      let counts = Dictionary(
        topics.map { ($0["topic"] as? String ?? "", $0["records"] as? Int ?? 0) },
        uniquingKeysWith: +)
      #expect(counts["events"] == work.events)
      #expect(counts["labels"] == work.events)
      #expect(counts["decisions"] == work.events)
      #expect(counts["dead-letters"] == nil)
      #expect(topics.allSatisfy { $0["first_time"] is String && $0["bytes"] as? Int ?? 0 > 0 })

      try readsTopics(work)
      try showsVersions(work)
    }
  }

  private func readsTopics(_ work: Workplace) throws {
    func read(_ arguments: String...) throws -> [[String: Any]] {
      let command = try Command(["topics", "read", "--topics", work.topics] + arguments)
      #expect(command.wait() == 0, "\(command.errors)")
      return try command.output.split(separator: "\n").map {
        try #require(try json(String($0)) as? [String: Any])
      }
    }
    let events = try read("events", "--limit", "3", "--from", "10")
    #expect(events.map { $0["TRANSACTION_ID"] as? Int } == [10, 11, 12])
    // The label does not travel with the event.
    #expect(events[0]["TX_FRAUD"] == nil)
    let enveloped = try read("labels", "--limit", "1", "--envelope")
    #expect(enveloped[0]["offset"] as? Int == 0)
    #expect((enveloped[0]["value"] as? [String: Any])?["event_id"] as? String == "0")
    let since = try read("decisions", "--since", "2018-04-10")
    let times = since.compactMap { $0["time"] as? String }
    #expect(times.count == since.count)
    #expect(times.first.map { $0 >= "2018-04-10" } == true)
    let scored = try read("scored")
    #expect(scored.count == work.events)
    #expect((scored.last?["features"] as? [Double])?.count == 3)
    #expect((scored.last?["scores"] as? [Double])?.count == 3)
    // Enveloped, a record is a block of events.
    let blocks = try read("scored", "--envelope")
    #expect(blocks.reduce(0) { $0 + ((($1["value"] as? [Any])?.count) ?? 0) } == work.events)
    #expect(try read("models", "--limit", "1")[0]["model"] is String)
    #expect(try read("events", "--from", "999999").isEmpty)
  }

  private func showsVersions(_ work: Workplace) throws {
    let list = try objects(weir("models", "list", "--json", "--topics", work.topics))
    for version in list {
      for key in [
        "pipeline", "model", "kind", "epoch", "version", "base_version", "snapshot", "time",
        "examples", "digest", "bytes", "figures",
      ] { #expect(version[key] != nil, "\(key)") }
    }
    let one = try objects(
      weir("models", "list", "cards/fraud", "--last", "2", "--json", "--topics", work.topics))
    #expect(one.count == 2)
    #expect(one.allSatisfy { $0["model"] as? String == "fraud" })
    for version in list {
      let name = try #require(version["name"] as? String)
      guard (version["version"] as? Int ?? 0) % 5 == 2 else { continue }
      let shown = try #require(
        try json(weir("models", "show", name, "--json", "--topics", work.topics)) as? [String: Any])
      #expect(shown["digest"] as? String == version["digest"] as? String)
      #expect((shown["parameters"] as? [Any])?.isEmpty == false)
    }
    let difference = try #require(
      try json(
        weir("models", "diff", "cards/fraud@1", "cards/fraud", "--json", "--topics", work.topics))
        as? [String: Any])
    #expect(
      (difference["moved"] as? [[String: Any]])?.contains {
        $0["feature"] as? String == "TX_AMOUNT"
      } == true)
    #expect(try weir("models", "show", "cards/outlier", "--topics", work.topics).contains("trees"))
    #expect(try weir("models", "list", "--topics", work.topics).contains("cards/clusters@1"))
  }

  @Test func runningServicesAreAskedAndStoppedWithoutLoss() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      try work.produce(0)
      let log = try work.openLog()
      let scorer = try work.start("score")
      let trainer = try work.start("train")
      try wait(on: log) { try log.count("models") > 3 }
      for piece in 1..<4 {
        try work.produce(piece)
        // Questions are answered while both are at work.
        let list = try objects(weir("models", "list", "--json", "--topics", work.topics))
        #expect(!list.isEmpty)
        let first = try #require(list.first?["name"] as? String)
        try weir("models", "show", first, "--json", "--topics", work.topics)
        try weir("models", "diff", first, first, "--json", "--topics", work.topics)
        try wait(on: log) { try log.count("decisions") >= work.events * (piece + 1) / 4 }
      }
      for (service, signal) in [(scorer, SIGTERM), (trainer, SIGINT)] {
        service.send(signal)
        #expect(service.wait() == 0)
        #expect(service.output.isEmpty)
        #expect(service.errors.contains("stopped"))
      }
      try work.run("score")
      try work.run("train")
      try work.check()
      let last = try objects(
        weir("models", "list", "cards/fraud", "--last", "1", "--json", "--topics", work.topics))
      #expect(last.first?["examples"] as? Int == work.events)
    }
  }

  @Test func killedServicesLoseNothingAndRepeatNothing() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      try work.produce(0)
      let log = try work.openLog()
      var scorer = try work.start("score")
      var trainer = try work.start("train")
      for piece in 1..<4 {
        let decided = try log.count("decisions")
        try work.produce(piece)
        // Somewhere in the middle of the piece, whoever has got how far.
        try wait(on: log) { try log.count("decisions") > decided }
        scorer.send(SIGKILL)
        #expect(scorer.wait() == -SIGKILL)
        scorer = try work.start("score")
        let published = try log.count("models")
        try wait(on: log) {
          try log.count("models") > published
            || log.count("decisions") >= work.events * (piece + 1) / 4
        }
        trainer.send(SIGKILL)
        #expect(trainer.wait() == -SIGKILL)
        trainer = try work.start("train")
      }
      try wait(on: log) { try log.count("decisions") == work.events }
      for service in [scorer, trainer] {
        service.send(SIGKILL)
        service.wait()
      }
      try work.run("score")
      try work.run("train")
      try work.check()
      for model in ["fraud", "clusters", "outlier"] {
        let last = try objects(
          weir("models", "list", "cards/\(model)", "--last", "1", "--json", "--topics", work.topics)
        )
        #expect(last.first?["examples"] as? Int == work.events, "\(model)")
      }
    }
  }

  /// A trainer that is killed in the middle of a history learns every row once.
  @Test func killedHistoryIsLearntOnce() throws {
    try withFolder { folder in
      // Long enough that half of it is more than a reader's buffer.
      let work = try Workplace(in: folder, days: 240)
      func versions(_ topics: String) throws -> [String] {
        try objects(weir("models", "list", "--json", "--topics", topics)).map {
          "\($0["name"] ?? "") \($0["digest"] ?? "") \($0["examples"] ?? "")"
        }
      }
      func train(_ topics: String, _ input: String) -> [String] {
        ["train", "--pipeline", work.pipeline, "--topics", topics, "--input", input, "--until-end"]
      }
      let whole = folder + "/whole"
      #expect(try Command(train(whole, work.history)).wait() == 0)

      // Half of the history comes through a pipe that then stays open.
      let text = try Data(contentsOf: URL(fileURLWithPath: work.history))
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0)
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      let half = text.count / 2
      // F_SETPIPE_SZ, which the C library hides behind _GNU_SOURCE.
      _ = fcntl(ends[1], 1031, Int32(1 << 20))
      try #require(half < 1 << 20)
      let written = text.withUnsafeBytes { write(ends[1], $0.baseAddress, half) }
      try #require(written == half)
      let killed = folder + "/killed"
      let log = try EmbeddedLog(folder: killed, access: .readWrite)
      let trainer = try Command(train(killed, "-"), input: ends[0])
      try wait(on: log) { try log.count("models") > 5 }
      trainer.send(SIGKILL)
      #expect(trainer.wait() == -SIGKILL)
      close(ends[0])
      close(ends[1])
      let before = try versions(killed)
      #expect(!before.isEmpty)

      for _ in 0..<2 {
        // The same history by the same way, from its beginning.
        let file = open(work.history, O_RDONLY)
        try #require(file >= 0)
        let again = try Command(train(killed, "-"), input: file)
        close(file)
        #expect(again.wait() == 0, "\(again.errors)")
        #expect(try versions(killed) == versions(whole))
      }
      #expect(try versions(killed).starts(with: before))
    }
  }

  @Test func followedTopicPrintsWhatComes() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      try work.produce(0)
      let reader = try Command(
        [
          "topics", "read", "events", "--follow", "--limit", "\(work.events)", "--topics",
          work.topics,
        ])
      for piece in 1..<4 { try work.produce(piece) }
      #expect(reader.wait() == 0)
      #expect(reader.output.split(separator: "\n").count == work.events)
    }
  }

  @Test func replayReportHasTheDocumentedKeys() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      let decisions = folder + "/decisions.jsonl"
      let text = try weir(
        "replay", "--pipeline", work.pipeline, "--input", work.history, "--json", "-",
        "--decisions",
        decisions)
      let report = try #require(try json(text) as? [String: Any])
      for key in [
        "pipeline", "fingerprint", "seed", "events", "labelled", "seconds", "events_per_second",
        "peak_memory_bytes", "models", "decision", "baselines",
      ] { #expect(report[key] != nil, "\(key)") }
      #expect(report["pipeline"] as? String == "cards")
      #expect(report["events"] as? Int == work.events)
      #expect(report["labelled"] as? Int == work.events)
      let models = try #require(report["models"] as? [String: [String: Any]])
      #expect(Set(models.keys) == ["fraud", "clusters", "outlier"])
      for (_, model) in models {
        #expect(model["kind"] is String)
        let final = try #require(model["final"] as? [String: Any])
        #expect(final["epoch"] as? Int == 1)
        #expect(final["version"] as? Int == model["versions"] as? Int)
        #expect((final["digest"] as? String)?.count == 64)
        let overall = try #require(model["overall"] as? [String: Any])
        for key in ["auroc", "average_precision", "log_loss", "brier"] {
          #expect(overall[key] != nil, "\(key)")
        }
        #expect((model["by_day"] as? [Any])?.isEmpty == false)
      }
      let lines = try String(contentsOfFile: decisions, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == work.events)

      // The same again, to a file, with a table for people on standard output, and a page.
      let file = folder + "/report.json"
      let pageFile = folder + "/report.html"
      let table = try weir(
        "replay", "--pipeline", work.pipeline, "--input", work.history, "--json", file, "--report",
        pageFile)
      #expect(table.contains("AUROC"))
      let page = try String(contentsOfFile: pageFile, encoding: .utf8)
      #expect(page.hasPrefix("<!DOCTYPE html>"))
      for (_, model) in models {
        let digest = (model["final"] as? [String: Any])?["digest"] as? String
        #expect(page.contains(try #require(digest)))
      }
      let again = try #require(
        try json(String(contentsOfFile: file, encoding: .utf8)) as? [String: Any])
      #expect(again["models"] as? NSDictionary == report["models"] as? NSDictionary)
    }
  }
}
