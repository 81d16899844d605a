import Foundation
import Testing
import Topics

/// The map grows by itself, here from its smallest size.
@Suite("Growth", .timeLimit(.minutes(2)))
struct GrowthTests {
  private let events = TopicPartition("events")
  private static let small = 1 << 16

  private func open(_ folder: String, maximumSize: Int = 1 << 30) throws -> EmbeddedLog {
    try EmbeddedLog(
      folder: folder, access: .readWrite, maximumSize: maximumSize, initialSize: Self.small)
  }

  @Test func aTransactionThatMeetsTheEndRunsAgain() throws {
    try withFolder { folder in
      let log = try open(folder)
      let writer = try log.writer(.producers, exclusive: false)
      let text = String(repeating: "x", count: 10_000)
      var runs = 0
      for _ in 0..<10 {
        try writer.transact { transaction in
          runs += 1
          for _ in 0..<10 { try transaction.append(RecordBatch([text]), to: events) }
          try transaction.commit(position: UInt64(runs), of: events, group: "g")
          try transaction.put(state: Array(text.utf8), for: "k")
        }
      }
      #expect(runs > 10)
      let reader = try log.reader(events, of: .producers)
      #expect(try reader.texts() == Array(repeating: text, count: 100))
      #expect(try log.position(of: events, group: "g", role: .producers) == UInt64(runs))
    }
  }

  @Test func oneLargeValueGrowsItSeveralTimes() throws {
    try withFolder { folder in
      let log = try open(folder)
      let writer = try log.writer(.producers, exclusive: false)
      let value = [UInt8](repeating: 7, count: 5 << 20)
      try writer.transact { try $0.put(state: value, for: "k") }
      #expect(try log.state("k", role: .producers) == value)
    }
  }

  @Test func aBodyThatHidesTheErrorIsRunAgainAllTheSame() throws {
    try withFolder { folder in
      let log = try open(folder)
      let writer = try log.writer(.producers, exclusive: false)
      let value = [UInt8](repeating: 7, count: 1 << 20)
      try writer.transact { try? $0.put(state: value, for: "k") }
      #expect(try log.state("k", role: .producers) == value)
    }
  }

  @Test func theMaximumIsNamedAndLeavesTheLogWhole() throws {
    try withFolder { folder in
      let log = try open(folder, maximumSize: 1 << 20)
      let writer = try log.writer(.producers, exclusive: false)
      try writer.append(["a"], to: events)
      let value = [UInt8](repeating: 7, count: 2 << 20)
      let error = try topicError { try writer.transact { try $0.put(state: value, for: "k") } }
      #expect(error.code == .full)
      #expect(error.reason.contains("maximum size"))
      try writer.append(["b"], to: events)
      #expect(try log.reader(events, of: .producers).texts() == ["a", "b"])
      #expect(try log.state("k", role: .producers) == nil)
    }
  }

