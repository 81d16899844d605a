import Foundation
import Testing
import Topics

/// Damage to the data file itself, below the batches. What may end a process is tried in another.
@Suite("Damaged file", .serialized, .timeLimit(.minutes(2)))
struct DamageTests {
  private let events = TopicPartition("events")
  private static let page = 4096

  /// Makes a log of several hundred pages; returns its data file.
  private func makeLog(_ folder: String) throws -> String {
    let log = try EmbeddedLog(folder: folder, access: .readWrite)
    let writer = try log.writer(.producers, exclusive: false)
    let text = String(repeating: "x", count: 6000)
    for number in 0..<200 { try writer.append([text, "\(number)"], to: events) }
    return folder + "/producers/data.mdb"
  }

  @Test func aTruncatedFileIsRefused() throws {
    try withFolder { folder in
      let file = try makeLog(folder)
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      for size in [whole.count - 1, whole.count - Self.page, whole.count / 2, 3 * Self.page] {
        try whole.prefix(size).write(to: URL(fileURLWithPath: file))
        for access in [EmbeddedLog.Access.readWrite, .readOnly] {
          let log = try EmbeddedLog(folder: folder, access: access)
          let error = try topicError { _ = try log.reader(events, of: .producers).endOffset() }
          #expect(error.code == .corrupt)
          #expect(error.reason.contains("truncated"))
          #expect(error.folder == folder + "/producers")
        }
      }
      try whole.write(to: URL(fileURLWithPath: file))
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      #expect(try log.reader(events, of: .producers).endOffset() == 400)
    }
  }

  /// Too little is left to tell anything, but not so little that it could pass for a new file.
  @Test func aFileOfOnePageIsNotTakenForANewOne() throws {
    try withFolder { folder in
      let file = try makeLog(folder)
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      for size in [Self.page, Self.page + 1, 2 * Self.page - 1] {
        try whole.prefix(size).write(to: URL(fileURLWithPath: file))
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        try expectError(.corrupt) { _ = try log.writer(.producers, exclusive: false) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count == size)
      }
    }
  }

  /// A file of a single commit has no transaction in its first meta page, and looks like one whose
  /// creation was cut short.
  @Test func whatWasCommittedOnceIsNotBegunAgain() throws {
    try withFolder { folder in
      do {
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        _ = try log.writer(.scorer, exclusive: true)
      }
      let file = folder + "/scorer/data.mdb"
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      for size in [0, 1, 100, Self.page - 1, Self.page, Self.page + 1, 2 * Self.page - 1, nil] {
        try size.map { try whole.prefix($0).write(to: URL(fileURLWithPath: file)) }
          ?? FileManager.default.removeItem(atPath: file)
        for access in [EmbeddedLog.Access.readWrite, .readOnly] {
          let log = try EmbeddedLog(folder: folder, access: access)
          let error = try topicError {
            if access == .readOnly {
              _ = try log.reader(events, of: .scorer).endOffset()
            } else {
              _ = try log.writer(.scorer, exclusive: true)
            }
          }
          #expect(error.code == .corrupt, "\(size ?? -1)")
          #expect(error.reason.contains(size == nil ? "missing" : "truncated"))
          #expect(error.reason.contains("weir topics verify"))
          #expect((try? Data(contentsOf: URL(fileURLWithPath: file)))?.count == size)
        }
        #expect(try !TopicMaintenance(folder: folder).verify().findings.isEmpty)
      }
      #expect(try !TopicMaintenance(folder: folder).repair().lost.isEmpty)
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      _ = try log.writer(.scorer, exclusive: true)
    }
  }

