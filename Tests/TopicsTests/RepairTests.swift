import Foundation
import Testing
import Topics

@Suite("Repairing a folder", .timeLimit(.minutes(2))) struct RepairTests {
  /// Damages a file; gives what was done.
  private func damage(_ path: String, _ generator: inout SeededGenerator) throws -> String {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let pages = bytes.count / 4096
    var done: String
    func zero(_ page: Int) {
      for index in page * 4096..<min(bytes.count, (page + 1) * 4096) { bytes[index] = 0 }
    }
    switch Int.random(in: 0..<6, using: &generator) {
    case 0:
      let meta = Int.random(in: 0..<3, using: &generator)
      done = "meta \(meta) of 2"
      for page in 0..<2 where page == meta || meta == 2 { zero(page) }
    case 1:
      let size = Int.random(in: 0..<bytes.count, using: &generator)
      done = "cut to \(size)"
      bytes.removeLast(bytes.count - size)
    case 2:
      done = "zeroed"
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let page = Int.random(in: 2..<pages, using: &generator)
        done += " \(page)"
        zero(page)
      }
    case 3:
      let from = Int.random(in: 2..<pages, using: &generator)
      let to = Int.random(in: 2..<pages, using: &generator)
      done = "copied \(from) to \(to)"
      for index in 0..<4096 where to * 4096 + index < bytes.count {
        bytes[to * 4096 + index] = bytes[from * 4096 + index]
      }
    default:
      done = "flipped"
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        // Often among the numbers at the start of a page.
        let start = Bool.random(using: &generator) ? place : place / 4096 * 4096 + place % 64
        let bit = Int.random(in: 0..<8, using: &generator)
        done += " \(start).\(bit)"
        bytes[start] ^= 1 << bit
      }
    }
    try Data(bytes).write(to: URL(filePath: path))
    return done
  }

  @Test func whatIsSoundIsKeptAndWhatIsLostIsNamed() throws {
    try withFolder { folder in
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SeededGenerator(seed: seed)
      let sound = try MaintainedFolder(folder + "/sound", rounds: 80, seed: seed)
      var kept = 0
      for round in 0..<40 {
        let copy = "\(folder)/\(round)"
        try FileManager.default.copyItem(atPath: sound.path, toPath: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let damaged = sound.at(copy)
        let role = MaintainedFolder.roles.randomElement(using: &generator)!
        let what = try damage(damaged.dataFile(of: role), &generator)
        let comment = "seed \(seed) round \(round) \(role) \(what)"
        let maintenance = TopicMaintenance(folder: copy)
        let before = try maintenance.verify()
        let repair = try maintenance.repair()
        #expect(before.findings.isEmpty == repair.roles.isEmpty, "\(comment)")
        #expect(repair.roles.allSatisfy { $0.role == role }, "\(comment)")
        let after = try maintenance.verify()
        #expect(after.findings == [], "\(comment)")
        try damaged.check(losses: repair.lost, comment)
        kept += after.roles.flatMap(\.partitions).reduce(0) { $0 + $1.records }
        // It goes on where it ended, and all of it can be read.
        if let trouble = try goesOn(copy, role) { Issue.record("\(comment): \(trouble)") }
      }
      // Most of it survives such damage.
      let all = sound.records.values.reduce(0) { $0 + $1.count } * 40
      #expect(kept * 10 > all * 7, "seed \(seed): \(kept) of \(all)")
    }
  }

  /// Appends to a role and reads it back; nil if all is well.
  private func goesOn(_ folder: String, _ role: WriterRole) throws -> String? {
    let log = try EmbeddedLog(folder: folder, access: .readWrite)
    let writer = try log.writer(role, exclusive: role != .producers)
    for topic in try log.describe() where topic.role == role {
      let offset = try writer.append(["more"], to: topic.partition)
      guard offset == topic.endOffset else { return "\(topic.partition) got \(offset)" }
      let reader = try log.reader(topic.partition, of: role)
      guard try reader.texts(from: offset) == ["more"] else { return "\(topic.partition) lost it" }
    }
    return nil
  }

  @Test func offsetsThatOthersHaveReadAreNotUsedAgain() throws {
    try withFolder { folder in
      let written = try MaintainedFolder(folder, rounds: 20, seed: 5)
      // As after a power cut without durability: all is gone.
      try Data().write(to: URL(filePath: written.dataFile(of: .producers)))
      let maintenance = TopicMaintenance(folder: folder)
      func gather(_ roles: [RoleReport]) -> TopicMaintenance.Evidence {
        var evidence = TopicMaintenance.Evidence()
        for position in roles.flatMap(\.positions) {
          evidence.ends[.producers, default: [:]][position.partition] = position.offset
        }
        evidence.epochs[.trainer] = 9
        return evidence
      }
      let found = try maintenance.verify(gather: gather).findings
      #expect(
        found.contains {
          $0.partition == MaintainedFolder.events && $0.firstOffset == 0
            && $0.endOffset == written.position
        })
      let report = try maintenance.repair(gather: gather)
      #expect(
        report.lost.contains {
          $0.role == .producers && $0.partition == MaintainedFolder.events && $0.firstOffset == 0
            && $0.endOffset == written.position
        })
      #expect(try maintenance.verify(gather: gather).findings == [])
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let producer = try log.writer(.producers, exclusive: false)
      #expect(try producer.append(["new"], to: MaintainedFolder.events) == written.position)
      #expect(
        try log.reader(MaintainedFolder.events, of: .producers).texts(from: 0) == ["new"])
      // The epoch that records name is passed, too.
      #expect(try log.writer(.trainer, exclusive: true).epoch == 10)
    }
  }

  @Test func theFoldersOwnFilesAreMadeAnew() throws {
    try withFolder { folder in
      _ = try MaintainedFolder(folder, rounds: 5, seed: 6)
      let maintenance = TopicMaintenance(folder: folder)
      for (file, content) in [
        ("FORMAT", nil), ("bell", nil), ("FORMAT", "weir-topic-lof 2\n"),
        ("FORMAT", "weir-topic-log 6\n"), ("FORMAT", ""),
      ] as [(String, String?)] {
        let path = "\(folder)/\(file)"
        try FileManager.default.removeItem(atPath: path)
        if let content { try content.write(toFile: path, atomically: false, encoding: .utf8) }
        #expect(try maintenance.verify().findings.map(\.role) == [nil])
        let report = try maintenance.repair()
        #expect(report.folderFindings.count == 1)
        #expect(report.roles.isEmpty)
        #expect(try maintenance.verify().findings == [])
        _ = try EmbeddedLog(folder: folder, access: .readOnly)
      }
      // Where nothing says otherwise, another version is another version.
      for role in MaintainedFolder.roles {
        try FileManager.default.removeItem(atPath: "\(folder)/\(role)")
      }
      try "weir-topic-log 1\n".write(
        toFile: folder + "/FORMAT", atomically: false, encoding: .utf8)
      try expectError(.formatMismatch) { _ = try maintenance.verify() }
      try expectError(.formatMismatch) { _ = try maintenance.repair() }
    }
  }

  @Test func aFolderInUseIsRefused() throws {
    try withFolder { folder in
      _ = try MaintainedFolder(folder, rounds: 5, seed: 7)
      let maintenance = TopicMaintenance(folder: folder)
      do {
        let log = try EmbeddedLog(folder: folder, access: .readOnly)
        _ = try log.describe()
        try expectError(.invalid) { _ = try maintenance.repair(all: true) }
        try expectError(.invalid) { _ = try maintenance.compact() }
        // Looking is allowed, and copying.
        #expect(try maintenance.verify().findings == [])
      }
      let peer = try Peer("stream", folder, "p", "10")
      #expect(peer.line() == "streaming")
      let error = try topicError { _ = try maintenance.repair(all: true) }
      #expect(error.code == .invalid)
      #expect(error.reason.contains("\(peer.processID)"))
      #expect(try maintenance.verify().findings == [])
      peer.killNow()
      _ = peer.wait()
      #expect(try maintenance.repair(all: true).lost == [])
    }
  }

  @Test func aKillInTheMiddleOfARepairDoesNoHarm() throws {
    try withFolder { folder in
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SeededGenerator(seed: seed)
      let written = try MaintainedFolder(folder, rounds: 60, seed: seed)
      for round in 0..<40 {
        let comment = "seed \(seed) round \(round)"
        let peer = try Peer("rewrite", folder)
        #expect(peer.line() == "rewriting")
        // Some moment of it.
        for _ in 0..<Int.random(in: 0..<2000, using: &generator) { sched_yield() }
        peer.killNow()
        _ = peer.wait()
        let maintenance = TopicMaintenance(folder: folder)
        #expect(try maintenance.verify().findings == [], "\(comment)")
        if round % 10 == 0 { try written.check(losses: [], comment) }
      }
      #expect(try TopicMaintenance(folder: folder).repair(all: true).lost == [])
      for role in MaintainedFolder.roles {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(role)")
        #expect(names.sorted() == ["data.mdb", "lock.mdb"], "seed \(seed)")
      }
      try written.check(losses: [], "seed \(seed)")
    }
  }

  @Test func aRepairLeavesATableOfReadersThatFitsItsFile() throws {
    try withFolder { folder in
      let written = try MaintainedFolder(folder, rounds: 5, seed: 11)
      func tables() throws -> [Data] {
        try MaintainedFolder.roles.map {
          try Data(contentsOf: URL(filePath: "\(folder)/\($0)/lock.mdb")).prefix(4)
        }
      }
      let sound = try tables()
      let maintenance = TopicMaintenance(folder: folder)
      for maintain in [
        { _ = try maintenance.repair(all: true) }, { _ = try maintenance.repair() },
        { _ = try maintenance.compact() },
      ] {
        try maintain()
        #expect(try tables() == sound)
      }
      try written.check(losses: [], "rewritten")
    }
  }

  /// Who waits for a repair that is killed goes on with the file that there is then.
  @Test func aKilledRepairDoesNoHarmToThoseWhoWait() throws {
    try withFolder { folder in
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SeededGenerator(seed: seed)
      _ = try MaintainedFolder(folder, rounds: 60, seed: seed)
      let events = MaintainedFolder.events
      func count() throws -> Int {
        try EmbeddedLog(folder: folder, access: .readOnly).reader(events, of: .producers).copies()
          .count
      }
      var expected = try count()
      for round in 0..<20 {
        let rewriter = try Peer("rewrite", folder)
        #expect(rewriter.line() == "rewriting")
        let waiting = try (0..<2).map { _ in try Peer("append", folder, "p", "10", "5") }
        for _ in 0..<Int.random(in: 0..<1000, using: &generator) { sched_yield() }
        rewriter.killNow()
        _ = rewriter.wait()
        for peer in waiting {
          #expect(peer.lines() == [], "seed \(seed) round \(round)")
          #expect(peer.wait() == 0)
        }
        expected += 20
        #expect(try count() == expected, "seed \(seed) round \(round)")
        #expect(try TopicMaintenance(folder: folder).verify().findings == [])
      }
    }
  }

  @Test func compactingGivesPagesBack() throws {
    try withFolder { folder in
      let written = try MaintainedFolder(folder, rounds: 100, seed: 8)
      let before = try TopicMaintenance(folder: folder).verify()
      let compacted = try TopicMaintenance(folder: folder).compact()
      let after = try TopicMaintenance(folder: folder).verify()
      #expect(after.findings == [])
      #expect(compacted.map(\.report.role) == MaintainedFolder.roles)
      for (role, old) in zip(after.roles, before.roles) {
        #expect(role.fileBytes < old.fileBytes)
        #expect(role.freePages < old.freePages)
        #expect(role.positions == old.positions)
        #expect(role.stateKeys == old.stateKeys)
        #expect(role.epoch == old.epoch)
      }
      #expect(compacted.map(\.bytesAfter) == after.roles.map(\.fileBytes))
      try written.check(losses: [], "compacted")
    }
  }
}