  @Test func anotherProcesssGrowthIsFollowed() throws {
    try withFolder { folder in
      let log = try open(folder)
      let writer = try log.writer(.producers, exclusive: false)
      let reader = try log.reader(events, of: .producers)
      try writer.append(["own"], to: events)
      #expect(try reader.endOffset() == 1)
      for round in 1...3 {
        let peer = try Peer("append", folder, "p", "20000", "50")
        #expect(peer.lines() == [])
        #expect(peer.wait() == 0)
        // A reader first, then a writer.
        if round != 2 { #expect(try reader.endOffset() == UInt64(round * 20_001)) }
        try writer.append(["own"], to: events)
        #expect(try reader.texts(from: UInt64(round * 20_001)) == ["own"])
      }
      #expect(try reader.texts().filter { $0 == "own" }.count == 4)
    }
  }

  @Test func aBackupFollowsAnotherProcesssGrowth() throws {
    try withFolder { folder in
      let log = try open(folder)
      let writer = try log.writer(.producers, exclusive: false)
      let peer = try Peer("append", folder, "p", "20000", "50")
      #expect(peer.lines() == [])
      #expect(peer.wait() == 0)
      let copied = try TopicMaintenance(folder: folder).backup(to: folder + "/copy")
      #expect(copied.first?.report.partitions.first?.records == 20_000)
      var runs = 0
      try writer.transact { transaction in
        runs += 1
        try transaction.append(RecordBatch(["own"]), to: events)
      }
      #expect(runs == 1)
      #expect(try log.reader(events, of: .producers).endOffset() == 20_001)
    }
  }

  @Test func readersOfTheProcessGoOnWhileItGrows() async throws {
    try await withFolder { folder in
      let log = try open(folder)
      let events = self.events
      let count: UInt64 = 3000
      let readers = (0..<3).map { _ in
        Task {
          try await onThread { () -> Bool in
            let reader = try log.reader(events, of: .producers)
            var next: UInt64 = 0
            while next < count {
              let token = log.changeToken()
              var expected = next
              var isRight = true
              next = try reader.read(from: next, limit: 100) { record in
                isRight = record.offset == expected && record.value.count == 2000 && isRight
                expected += 1
                return true
              }
              guard isRight, next == expected else { return false }
              if next < count {
                _ = log.waitForChange(since: token, timeoutMilliseconds: 1)
              }
            }
            return true
          }
        }
      }
      try await onThread {
        let writer = try log.writer(.producers, exclusive: false)
        let text = String(repeating: "x", count: 2000)
        for _ in 0..<count / 10 {
          try writer.append(Array(repeating: text, count: 10), to: events)
        }
      }
      for reader in readers {
        let isRight = try await reader.value
        #expect(isRight)
      }
    }
  }

  /// One thread waits for the map, which another holds, which waits for the lock of the first, or of
  /// a third that waits for the map to have grown.
  @Test func transactionsInsideOfReadsDoNotBlockGrowth() async throws {
    try await withFolder { folder in
      let log = try open(folder)
      let events = self.events
      try log.writer(.producers, exclusive: false).append(["first"], to: events)
      async let inside = onThread { () -> Int in
        let writer = try log.writer(.producers, exclusive: false)
        let reader = try log.reader(events, of: .producers)
        var appended = 0
        while appended < 300 {
          _ = try reader.read(from: 0, limit: 1) { _ in
            do {
              try writer.append(["inside"], to: events)
              appended += 1
            } catch let error as TopicError where error.code == .invalid {
              // It would have had to grow the map itself.
            }
            return true
          }
          // The other thread may have finished; then room is made here.
          if appended < 300 { try writer.append(["between"], to: events) }
        }
        return appended
      }
      async let third: Void = onThread {
        let writer = try log.writer(.producers, exclusive: false)
        for _ in 0..<300 { try writer.append(["third"], to: events) }
      }
      try await onThread {
        let writer = try log.writer(.producers, exclusive: false)
        let text = String(repeating: "x", count: 20_000)
        for _ in 0..<300 { try writer.append([text], to: events) }
      }
      try await third
      let appended = try await inside
      #expect(appended == 300)
      let texts = try log.reader(events, of: .producers).texts()
      #expect(texts.filter { $0 == "inside" }.count == 300)
      #expect(texts.filter { $0.count == 20_000 }.count == 300)
    }
  }

  @Test func aReadOfTheSameRoleInTheWayIsNamed() throws {
    try withFolder { folder in
      let log = try open(folder)
      let writer = try log.writer(.producers, exclusive: false)
      try writer.append(["a"], to: events)
      let reader = try log.reader(events, of: .producers)
      let value = [UInt8](repeating: 7, count: 1 << 20)
      _ = try reader.read(from: 0, limit: 1) { _ in
        // What fits is no matter.
        try writer.append(["b"], to: events)
        try expectError(.invalid) { try writer.transact { try $0.put(state: value, for: "k") } }
        return true
      }
      try writer.transact { try $0.put(state: value, for: "k") }
      #expect(try reader.texts() == ["a", "b"])
      #expect(try log.state("k", role: .producers) == value)
    }
  }
}
