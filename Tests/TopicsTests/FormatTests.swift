import Foundation
import Testing
import Topics

/// The stored form of batches and values, made and changed byte by byte.
@Suite("Stored form")
struct FormatTests {
  private let events = TopicPartition("events")

  /// Makes a log in `folder` whose batches of `events` are `sizes` records long, then closes it.
  private func makeLog(_ folder: String, sizes: [Int]) throws -> String {
    let log = try EmbeddedLog(folder: folder, access: .readWrite)
    let writer = try log.writer(.producers, exclusive: false)
    var number = 0
    for size in sizes {
      let texts = (0..<size).map { "\(number + $0)" }
      try writer.append(texts, to: events, timestamp: Int64(100 + number))
      number += size
    }
    return folder + "/producers"
  }

  @Test func aBatchIsStoredAsTheTableSays() throws {
    try withFolder { folder in
      let data = try makeLog(folder, sizes: [1, 1])
      let record = UInt32.max.storedBytes + UInt32(1).storedBytes + Int64(101).storedBytes + [49]
      let stored = try changeStoredBatch(at: 1, in: data) { $0 }
      #expect(
        stored == storedBatch(count: 1, base: 1, timestamp: 101, maximum: 101, records: record))
    }
  }

  @Test func readersStepOverAGap() throws {
    for (gap, sizes) in [(0, [2, 3, 1]), (1, [2, 3, 1]), (2, [2, 3, 4]), (0, [3])] {
      try withFolder { folder in
        let data = try makeLog(folder, sizes: sizes)
        let base = UInt64(sizes[..<gap].reduce(0, +))
        let end = base + UInt64(sizes[gap])
        let total = UInt64(sizes.reduce(0, +))
        let maximum = gap == 0 ? Int64.min : 100 + Int64(base) - Int64(sizes[gap - 1])
        try changeStoredBatch(at: base, in: data) { _ in
          storedBatch(
            flags: 1, count: UInt32(sizes[gap]), base: base, timestamp: maximum, maximum: maximum)
        }
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        let reader = try log.reader(events, of: .producers)
        let kept = (0..<total).filter { !(base..<end).contains($0) }
        #expect(try reader.startOffset() == 0)
        #expect(try reader.endOffset() == total)
        for start in 0...total {
          let expected = kept.filter { $0 >= start }
          #expect(try reader.texts(from: start) == expected.map(String.init))
          #expect(try reader.copies(from: start).map(\.offset) == expected)
          #expect(try reader.read(from: start, limit: .max) { _ in true } == total)
          // Record by record, too.
          var next = start
          var seen: [UInt64] = []
          while next < total {
            next = try reader.read(from: next, limit: 1) {
              seen.append($0.offset)
              return true
            }
          }
          #expect(seen == expected)
        }
        #expect(try reader.nextBatch(after: base) == (gap + 1 < sizes.count ? end : nil))
        // Each batch has one time: 100 and its first offset.
        var first: UInt64 = 0
        for (index, size) in sizes.enumerated() {
          let next = first + UInt64(size)
          let expected = index == gap ? (next < total ? next : nil) : first
          #expect(try reader.offset(atOrAfter: 100 + Int64(first)) == expected)
          first = next
        }
        let description = try #require(log.describe().first)
        #expect(description.startOffset == 0)
        #expect(description.endOffset == total)
        if sizes.count == 1 {
          #expect(description.firstTimestamp == nil)
          #expect(description.lastTimestamp == nil)
          #expect(description.maximumTimestamp == nil)
        } else {
          #expect(description.firstTimestamp == (gap == 0 ? 102 : 100))
          #expect(description.lastTimestamp == (gap == 2 ? 102 : 105))
        }
        // Writers go on behind it, and the running maximum holds.
        let writer = try log.writer(.producers, exclusive: false)
        #expect(try writer.append(["new"], to: events, timestamp: 7) == total)
        #expect(try reader.texts(from: total) == ["new"])
        #expect(try reader.offset(atOrAfter: 106) == nil)
      }
    }
  }

  @Test func aGapWithRecordsOrWithoutACountIsDamage() throws {
    try withFolder { folder in
      let data = try makeLog(folder, sizes: [1, 1])
      let record = [UInt8](repeating: 0, count: 16)
      for batch in [
        storedBatch(flags: 1, count: 0, base: 1), storedBatch(flags: 0, count: 1, base: 1),
        storedBatch(flags: 1, count: 1, base: 1, records: record),
        storedBatch(flags: 1, count: 1, base: 1, records: [0]),
      ] {
        try changeStoredBatch(at: 1, in: data) { _ in batch }
        let log = try EmbeddedLog(folder: folder, access: .readOnly)
        let error = try topicError { _ = try log.reader(events, of: .producers).copies() }
        #expect(error.code == .corrupt)
        #expect(error.offset == 1)
      }
    }
  }

  @Test func aBatchOfAnotherPartitionIsNoticed() throws {
    try withFolder { folder in
      let data = try makeLog(folder, sizes: [1, 1])
      let record = UInt32.max.storedBytes + UInt32(1).storedBytes + Int64(101).storedBytes + [49]
      for other in ["topic/events/1", "topic/labels/0"] {
        try changeStoredBatch(at: 1, in: data) { _ in
          storedBatch(
            count: 1, base: 1, timestamp: 101, maximum: 101, database: other, records: record)
        }
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        let error = try topicError { _ = try log.reader(events, of: .producers).copies() }
        #expect(error.code == .corrupt)
        #expect(error.offset == 1)
        #expect(error.reason.contains("belongs to another partition"))
        let writer = try log.writer(.producers, exclusive: false)
        try expectError(.corrupt) { try writer.append(["x"], to: events) }
      }
    }
  }

  @Test func aBatchOfANewerFormatIsNamedAsSuch() throws {
    try withFolder { folder in
      let data = try makeLog(folder, sizes: [1, 1])
      let record = [UInt8](repeating: 0, count: 16)
      for batch in [
        storedBatch(version: 3, count: 1, base: 1, records: record),
        storedBatch(version: 1, count: 1, base: 1, records: record),
        storedBatch(flags: 2, count: 1, base: 1, records: record),
        storedBatch(count: 1, base: 1, reserved: 9, records: record),
      ] {
        try changeStoredBatch(at: 1, in: data) { _ in batch }
        let log = try EmbeddedLog(folder: folder, access: .readOnly)
        let error = try topicError { _ = try log.reader(events, of: .producers).copies() }
        #expect(error.code == .formatMismatch)
        #expect(error.offset == 1)
      }
    }
  }

  /// Every byte of every kind of value in turn.
  @Test func aDamagedValueIsNoticedAndNamed() throws {
    try withFolder { folder in
      do {
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        try log.writer(.scorer, exclusive: true).transact { transaction in
          try transaction.commit(position: 77, of: events, group: "g")
          try transaction.put(state: [1, 2, 3], for: "window/a")
          try transaction.put(state: [], for: "empty")
        }
      }
      let data = folder + "/scorer"
      let cases: [(name: String, key: String, text: String, size: Int)] = [
        ("positions", "g\0events\0" + "0", "g events 0", 12), ("state", "window/a", "window/a", 7),
        ("state", "empty", "empty", 4), ("meta", "epoch", "epoch", 12),
        ("meta", "format", "format", 20), ("meta", "role", "role", 10),
      ]
      for (name, key, text, size) in cases {
        let whole = try changeStoredValue(Array(key.utf8), of: name, in: data) { $0 }
        #expect(whole.count == size)
        // A flipped bit in each byte, then each shorter length.
        let flipped = whole.indices.map { index in
          var bytes = whole
          bytes[index] ^= 1 << (index % 8)
          return bytes
        }
        for bytes in flipped + whole.indices.map({ Array(whole[..<$0]) }) {
          try changeStoredValue(Array(key.utf8), of: name, in: data) { _ in bytes }
          let error = try topicError {
            let log = try EmbeddedLog(folder: folder, access: .readWrite)
            _ = try log.position(of: events, group: "g", role: .scorer)
            _ = try log.state("window/a", role: .scorer)
            _ = try log.state("empty", role: .scorer)
            _ = try log.writer(.scorer, exclusive: true)
          }
          #expect(error.code == .corrupt)
          #expect(error.reason.contains("'\(text)'"))
          #expect(error.folder?.hasPrefix(folder) == true)
        }
        try changeStoredValue(Array(key.utf8), of: name, in: data) { _ in whole }
      }
      // A value that has come under another key.
      let other = try changeStoredValue(Array("window/a".utf8), of: "state", in: data) { $0 }
      try changeStoredValue(Array("empty".utf8), of: "state", in: data) { _ in other }
      let log = try EmbeddedLog(folder: folder, access: .readOnly)
      try expectError(.corrupt) { _ = try log.state("empty", role: .scorer) }
      #expect(try log.state("window/a", role: .scorer) == [1, 2, 3])
    }
  }
}