  /// A role that nobody has committed anything to yet, as a kill leaves it, at each step.
  @Test func whatWasNeverCommittedIsBegunAgain() throws {
    try withFolder { folder in
      let whole: Data
      do {
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        _ = try log.writer(.scorer, exclusive: true)
        whole = try Data(contentsOf: URL(fileURLWithPath: folder + "/scorer/data.mdb"))
      }
      let role = folder + "/scorer"
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: role).sorted()
          == ["data.mdb", "lock.mdb"])
      for size in [nil, nil, 0, 1, Self.page, Self.page + 1] as [Int?] {
        for name in try FileManager.default.contentsOfDirectory(atPath: role) {
          try FileManager.default.removeItem(atPath: "\(role)/\(name)")
        }
        if let size {
          try Data().write(to: URL(fileURLWithPath: role + "/unfinished"))
          try whole.prefix(size).write(to: URL(fileURLWithPath: role + "/data.mdb"))
        }
        #expect(try TopicMaintenance(folder: folder).verify().findings == [])
        let reading = try EmbeddedLog(folder: folder, access: .readOnly)
        #expect(try reading.reader(events, of: .scorer).endOffset() == 0)
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        #expect(try log.writer(.scorer, exclusive: true).epoch == 1)
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: role).sorted()
            == ["data.mdb", "lock.mdb"])
        #expect(try TopicMaintenance(folder: folder).verify().findings == [])
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
          == ["FORMAT", "bell", "scorer"])
    }
  }

  /// Pages that a transaction took and gave back are never written: their absence is no damage.
  @Test func aFileWithoutItsLastFreePagesIsSound() throws {
    try withFolder { folder in
      let file: String
      do {
        file = try makeLog(folder)
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        let writer = try log.writer(.producers, exclusive: false)
        for _ in 0..<3 {
          try writer.transact { transaction in
            try transaction.put(state: [UInt8](repeating: 1, count: 100_000), for: "k")
            try transaction.removeState("k")
          }
        }
      }
      // The newer of the two metas names the last page.
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      let lastPage = [0, Self.page].map { meta in
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: meta + 136, as: Int.self) }
      }.max()!
      try #require(bytes.count < (lastPage + 1) * Self.page)
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      #expect(try log.reader(events, of: .producers).copies().count == 400)
      #expect(try log.writer(.producers, exclusive: false).append(["a"], to: events) == 400)
    }
  }

  @Test func aFileTruncatedUnderAReaderIsNamedAtItsEnd() throws {
    try withFolder { folder in
      let file = try makeLog(folder)
      let peer = try Peer("damage", folder, "truncate", String(3 * Self.page))
      let lines = peer.lines()
      #expect(lines.first == "open")
      try expectNamed(lines, peer.wait(), file)
    }
  }

  /// Whole pages of noise, one after the other: the process either finds nothing wrong, or says
  /// what is wrong with a topic's error, or with the line of the guard. It is never killed by a
  /// signal.
  @Test func noiseInAnyPageIsNoticedOrHarmless() throws {
    try withFolder { folder in
      let file = try makeLog(folder)
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      var generator = SeededGenerator(seed: 7)
      let pages = whole.count / Self.page
      var noticed = 0
      for _ in 0..<40 {
        // The last pages hold the trees; the others mostly records.
        let page =
          Bool.random(using: &generator)
          ? Int.random(in: 2..<pages, using: &generator)
          : Int.random(in: max(2, pages - 12)..<pages, using: &generator)
        var damaged = whole
        for index in page * Self.page..<(page + 1) * Self.page
        where Int.random(in: 0..<8, using: &generator) == 0 {
          damaged[index] = UInt8.random(in: 0...255, using: &generator)
        }
        try damaged.write(to: URL(fileURLWithPath: file))
        let peer = try Peer("damage", folder, "read", "0")
        let lines = peer.lines()
        let status = peer.wait()
        #expect(status & 0x7F == 0, "page \(page): killed by signal \(status & 0x7F)")
        if status == 0 {
          #expect(lines == ["open", "400 records"], "page \(page)")
        } else {
          noticed += 1
          #expect(lines.last?.isEmpty == false)
        }
      }
      #expect(noticed > 10)
    }
  }

  private func expectNamed(_ lines: [String], _ status: Int32, _ file: String) throws {
    #expect(status == 1 << 8, "\(lines)")
    let last = try #require(lines.last)
    #expect(last.hasPrefix("weir: the data file "))
    #expect(last.contains("producers/data.mdb is damaged"))
    #expect(last.contains("weir topics verify"))
  }
}
