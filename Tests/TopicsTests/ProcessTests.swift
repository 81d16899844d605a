import Glibc
import Testing
import Topics

/// The embedded log between real processes.
@Suite("Several processes", .serialized, .timeLimit(.minutes(2)))
struct ProcessTests {
  private let events = TopicPartition("events")

  @Test func oneProcessFollowsAnother() throws {
    try withFolder { folder in
      _ = try EmbeddedLog(folder: folder, access: .readWrite)
      // It begins before the role's folder exists.
      let follower = try Peer("follow", folder, "5000")
      #expect(follower.line() == "following")
      let producer = try Peer("append", folder, "p", "5000", "7")
      #expect(producer.lines() == [])
      #expect(producer.wait() == 0)
      #expect(follower.lines() == (0..<5000).map { "\($0) p \($0)" })
      #expect(follower.wait() == 0)
    }
  }

  @Test func thisProcessFollowsAnother() throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let reader = try log.reader(events, of: .producers)
      let producer = try Peer("append", folder, "p", "3000", "1")
      var next: UInt64 = 0
      var texts: [String] = []
      while next < 3000 {
        let token = log.changeToken()
        let start = next
        next = try reader.read(from: start, limit: .max) {
          texts.append(String(decoding: $0.value, as: UTF8.self))
          return true
        }
        if next == start {
          try #require(log.waitForChange(since: token, timeoutMilliseconds: 60_000))
        }
      }
      #expect(producer.wait() == 0)
      #expect(texts == (0..<3000).map { "p \($0)" })
    }
  }

  @Test func twoProducersAtOnceLoseNothing() throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let own = try log.writer(.producers, exclusive: false)
      let peers = try ["x", "y"].map { try Peer("append", folder, $0, "2000", "3") }
      for number in 0..<1000 { try own.append(["own \(number)"], to: events) }
      for peer in peers {
        #expect(peer.lines() == [])
        #expect(peer.wait() == 0)
      }
      let texts = try log.reader(events, of: .producers).texts()
      #expect(texts.count == 5000)
      for (tag, count) in [("x", 2000), ("y", 2000), ("own", 1000)] {
        #expect(texts.filter { $0.hasPrefix(tag) } == (0..<count).map { "\(tag) \($0)" })
      }
    }
  }

  @Test func anotherProcessFencesThisOne() throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try log.writer(.scorer, exclusive: true)
      try writer.append(["a"], to: events)
      let peer = try Peer("epoch", folder)
      #expect(peer.line() == "2")
      #expect(peer.wait() == 0)
      try expectError(.fenced) { try writer.append(["b"], to: events) }
    }
  }

  @Test func aKilledProducerLeavesWholeBatches() throws {
    try withFolder { folder in
      for round in 0..<4 {
        let before: UInt64
        do {
          let log = try EmbeddedLog(folder: folder, access: .readWrite)
          before = try log.reader(events, of: .producers).endOffset()
        }
        let peer = try Peer("stream", folder, "p", "100")
        #expect(peer.line() == "streaming")
        peer.killNow()
        #expect(peer.wait() == SIGKILL)
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        let reader = try log.reader(events, of: .producers)
        let end = try reader.endOffset()
        #expect(end >= before + 500, "round \(round)")
        #expect(end % 100 == 0, "round \(round)")
        let texts = try reader.texts(from: before)
        #expect(texts == (0..<Int(end - before)).map { "p \($0)" }, "round \(round)")
        // The lock it may have held is free, and writing goes on without a gap.
        let writer = try log.writer(.producers, exclusive: false)
        #expect(
          try writer.append(Array(repeating: "own", count: 100), to: events) == end)
      }
    }
  }

  @Test func aKilledFollowerCostsNothingButItsPlace() throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try log.writer(.producers, exclusive: false)
      for _ in 0..<3 {
        let follower = try Peer("follow", folder, "1000000")
        #expect(follower.line() == "following")
        try writer.append(["a"], to: events)
        follower.killNow()
        #expect(follower.wait() == SIGKILL)
      }
      let token = log.changeToken()
      #expect(!log.waitForChange(since: token, timeoutMilliseconds: 1))
      try writer.append(["a"], to: events)
      #expect(try log.reader(events, of: .producers).endOffset() == 4)
    }
  }
}
