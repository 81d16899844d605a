import Foundation
import Testing
import Topics

/// The settings file and what applies it.
@Suite("Retention")
struct RetentionTests {
  private let events = TopicPartition("events")

  @Test func agesAndSizesAreReadAndWritten() throws {
    let ages: [(String, Int64)] = [
      ("90d", 7_776_000_000), ("36h", 129_600_000), ("1500ms", 1500), ("45s", 45_000),
      ("30m", 1_800_000),
    ]
    for (text, age) in ages {
      #expect(Retention.age(text) == age)
      #expect(Retention(maximumAge: age).description == "age=\(text)")
    }
    let sizes = [
      ("2TB", 2_000_000_000_000), ("50GB", 50_000_000_000), ("1500MB", 1_500_000_000),
      ("64kB", 64_000), ("4096B", 4096),
    ]
    for (text, size) in sizes {
      #expect(Retention.size(text) == size)
      #expect(Retention(maximumBytes: size).description == "size=\(text)")
    }
    for text in ["", "d", "0d", "-1d", "1", "1.5d", "1 d", "9999999999999d", "١d", "1D", "1GBB"] {
      #expect(Retention.age(text) == nil)
      #expect(Retention.size(text) == nil)
    }
  }

  @Test func settingsAreReadAsWritten() throws {
    let text = "# kept by law\n\n scored\tsize=2TB\r\nevents age=90d size=50GB\n"
    let settings = try RetentionSettings(text: text)
    #expect(settings.topics == ["events", "scored"])
    #expect(settings["scored"] == Retention(maximumBytes: 2_000_000_000_000))
    #expect(settings["labels"] == nil)
    #expect(settings.text == "events age=90d size=50GB\nscored size=2TB\n")
    #expect(try RetentionSettings(text: settings.text) == settings)
    try withFolder { folder in
      _ = try EmbeddedLog(folder: folder, access: .readWrite)
      #expect(try RetentionSettings(folder: folder) == RetentionSettings())
      try settings.write(folder: folder)
      #expect(try RetentionSettings(folder: folder) == settings)
      var changed = settings
      changed["events"] = nil
      changed["scored"] = Retention()
      try changed.write(folder: folder)
      #expect(try RetentionSettings(folder: folder).topics == [])
      // Nothing else is left behind.
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
          "FORMAT", "bell", "retention",
        ])
    }
  }

  @Test(arguments: [
    ("events", "line 1", "neither"), ("events age=90d\nevents size=1GB", "line 2", "twice"),
    ("events age=ninety", "line 1", "age=90d"), ("events size=50", "line 1", "size=50GB"),
    ("events age=1d age=2d", "line 1", "age=2d"), ("events keep=1d", "line 1", "keep=1d"),
    ("a/b age=1d", "line 1", "a/b"),
  ])
  func mistakesAreNamed(_ text: String, _ line: String, _ word: String) throws {
    let error = try topicError { _ = try RetentionSettings(text: text) }
    #expect(error.code == .invalid)
    #expect(error.reason.contains(line))
    #expect(error.reason.contains(word))
  }

  @Test func aKeeperFollowsTheFileInPieces() throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try log.writer(.producers, exclusive: false)
      for number in 0..<200 { try writer.append(["x"], to: events, timestamp: Int64(number)) }
      try writer.append(["x"], to: TopicPartition("labels"), timestamp: 0)
      var now: Int64 = 1_000_000
      let keeper = RetentionKeeper(folder: folder, now: { now })
      func tend(keepingFrom: UInt64? = nil) throws -> [Range<UInt64>] {
        let partitions = [events, TopicPartition("labels")]
        return try keeper.tend(partitions, of: writer) { _ in keepingFrom }.map(\.offsets)
      }
      #expect(try tend() == [])
      var settings = RetentionSettings()
      settings["events"] = Retention(maximumAge: 40)
      try settings.write(folder: folder)
      // It looks once a minute.
      now += 59_999
      #expect(try tend() == [])
      now += 1
      #expect(try tend(keepingFrom: 10) == [0..<10])
      #expect(try tend() == [10..<74])
      #expect(try tend() == [74..<138])
      // The newest three begin at 197.
      #expect(try tend() == [138..<157])
      #expect(try tend() == [])
      try writer.append(["x"], to: events, timestamp: 250)
      try writer.append(["x"], to: events, timestamp: 250)
      try writer.append(["x"], to: events, timestamp: 250)
      #expect(try tend() == [])
      now += 10_000
      #expect(try tend() == [157..<200])
      // A file that cannot be read is named once; the last one that could holds on.
      try "events age=soon\n".write(
        toFile: folder + "/retention", atomically: true, encoding: .utf8)
      for number in 300..<310 { try writer.append(["x"], to: events, timestamp: Int64(number)) }
      now += 60_000
      try expectError(.invalid) { _ = try tend() }
      #expect(try tend() == [200..<203])
      // A clock that is set back does not stop it.
      now -= 500_000
      for number in 400..<410 { try writer.append(["x"], to: events, timestamp: Int64(number)) }
      #expect(try tend() == [203..<213])
      try FileManager.default.removeItem(atPath: folder + "/retention")
      for number in 500..<510 { try writer.append(["x"], to: events, timestamp: Int64(number)) }
      now += 60_000
      #expect(try tend() == [])
    }
  }

  @Test func damagedBatchesAtTheStartGoWithThoseBehindThem() throws {
    try withFolder { folder in
      do {
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        let writer = try log.writer(.producers, exclusive: false)
        for number in 0..<200 { try writer.append(["x"], to: events, timestamp: Int64(number)) }
      }
      for number in 0..<100 {
        try changeStoredBatch(at: UInt64(number), in: folder + "/producers") {
          [UInt8](repeating: 0xFF, count: $0.count)
        }
      }
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try log.writer(.producers, exclusive: false)
      // The newest three begin at 197.
      let starts = try (0..<5).map { _ in
        try writer.transact {
          try $0.retain(
            events, by: Retention(maximumAge: 40), keepingFrom: nil, now: .max, limit: 64)
        }
      }
      #expect(starts == [64, 128, 157, 157, 157])
      #expect(try log.reader(events, of: .producers).copies(from: 157).count == 43)
    }
  }

  @Test func readersAreNotStoppedByTrimming() async throws {
    try await withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let events = self.events
      let count: UInt64 = 4000
      async let followed = onThread { () -> UInt64 in
        let reader = try log.reader(events, of: .producers)
        var next: UInt64 = 0
        var seen: UInt64 = 0
        while next < count {
          let token = log.changeToken()
          let start = next
          next = try reader.read(from: start, limit: 50) {
            if $0.offset == seen { seen += 1 }
            return true
          }
          let position = next
          let writer = try log.writer(WriterRole("follower"), exclusive: false)
          try writer.transact { try $0.commit(position: position, of: events, group: "g") }
          if next == start { _ = log.waitForChange(since: token, timeoutMilliseconds: 1000) }
        }
        return seen
      }
      try await onThread {
        let writer = try log.writer(.producers, exclusive: false)
        for number in 0..<count {
          try writer.append(["x"], to: events, timestamp: Int64(number))
          var slowest: UInt64 = 0
          while true {
            let token = log.changeToken()
            slowest = try log.position(of: events, group: "g", role: WriterRole("follower")) ?? 0
            // Never so far ahead that there were nothing to trim beside a reader.
            if number < slowest + 200 { break }
            _ = log.waitForChange(since: token, timeoutMilliseconds: 1000)
          }
          try writer.transact {
            try $0.retain(
              events, by: Retention(maximumAge: 5), keepingFrom: slowest, now: .max, limit: 8)
          }
        }
      }
      let seen = try await followed
      #expect(seen == count)
      let start = try log.reader(events, of: .producers).startOffset()
      #expect(start > 0)
    }
  }
}
