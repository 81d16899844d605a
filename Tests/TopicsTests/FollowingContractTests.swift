import Testing
import Topics

/// What every backend promises: waiting, and readers beside writers.
@Suite("Following contract", .timeLimit(.minutes(2)))
struct FollowingContractTests {
  private let events = TopicPartition("events")
  private static let minute = 60_000

  @Test(arguments: Backend.allCases)
  func aWaitWithoutAChangeTimesOut(_ backend: Backend) throws {
    try backend.withLog { log in
      let token = log.changeToken()
      #expect(!log.waitForChange(since: token, timeoutMilliseconds: 1))
      #expect(!log.waitForChange(since: token, timeoutMilliseconds: 0))
      #expect(!log.waitForChange(since: token, timeoutMilliseconds: -1))
      #expect(log.changeToken() == token)
    }
  }

  @Test(arguments: Backend.allCases)
  func aChangeBeforeTheWaitEndsIt(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.producers, exclusive: false)
      let token = log.changeToken()
      try writer.append(["a"], to: events)
      #expect(log.waitForChange(since: token, timeoutMilliseconds: Self.minute))
      #expect(log.waitForChange(since: token, timeoutMilliseconds: .max))
      let later = log.changeToken()
      log.wake()
      #expect(log.waitForChange(since: later, timeoutMilliseconds: Self.minute))
    }
  }

  /// Each side sleeps until the other has written; a wake that got lost would cost a minute.
  @Test(arguments: Backend.allCases)
  func twoThreadsWakeEachOther(_ backend: Backend) async throws {
    try await backend.withLog { log in
      let rounds: UInt64 = 2_000
      @Sendable func play(_ own: WriterRole, _ other: WriterRole, starts: Bool) throws -> Bool {
        let writer = try log.writer(own, exclusive: true)
        let reader = try log.reader(TopicPartition("ball"), of: other)
        for round in 0..<rounds {
          if starts { try writer.append(["x"], to: TopicPartition("ball")) }
          while true {
            let token = log.changeToken()
            if try reader.endOffset() > round { break }
            guard log.waitForChange(since: token, timeoutMilliseconds: Self.minute) else {
              return false
            }
          }
          if !starts { try writer.append(["x"], to: TopicPartition("ball")) }
        }
        return true
      }
      async let first = onThread { try play(.scorer, .trainer, starts: true) }
      async let second = onThread { try play(.trainer, .scorer, starts: false) }
      let finished = try await [first, second]
      #expect(finished == [true, true])
    }
  }

  @Test(arguments: Backend.allCases)
  func wakeEndsAWait(_ backend: Backend) async throws {
    try await backend.withLog { log in
      let token = log.changeToken()
      async let woken = onThread {
        log.waitForChange(since: token, timeoutMilliseconds: Self.minute)
      }
      log.wake()
      let isWoken = try await woken
      #expect(isWoken)
    }
  }

  @Test(arguments: Backend.allCases)
  func aReaderBesideAWriterSeesEveryRecordOnceInOrder(_ backend: Backend) async throws {
    try await backend.withLog { log in
      let count: UInt64 = 40_000
      let events = self.events
      async let written: Void = onThread {
        let writer = try log.writer(.producers, exclusive: false)
        var batch = RecordBatch()
        var number: UInt64 = 0
        while number < count {
          batch.removeAll()
          for _ in 0..<min(1 + number % 97, count - number) {
            withUnsafeBytes(of: number) {
              batch.append(key: nil, value: $0, timestamp: Int64(number))
            }
            number += 1
          }
          try writer.transact { try $0.append(batch, to: events) }
        }
      }
      let readers = [7, 256, Int.max].map { limit in
        Task {
          try await onThread { () -> Bool in
            let reader = try log.reader(events, of: .producers)
            var next: UInt64 = 0
            var isInOrder = true
            while next < count {
              let token = log.changeToken()
              let start = next
              var expected = start
              next = try reader.read(from: start, limit: limit) { record in
                let number = record.value.loadUnaligned(as: UInt64.self)
                if number != expected || record.offset != expected { isInOrder = false }
                expected += 1
                return true
              }
              if next != expected { isInOrder = false }
              if next == start {
                guard log.waitForChange(since: token, timeoutMilliseconds: Self.minute) else {
                  return false
                }
              }
            }
            return isInOrder
          }
        }
      }
      try await written
      for reader in readers {
        let isInOrder = try await reader.value
        #expect(isInOrder)
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func writersOfOneRoleLoseNothing(_ backend: Backend) async throws {
    try await backend.withLog { log in
      let events = self.events
      let tasks = (0..<3).map { tag in
        Task {
          try await onThread {
            let writer = try log.writer(.producers, exclusive: false)
            for number in 0..<300 {
              try writer.append(["\(tag) \(number)", "\(tag) \(number)'"], to: events)
            }
          }
        }
      }
      for task in tasks { try await task.value }
      let texts = try log.reader(events, of: .producers).texts()
      for tag in 0..<3 {
        #expect(
          texts.filter { $0.hasPrefix("\(tag) ") }
            == (0..<300).flatMap { ["\(tag) \($0)", "\(tag) \($0)'"] })
      }
      #expect(texts.count == 1800)
    }
  }
}
