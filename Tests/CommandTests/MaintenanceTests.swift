import Foundation
import Testing
import Topics

/// Looking after a folder of topics with the command.
@Suite struct MaintenanceTests {
  private struct Run {
    let status: Int32
    let object: [String: Any]
    let errors: String
  }

  private func topics(_ command: String, _ work: Workplace, _ more: String...) throws -> Run {
    let run = try Command(["topics", command, "--json", "--topics", work.topics] + more)
    let status = run.wait()
    let object = run.output.isEmpty ? [:] : try json(run.output) as? [String: Any]
    return Run(status: status, object: object ?? [:], errors: run.errors)
  }

  /// The place of bytes in a file.
  private func place(of text: String, in file: String) throws -> Int {
    let bytes = try Data(contentsOf: URL(filePath: file))
    return try #require(bytes.range(of: Data(text.utf8))).lowerBound
  }

  private func flip(_ file: String, at place: Int) throws {
    var bytes = try Data(contentsOf: URL(filePath: file))
    bytes[place] ^= 4
    try bytes.write(to: URL(filePath: file))
  }

  @Test func damageIsNamedRepairedAndLivedWith() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      for piece in 0..<2 { try work.produce(piece) }
      try work.run("score")
      try work.run("train")
      let sound = try topics("verify", work)
      #expect(sound.status == 0)
      #expect(sound.object["sound"] as? Bool == true)
      #expect((sound.object["roles"] as? [[String: Any]])?.count == 3)
      #expect(try weir("topics", "verify", "--topics", work.topics).contains("sound: "))

      let events = work.topics + "/producers/data.mdb"
      try flip(events, at: place(of: "\"TRANSACTION_ID\":", in: events))
      let decisions = work.topics + "/scorer-cards/data.mdb"
      try flip(decisions, at: place(of: "\"outcome\":", in: decisions))
      try FileManager.default.removeItem(atPath: work.topics + "/bell")
      let damaged = try topics("verify", work)
      #expect(damaged.status == 1)
      let findings = try #require(damaged.object["findings"] as? [[String: Any]])
      #expect(findings.count == 3)
      #expect(Set(findings.compactMap { $0["topic"] as? String }) == ["events", "decisions"])
      for finding in findings where finding["topic"] is String {
        let first = try #require(finding["first_offset"] as? Int)
        let end = try #require(finding["end_offset"] as? Int)
        #expect(first >= 0 && end > first && end <= work.events)
        #expect((finding["reason"] as? String)?.contains("checksum") == true)
      }

      let repair = try topics("repair", work)
      #expect(repair.status == 0)
      let roles = try #require(repair.object["roles"] as? [[String: Any]])
      #expect(roles.compactMap { $0["role"] as? String } == ["producers", "scorer-cards"])
      for role in roles {
        let lost = try #require(role["lost"] as? [[String: Any]])
        #expect(lost.count == 1)
        #expect(lost[0]["consequence"] is String)
        let kept = try #require(role["damaged_file"] as? String)
        #expect(FileManager.default.fileExists(atPath: kept))
      }
      #expect(try topics("verify", work).status == 0)

      // The services go on over the gaps.
      for piece in 2..<4 { try work.produce(piece) }
      try work.run("score")
      try work.run("train")
      #expect(try topics("verify", work).status == 0)
      let log = try work.openLog()
      let ends = try log.describe().filter { $0.partition.topic == "decisions" }.map(\.endOffset)
      #expect(ends == [UInt64(work.events)])
    }
  }

  @Test func aRecordThatMakesNoSenseIsNamed() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      try work.produce(0)
      try work.run("score")
      let end: UInt64
      do {
        let log = try EmbeddedLog(folder: work.topics, access: .readWrite)
        var batch = RecordBatch()
        batch.append(key: nil, value: Array("WSB2 no block".utf8), timestamp: 0)
        end = try log.writer(WriterRole("scorer-cards"), exclusive: false).transact {
          try $0.append(batch, to: TopicPartition("scored"))
        }
      }
      let found = try topics("verify", work)
      #expect(found.status == 1)
      let findings = try #require(found.object["findings"] as? [[String: Any]])
      #expect(findings.count == 1)
      #expect(findings[0]["topic"] as? String == "scored")
      #expect(findings[0]["first_offset"] as? Int == Int(end))
      #expect(findings[0]["end_offset"] as? Int == Int(end) + 1)
    }
  }

  @Test func aFolderInUseIsCopiedButNotRepaired() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      try work.produce(0)
      let scorer = try work.start("score")
      let trainer = try work.start("train")
      let log = try work.openLog()
      try work.produce(1)
      try wait(on: log) {
        try log.count("decisions") == work.events / 2 && log.count("models") > 0
      }
      for command in ["repair", "compact"] {
        let refused = try topics(command, work)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("in use by process"))
      }
      #expect(try topics("verify", work).status == 0)
      let copy = folder + "/copy"
      try weir("topics", "backup", "--to", copy, "--topics", work.topics)
      for service in [scorer, trainer] {
        service.send(SIGTERM)
        #expect(service.wait() == 0)
      }
      // The copy goes on by itself.
      #expect(try weir("topics", "verify", "--topics", copy).contains("sound: "))
      for piece in 2..<4 {
        try weir("produce", work.pieces[piece], "--pipeline", work.pipeline, "--topics", copy)
      }
      for service in ["score", "train"] {
        try weir(service, "--pipeline", work.pipeline, "--topics", copy, "--until-end")
      }
      let decisions = try weir("topics", "read", "decisions", "--topics", copy)
      #expect(decisions.split(separator: "\n").count == work.events)
      // A folder that holds something is no place for a copy.
      let again = try Command(["topics", "backup", "--to", copy, "--topics", work.topics])
      #expect(again.wait() == 1)
      #expect(again.errors.contains("not empty"))
    }
  }

  @Test func compactingKeepsEverything() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      for piece in 0..<4 { try work.produce(piece) }
      try work.run("score")
      try work.run("train")
      let roles = try objects(weir("topics", "compact", "--json", "--topics", work.topics))
      #expect(roles.count == 3)
      for role in roles {
        let before = try #require(role["bytes_before"] as? Int)
        let after = try #require(role["bytes_after"] as? Int)
        #expect(after > 0 && after <= before)
      }
      try work.check()
      // The trainer's state is dropped only if asked for.
      let dropped = try topics("repair", work, "--drop-state", "trainer-cards")
      #expect(dropped.status == 0)
      #expect((dropped.object["roles"] as? [[String: Any]])?.count == 1)
      #expect(try work.openLog().stateKeys(prefix: "", role: WriterRole("trainer-cards")).isEmpty)
      let unknown = try topics("repair", work, "--drop-state", "trainer-card")
      #expect(unknown.status == 1)
    }
  }
}
