import Foundation
import Testing
import Topics

/// What only the log on disk promises.
@Suite("Embedded log")
struct EmbeddedTests {
  private let events = TopicPartition("events")

  @Test func everythingIsThereAfterReopening() throws {
    try withFolder { folder in
      do {
        let log = try EmbeddedLog(folder: folder + "/", access: .readWrite)
        let writer = try log.writer(.scorer, exclusive: true)
        try writer.transact { transaction in
          try transaction.append(RecordBatch(["a", "b"], timestamp: 5), to: events)
          try transaction.commit(position: 9, of: events, group: "g")
          try transaction.put(state: [3], for: "k")
        }
      }
      do {
        let log = try EmbeddedLog(folder: folder, access: .readOnly)
        #expect(try log.reader(events, of: .scorer).texts() == ["a", "b"])
        #expect(try log.position(of: events, group: "g", role: .scorer) == 9)
        #expect(try log.state("k", role: .scorer) == [3])
        let error = try topicError { _ = try log.writer(.scorer, exclusive: true) }
        #expect(error.code == .readOnly)
      }
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try log.writer(.scorer, exclusive: true)
      #expect(writer.epoch == 2)
      #expect(try writer.append(["c"], to: events, timestamp: 1) == 2)
      #expect(try log.reader(events, of: .scorer).texts() == ["a", "b", "c"])
      #expect(try log.describe().first?.maximumTimestamp == 5)
    }
  }

  @Test func twoLogsOnOneFolderShareIt() throws {
    try withFolder { folder in
      let first = try EmbeddedLog(folder: folder, access: .readWrite)
      let reader: any TopicReader
      do {
        let second = try EmbeddedLog(folder: folder, access: .readOnly)
        reader = try second.reader(events, of: .producers)
        #expect(try reader.endOffset() == 0)
        let token = second.changeToken()
        try first.writer(.producers, exclusive: false).append(["a"], to: events)
        #expect(second.changeToken() != token)
        #expect(try reader.texts() == ["a"])
      }
      // The log object may go; what was opened from it keeps the environment open.
      try first.writer(.producers, exclusive: false).append(["b"], to: events)
      #expect(try reader.texts() == ["a", "b"])
    }
  }

  @Test func aReadOnlyLogRequiresTheFolder() throws {
    try withFolder { folder in
      let error = try topicError { _ = try EmbeddedLog(folder: folder, access: .readOnly) }
      #expect(error.code == .notFound)
      #expect(error.folder == folder)
      #expect(!FileManager.default.fileExists(atPath: folder))
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      try expectError(.notFound) { _ = try EmbeddedLog(folder: folder, access: .readOnly) }
    }
  }

  @Test func anUnknownFormatIsNamed() throws {
    try withFolder { folder in
      _ = try EmbeddedLog(folder: folder, access: .readWrite)
      let file = folder + "/FORMAT"
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "weir-topic-log 2\n")
      for other in ["weir-topic-log 1", "weir-topic-log 7"] {
        try (other + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        for access in [EmbeddedLog.Access.readWrite, .readOnly] {
          let error = try topicError { _ = try EmbeddedLog(folder: folder, access: access) }
          #expect(error.code == .formatMismatch)
          #expect(error.description.contains(other))
          #expect(error.description.contains("weir-topic-log 2"))
          #expect(error.description.contains(folder))
        }
      }
      try FileManager.default.removeItem(atPath: file)
      let error = try topicError { _ = try EmbeddedLog(folder: folder, access: .readWrite) }
      #expect(error.code == .formatMismatch)
    }
  }

  @Test func aRolesFolderUnderAnotherNameIsRefused() throws {
    try withFolder { folder in
      try EmbeddedLog(folder: folder, access: .readWrite).writer(.scorer, exclusive: true)
        .append(["a"], to: events)
      try FileManager.default.moveItem(atPath: folder + "/scorer", toPath: folder + "/trainer")
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let error = try topicError { _ = try log.writer(.trainer, exclusive: true) }
      #expect(error.code == .formatMismatch)
    }
  }

  @Test func aFolderThatCannotBeMadeIsAnError() throws {
    try withFolder { folder in
      try "in the way".write(toFile: folder, atomically: true, encoding: .utf8)
      for path in [folder, folder + "/below"] {
        let error = try topicError { _ = try EmbeddedLog(folder: path, access: .readWrite) }
        #expect(error.code == .io)
        #expect(error.folder?.hasPrefix(folder) == true)
      }
    }
  }

