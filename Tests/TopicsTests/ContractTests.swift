import Glibc
import Testing
import Topics

/// What every backend promises: reading and writing.
@Suite("Topic contract")
struct ContractTests {
  private let events = TopicPartition("events")

  @Test(arguments: Backend.allCases)
  func readsAcrossBatchesAndFromWithinOne(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.producers, exclusive: false)
      #expect(writer.role == .producers)
      #expect(writer.epoch == 0)
      #expect(try writer.append(["a", "b", "c"], to: events) == 0)
      #expect(try writer.append(["d"], to: events) == 3)
      #expect(try writer.append(["e", "f"], to: events) == 4)
      let reader = try log.reader(events, of: .producers)
      let all = ["a", "b", "c", "d", "e", "f"]
      for start in 0...6 {
        #expect(try reader.texts(from: UInt64(start)) == Array(all[start...]))
        for limit in 0...7 {
          var seen: [String] = []
          let next = try reader.read(from: UInt64(start), limit: limit) {
            #expect($0.offset == UInt64(start + seen.count))
            seen.append(String(decoding: $0.value, as: UTF8.self))
            return true
          }
          #expect(seen == Array(all[start...].prefix(limit)))
          #expect(next == UInt64(start + seen.count))
        }
      }
      #expect(try reader.startOffset() == 0)
      #expect(try reader.endOffset() == 6)
    }
  }

  @Test(arguments: Backend.allCases)
  func aBodyThatReturnsFalseEndsTheRead(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.producers, exclusive: false)
      for text in ["a b c", "d e"] {
        try writer.append(text.split(separator: " ").map(String.init), to: events)
      }
      let reader = try log.reader(events, of: .producers)
      for stop in UInt64(0)..<5 {
        var given = 0
        let next = try reader.read(from: 0, limit: .max) {
          given += 1
          return $0.offset != stop
        }
        #expect(next == stop + 1)
        #expect(given == Int(stop) + 1)
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func whatABodyThrowsIsPassedOnAndTheReaderStaysUsable(_ backend: Backend) throws {
    struct Stop: Error, Equatable { var at: UInt64 }
    try backend.withLog { log in
      try log.writer(.producers, exclusive: false).append(["a", "b"], to: events)
      let reader = try log.reader(events, of: .producers)
      #expect(throws: Stop(at: 1)) {
        try reader.read(from: 0, limit: .max) {
          if $0.offset == 1 { throw Stop(at: 1) }
          return true
        }
      }
      let foreign = TopicError(.invalid, "of the body")
      let passed = try topicError {
        _ = try reader.read(from: 0, limit: 1) { _ in throw foreign }
      }
      #expect(passed == foreign)
      #expect(try reader.texts() == ["a", "b"])
    }
  }

  @Test(arguments: Backend.allCases)
  func aReaderCannotBeCalledFromItsOwnBody(_ backend: Backend) throws {
    try backend.withLog { log in
      try log.writer(.producers, exclusive: false).append(["a"], to: events)
      let reader = try log.reader(events, of: .producers)
      let error = try topicError {
        _ = try reader.read(from: 0, limit: 1) { _ in try reader.endOffset() > 0 }
      }
      #expect(error.code == .invalid)
      #expect(try reader.endOffset() == 1)
    }
  }

  @Test(arguments: Backend.allCases)
  func anUnwrittenPartitionIsEmptyAndBecomesReadable(_ backend: Backend) throws {
    try backend.withLog { log in
      let reader = try log.reader(events, of: .producers)
      func expectEmpty() throws {
        #expect(try reader.startOffset() == 0)
        #expect(try reader.endOffset() == 0)
        #expect(try reader.offset(atOrAfter: .min) == nil)
        #expect(try reader.nextBatch(after: 0) == nil)
        #expect(try reader.texts() == [])
        #expect(try log.describe() == [])
      }
      try expectEmpty()
      #expect(try log.position(of: events, group: "g", role: .producers) == nil)
      #expect(try log.state("k", role: .producers) == nil)
      #expect(try log.stateKeys(prefix: "", role: .producers) == [])
      let writer = try log.writer(.producers, exclusive: false)
      try expectEmpty()
      try writer.append(["x"], to: TopicPartition("labels"))
      #expect(try reader.endOffset() == 0)
      #expect(try writer.append([], to: events) == 0)
      #expect(try reader.endOffset() == 0)
      try writer.append(["a"], to: events)
      #expect(try reader.texts() == ["a"])
      #expect(try reader.endOffset() == 1)
      // Another role's topic of the same name is another topic.
      #expect(try log.reader(events, of: .scorer).endOffset() == 0)
    }
  }

  @Test(arguments: Backend.allCases)
  func anOffsetPastTheEndIsRefused(_ backend: Backend) throws {
    try backend.withLog { log in
      let reader = try log.reader(events, of: .producers)
      try expectError(.offsetOutOfRange) { _ = try reader.copies(from: 1) }
      try log.writer(.producers, exclusive: false).append(["a", "b"], to: events)
      #expect(try reader.copies(from: 2) == [])
      for offset in [3, UInt64.max] {
        let error = try topicError { _ = try reader.copies(from: offset) }
        #expect(error.code == .offsetOutOfRange)
        #expect(error.partition == events)
        #expect(error.offset == offset)
        #expect(error.description.contains("0..<2"))
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func aMissingKeyDiffersFromAnEmptyOne(_ backend: Backend) throws {
    try backend.withLog { log in
      var batch = RecordBatch()
      batch.append(key: nil, value: [1], timestamp: -5)
      batch.append(key: [], value: [], timestamp: .max)
      batch.append(key: [7, 8], value: [2, 3], timestamp: .min)
      #expect(batch.count == 3)
      #expect(batch.byteCount == 3 * 16 + 5)
      try log.writer(.producers, exclusive: false).transact { try $0.append(batch, to: events) }
      #expect(
        try log.reader(events, of: .producers).copies() == [
          Copied(0, -5, nil, [1]), Copied(1, .max, [], []), Copied(2, .min, [7, 8], [2, 3]),
        ])
    }
  }

  @Test(arguments: Backend.allCases)
  func aBatchIsReusableAndAValue(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.producers, exclusive: false)
      var batch = RecordBatch(["a", "b"])
      let copy = batch
      try writer.transact { try $0.append(batch, to: events) }
      batch.removeAll()
      #expect(batch.isEmpty)
      #expect(batch.byteCount == 0)
      batch.append(key: nil, value: Array("c".utf8), timestamp: 0)
      try writer.transact { transaction in
        try transaction.append(batch, to: events)
        try transaction.append(copy, to: events)
      }
      #expect(try log.reader(events, of: .producers).texts() == ["a", "b", "c", "a", "b"])
    }
  }

  @Test(arguments: Backend.allCases)
  func batchesCanBeSteppedOver(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.producers, exclusive: false)
      for size in [3, 1, 2] {
        try writer.append(Array(repeating: "x", count: size), to: events)
      }
      let reader = try log.reader(events, of: .producers)
      let starts = try (UInt64(0)...6).map { try reader.nextBatch(after: $0) }
      #expect(starts == [3, 3, 3, 4, nil, nil, nil])
    }
  }

  @Test(arguments: Backend.allCases)
  func largeValuesWork(_ backend: Backend) throws {
    try backend.withLog { log in
      let size = 64 << 20
      var value = [UInt8](repeating: 0xA5, count: size)
      for index in stride(from: 0, to: size, by: 4093) { value[index] = UInt8(index & 0x7F) }
      var batch = RecordBatch()
      batch.append(key: [1], value: value, timestamp: 1)
      let writer = try log.writer(.producers, exclusive: false)
      try writer.transact { try $0.append(batch, to: events) }
      try writer.append(["after"], to: events)
      let reader = try log.reader(events, of: .producers)
      var isEqual = false
      _ = try reader.read(from: 0, limit: 1) {
        isEqual = $0.value.count == size && memcmp($0.value.baseAddress!, value, size) == 0
        return true
      }
      #expect(isEqual)
      #expect(try reader.texts(from: 1) == ["after"])
    }
  }

  @Test(arguments: Backend.allCases)
  func describesWhatIsThere(_ backend: Backend) throws {
    try backend.withLog { log in
      let producers = try log.writer(.producers, exclusive: false)
      let second = TopicPartition("events", partition: 1)
      try producers.append(["a", "b"], to: events, timestamp: 100)
      try producers.append(["c"], to: events, timestamp: 900)
      try producers.append(["d"], to: events, timestamp: 500)
      try producers.append(["e"], to: second, timestamp: 7)
      try log.writer(.scorer, exclusive: true).append(["f"], to: TopicPartition("decisions"))
      let found = try log.describe()
      #expect(
        found.map { "\($0.role) \($0.partition)" } == [
          "producers events/0", "producers events/1", "scorer decisions/0",
        ])
      let first = try #require(found.first)
      #expect(first.recordCount == 4)
      #expect(first.startOffset == 0)
      #expect(first.endOffset == 4)
      #expect(first.firstTimestamp == 100)
      #expect(first.lastTimestamp == 500)
      #expect(first.maximumTimestamp == 900)
      #expect(found.allSatisfy { $0.bytes > 0 })
    }
  }

  @Test(arguments: Backend.allCases)
  func offsetsByTimeAgreeWithASearchOfAll(_ backend: Backend) throws {
    for seed in UInt64(1)...12 {
      var generator = SeededGenerator(seed: seed)
      try backend.withLog { log in
        let writer = try log.writer(.producers, exclusive: false)
        let reader = try log.reader(events, of: .producers)
        var timestamps: [Int64] = []
        for _ in 0..<Int.random(in: 1...30, using: &generator) {
          var batch = RecordBatch()
          for _ in 0..<Int.random(in: 1...9, using: &generator) {
            // A drift upwards with jumps back and forth, and many equal values.
            let timestamp =
              Int64(timestamps.count / 4) + Int64.random(in: -9...9, using: &generator)
            batch.append(key: nil, value: [0], timestamp: timestamp)
            timestamps.append(timestamp)
          }
          try writer.transact { try $0.append(batch, to: events) }
        }
        for time in Int64(-12)...Int64(timestamps.count / 4 + 12) {
          let expected = timestamps.firstIndex { $0 >= time }.map { UInt64($0) }
          let found = try reader.offset(atOrAfter: time)
          #expect(found == expected, "seed \(seed), time \(time)")
        }
        #expect(try reader.offset(atOrAfter: .min) == 0)
        #expect(try reader.offset(atOrAfter: .max) == nil)
      }
    }
  }

  @Test(arguments: Backend.allCases)
  func namesAreChecked(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.producers, exclusive: false)
      let long = String(repeating: "x", count: 201)
      for topic in ["", "a/b", "a b", "ä", long] {
        let error = try topicError { try writer.append(["x"], to: TopicPartition(topic)) }
        #expect(error.code == .invalid)
        try expectError(.invalid) { _ = try log.reader(TopicPartition(topic), of: .scorer) }
      }
      try expectError(.invalid) { try writer.append(["x"], to: TopicPartition("a", partition: -1)) }
      for role in ["", "..", "a/b", "FORMAT", "bell", "ä"] {
        try expectError(.invalid) { _ = try log.writer(WriterRole(role), exclusive: false) }
      }
      for key in ["", String(repeating: "k", count: 501)] {
        let error = try topicError { try writer.transact { try $0.put(state: [], for: key) } }
        #expect(error.code == .invalid)
      }
      try writer.append(["fits"], to: TopicPartition(String(repeating: "x", count: 200)))
      try writer.transact { try $0.put(state: [1], for: String(repeating: "k", count: 500)) }
    }
  }
}
