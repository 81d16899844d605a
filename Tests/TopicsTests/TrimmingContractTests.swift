import Foundation
import Testing
import Topics

/// What every backend promises: trimming and retention.
@Suite("Trimming contract")
struct TrimmingContractTests {
  private let events = TopicPartition("events")

  /// A batch for each element: records at its times.
  private func fill(_ log: any TopicLog, _ batches: [[Int64]]) throws -> any TopicWriter {
    let writer = try log.writer(.producers, exclusive: false)
    for times in batches {
      var batch = RecordBatch()
      for time in times { batch.append(key: nil, value: Array("\(time)".utf8), timestamp: time) }
      try writer.transact { try $0.append(batch, to: events) }
    }
    return writer
  }

  @Test(arguments: Backend.allCases)
  func wholeBatchesGoAndNeverTheLast(_ backend: Backend) throws {
    let sizes: [UInt64] = [3, 1, 4, 2]
    let starts: [UInt64] = [0, 3, 4, 8]
    for before in [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, UInt64.max] {
      try backend.withLog { log in
        let writer = try fill(log, sizes.map { (0..<Int64($0)).map { $0 } })
        let expected = starts.last { $0 <= before } ?? 0
        let reader = try log.reader(events, of: .producers)
        let all = try reader.copies()
        #expect(
          try writer.transact { try $0.trim(events, before: before, limit: .max) } == expected)
        #expect(try reader.startOffset() == expected)
        #expect(try reader.endOffset() == 10)
        #expect(try reader.copies(from: expected) == all.filter { $0.offset >= expected })
        #expect(try log.describe().first?.startOffset == expected)
        #expect(try log.describe().first?.recordCount == 10 - expected)
        if expected > 0 {
          for offset in [0, expected - 1] {
            let error = try topicError { _ = try reader.copies(from: offset) }
            #expect(error.code == .offsetOutOfRange)
            #expect(error.partition == events)
            #expect(error.offset == offset)
            #expect(error.description.contains("\(expected)..<10"))
            #expect(try reader.nextBatch(after: offset) == expected)
          }
        }
        #expect(try writer.append(["new"], to: events) == 10)
        #expect(try reader.texts(from: 10) == ["new"])
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func aCallIsBoundedAndGoesOnWhereTheLastEnded(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try fill(log, (0..<10).map { [$0] })
      var starts: [UInt64] = []
      for limit in [0, 3, 3, 3, 3] {
        starts.append(try writer.transact { try $0.trim(events, before: 8, limit: limit) })
      }
      #expect(starts == [0, 3, 6, 8, 8])
      #expect(try log.reader(events, of: .producers).texts(from: 8) == ["8", "9"])
    }
  }

  @Test(arguments: Backend.allCases)
  func aTransactionSeesAndUndoesItsTrimming(_ backend: Backend) throws {
    struct Refused: Error {}
    try backend.withLog { log in
      let writer = try fill(log, [[0], [1], [2]])
      let reader = try log.reader(events, of: .producers)
      func body(_ transaction: any TopicTransaction) throws {
        #expect(try transaction.trim(events, before: 1, limit: 9) == 1)
        #expect(try transaction.append(RecordBatch(["a"]), to: events) == 3)
        #expect(try transaction.append(RecordBatch(["b"]), to: events) == 4)
        #expect(try transaction.trim(events, before: 0, limit: 9) == 1)
        #expect(try transaction.trim(events, before: 9, limit: 9) == 4)
        #expect(try reader.texts() == ["0", "1", "2"])
      }
      #expect(throws: Refused.self) {
        try writer.transact { transaction in
          try body(transaction)
          throw Refused()
        }
      }
      #expect(try reader.texts() == ["0", "1", "2"])
      let token = log.changeToken()
      try writer.transact(body)
      #expect(log.changeToken() != token)
      #expect(try reader.startOffset() == 4)
      #expect(try reader.texts(from: 4) == ["b"])
      let unwritten = TopicPartition("labels")
      #expect(try writer.transact { try $0.trim(unwritten, before: 9, limit: 9) } == 0)
      try expectError(.invalid) {
        _ = try writer.transact { try $0.trim(TopicPartition("a/b"), before: 9, limit: 9) }
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func offsetsByTimeStayExactAfterTrimming(_ backend: Backend) throws {
    try backend.withLog { log in
      // The record at 90 raises the running maximum of all behind it.
      let writer = try fill(log, [[1, 90], [2], [3, 50], [4], [60]])
      let reader = try log.reader(events, of: .producers)
      #expect(try reader.offset(atOrAfter: 40) == 1)
      try writer.transact { try $0.trim(events, before: 2, limit: 9) }
      #expect(try reader.offset(atOrAfter: 0) == 2)
      #expect(try reader.offset(atOrAfter: 40) == 4)
      #expect(try reader.offset(atOrAfter: 55) == 6)
      #expect(try reader.offset(atOrAfter: 61) == nil)
    }
  }

  /// Where a partition starts after retention.
  private func start(
    _ log: any TopicLog, _ writer: any TopicWriter, age: Int64? = nil, bytes: Int? = nil,
    keepingFrom: UInt64? = nil, now: Int64 = 1_000_000, limit: Int = .max
  ) throws -> UInt64 {
    let start = try writer.transact {
      try $0.retain(
        events, by: Retention(maximumAge: age, maximumBytes: bytes), keepingFrom: keepingFrom,
        now: now, limit: limit)
    }
    #expect(try log.reader(events, of: .producers).startOffset() == start)
    return start
  }

  @Test(arguments: Backend.allCases)
  func recordsAgeWithTheStream(_ backend: Backend) throws {
    let batches: [[Int64]] = (0..<20).map { [$0 * 10, $0 * 10 + 5] }
    try backend.withLog { log in
      let writer = try fill(log, batches)
      // The newest three batches begin at 170, so what lies before 120 goes.
      #expect(try start(log, writer, age: 50, limit: 5) == 10)
      #expect(try start(log, writer, age: 50, keepingFrom: 15) == 14)
      #expect(try start(log, writer, age: 50) == 24)
      // However often, and however late it is: the stream has stopped.
      #expect(try start(log, writer, age: 50, now: .max) == 24)
      #expect(try start(log, writer, age: .max) == 24)
      #expect(try start(log, writer) == 24)
      // The newest three batches tell the time, and stay.
      #expect(try start(log, writer, age: 0) == 34)
    }
    try backend.withLog { log in
      let writer = try fill(log, batches)
      // A clock that runs behind keeps more.
      #expect(try start(log, writer, age: 50, now: 100) == 10)
    }
  }

  @Test(arguments: Backend.allCases)
  func aRecordDatedAheadNeitherAgesOthersNorKeepsThemForEver(_ backend: Backend) throws {
    for position in [3, 17, 18, 19] {
      var batches: [[Int64]] = (0..<20).map { [$0 * 10, $0 * 10 + 5] }
      batches[position] = [9_000_000, 9_000_001]
      try backend.withLog { log in
        let writer = try fill(log, batches)
        // Without it the newest three begin at 170; with it among them, the least of the others.
        let newest = batches.suffix(3).map { $0[0] }.min()!
        let expected = min(position, Int(newest - 50) / 10) * 2
        #expect(try start(log, writer, age: 50, now: 200) == UInt64(expected))
        // Only in the time of day does it come of age; then what follows it may go as well.
        if position == 3 {
          try writer.transact { try $0.trim(events, before: 8, limit: 9) }
          #expect(try start(log, writer, age: 50, now: 200) == 24)
        }
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func bytesAreLimited(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.producers, exclusive: false)
      let text = String(repeating: "x", count: 10_000)
      for _ in 0..<40 { try writer.append([text], to: events) }
      let whole = try #require(log.describe().first).bytes
      #expect(try start(log, writer, bytes: whole) == 0)
      #expect(try start(log, writer, bytes: whole / 2, limit: 3) == 3)
      #expect(try start(log, writer, bytes: whole / 2, keepingFrom: 7) == 7)
      let kept = try start(log, writer, bytes: whole / 2)
      #expect((18...22).contains(kept))
      #expect(try #require(log.describe().first).bytes <= whole / 2)
      #expect(try start(log, writer, bytes: whole / 2) == kept)
      #expect(try start(log, writer, bytes: 0) == 39)
    }
  }
}