  @Test func aFullLogRefusesAndStaysWhole() throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite, maximumSize: 1 << 20)
      let writer = try log.writer(.producers, exclusive: false)
      let value = String(repeating: "x", count: 50_000)
      var appended: UInt64 = 0
      let error = try topicError {
        while appended < 1000 {
          try writer.append([value], to: events)
          appended += 1
        }
      }
      #expect(error.code == .full)
      #expect(error.folder?.hasPrefix(folder) == true)
      #expect(error.partition == events)
      #expect(error.offset == appended)
      #expect(appended > 5)
      let reader = try log.reader(events, of: .producers)
      #expect(try reader.endOffset() == appended)
      #expect(try reader.texts().allSatisfy { $0 == value })
    }
  }

  @Test func deletingTheFolderUnderALogIsNoticed() throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try log.writer(.producers, exclusive: false)
      try writer.append(["a"], to: events)
      let reader = try log.reader(events, of: .producers)
      #expect(try reader.read(from: 0, limit: 10) { _ in true } == 1)
      try FileManager.default.removeItem(atPath: folder)
      let writing = try topicError { try writer.append(["b"], to: events) }
      #expect(writing.code == .notFound)
      let reading = try topicError { _ = try reader.copies(from: 1) }
      #expect(reading.code == .notFound)
      // A new log in its place is a new log.
      let fresh = try EmbeddedLog(folder: folder, access: .readWrite)
      #expect(try fresh.writer(.producers, exclusive: false).append(["c"], to: events) == 0)
    }
  }

  @Test func puttingAnotherFileInItsPlaceIsNoticed() throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try log.writer(.producers, exclusive: false)
      try writer.append(["a"], to: events)
      let reader = try log.reader(events, of: .producers)
      #expect(try reader.texts() == ["a"])
      let file = folder + "/producers/data.mdb"
      try FileManager.default.moveItem(atPath: file, toPath: file + ".old")
      try FileManager.default.copyItem(atPath: file + ".old", toPath: file)
      for error in [
        try topicError { try writer.append(["b"], to: events) },
        try topicError { _ = try reader.copies(from: 1) },
      ] {
        #expect(error.code == .notFound)
        #expect(error.reason.contains("replaced"))
      }
      let fresh = try EmbeddedLog(folder: folder, access: .readWrite)
      #expect(try fresh.writer(.producers, exclusive: false).append(["c"], to: events) == 1)
    }
  }

  /// Every byte of a batch in turn; the batches before and after stay readable.
  @Test func aFlippedByteIsNoticedAndNamed() throws {
    try withFolder { folder in
      do {
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        let writer = try log.writer(.producers, exclusive: false)
        try writer.append(["a", "b"], to: events)
        var batch = RecordBatch()
        batch.append(key: [1, 2], value: [3, 4, 5], timestamp: 77)
        batch.append(key: nil, value: [6], timestamp: 78)
        try writer.transact { try $0.append(batch, to: events) }
        try writer.append(["z"], to: events)
      }
      let data = folder + "/producers"
      let size = try changeStoredBatch(at: 2, in: data) { $0 }.count
      #expect(size == 56 + 2 * 16 + 6)
      for index in 0..<size {
        _ = try changeStoredBatch(at: 2, in: data) { batch in
          var batch = batch
          batch[index] ^= 1 << (index % 8)
          return batch
        }
        do {
          let log = try EmbeddedLog(folder: folder, access: .readWrite)
          let reader = try log.reader(events, of: .producers)
          var seen = 0
          let error = try topicError {
            _ = try reader.read(from: 0, limit: .max) { _ in
              seen += 1
              return true
            }
          }
          #expect(error.code == .corrupt, "byte \(index)")
          #expect(error.partition == events, "byte \(index)")
          #expect(error.offset == 2, "byte \(index)")
          #expect(error.folder == folder, "byte \(index)")
          #expect(seen == 2, "byte \(index)")
          // Also from its middle, and when looking for a time in it.
          try expectError(.corrupt) { _ = try reader.copies(from: 3) }
          try expectError(.corrupt) { _ = try reader.offset(atOrAfter: 70) }
          // On request it can be stepped over.
          let next = try #require(try reader.nextBatch(after: 2))
          #expect(try reader.texts(from: next) == ["z"])
          #expect(try log.writer(.producers, exclusive: false).append([], to: events) == 5)
        }
        _ = try changeStoredBatch(at: 2, in: data) { batch in
          var batch = batch
          batch[index] ^= 1 << (index % 8)
          return batch
        }
      }
      let log = try EmbeddedLog(folder: folder, access: .readOnly)
      #expect(try log.reader(events, of: .producers).copies().count == 5)
    }
  }

  @Test func aTruncatedOrMissingBatchIsNoticedAndNamed() throws {
    try withFolder { folder in
      do {
        let log = try EmbeddedLog(folder: folder, access: .readWrite)
        let writer = try log.writer(.producers, exclusive: false)
        for texts in [["a"], ["b", "c"], ["d"]] { try writer.append(texts, to: events) }
      }
      let data = folder + "/producers"
      let whole = try changeStoredBatch(at: 1, in: data) { $0 }
      for size in 0..<whole.count {
        _ = try changeStoredBatch(at: 1, in: data) { _ in Array(whole[..<size]) }
        let log = try EmbeddedLog(folder: folder, access: .readOnly)
        let error = try topicError { _ = try log.reader(events, of: .producers).copies(from: 0) }
        #expect(error.code == .corrupt, "size \(size)")
        #expect(error.offset == 1, "size \(size)")
      }
      _ = try changeStoredBatch(at: 1, in: data) { _ in nil }
      let log = try EmbeddedLog(folder: folder, access: .readOnly)
      let reader = try log.reader(events, of: .producers)
      for start in [UInt64(0), 1] {
        let error = try topicError { _ = try reader.copies(from: start) }
        #expect(error.code == .corrupt)
        #expect(error.offset == 1)
      }
      #expect(try reader.texts(from: 3) == ["d"])
      #expect(try reader.offset(atOrAfter: 1) == nil)
    }
  }

  /// A last batch that is damaged must not give its successors wrong offsets.
  @Test func nothingIsAppendedAfterADamagedBatch() throws {
    try withFolder { folder in
      do {
        try EmbeddedLog(folder: folder, access: .readWrite).writer(.producers, exclusive: false)
          .append(["a", "b", "c"], to: events)
      }
      _ = try changeStoredBatch(at: 0, in: folder + "/producers") { batch in
        var batch = batch
        batch[12] = 2
        return batch
      }
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try log.writer(.producers, exclusive: false)
      let error = try topicError { try writer.append(["d"], to: events) }
      #expect(error.code == .corrupt)
      #expect(error.partition == events)
      #expect(error.offset == 0)
    }
  }
}
