import Foundation
import Testing
import Topics

@Suite("Backing up a folder", .timeLimit(.minutes(2))) struct BackupTests {
  @Test func aBackupIsAFolderOfTopics() throws {
    try withFolder { folder in
      let written = try MaintainedFolder(folder + "/source", rounds: 60, seed: 9)
      var retention = RetentionSettings()
      retention["events"] = Retention(maximumAge: 86_400_000)
      try retention.write(folder: written.path)
      let copy = folder + "/copies/one"
      let copied = try TopicMaintenance(folder: written.path).backup(to: copy)
      #expect(copied.map(\.report.role) == MaintainedFolder.roles)
      #expect(copied.allSatisfy { $0.bytesAfter > 0 && $0.bytesAfter < $0.bytesBefore })
      #expect(try TopicMaintenance(folder: copy).verify().findings == [])
      try written.at(copy).check(losses: [], "copied")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: copy).sorted() == [
          "FORMAT", "bell", "producers", "retention", "scorer", "trainer",
        ])
      #expect(try RetentionSettings(folder: copy) == retention)
      let log = try EmbeddedLog(folder: copy, access: .readWrite)
      #expect(try log.writer(.trainer, exclusive: true).epoch == 4)
      for (key, value) in written.state { #expect(try log.state(key, role: .trainer) == value) }
      try expectError(.invalid) { _ = try TopicMaintenance(folder: written.path).backup(to: copy) }
    }
  }

  @Test func damageIsNotCopied() throws {
    try withFolder { folder in
      let written = try MaintainedFolder(folder + "/source", rounds: 20, seed: 10)
      let file = URL(filePath: written.dataFile(of: .scorer))
      var bytes = try Data(contentsOf: file)
      for index in bytes.indices.dropFirst(8192) where index % 4096 < 100 { bytes[index] = 0 }
      try bytes.write(to: file)
      let copy = folder + "/copy"
      try expectError(.corrupt) { _ = try TopicMaintenance(folder: written.path).backup(to: copy) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: copy) == [])
    }
  }

  /// Another process appends an event, then decides it and commits the position; the copy holds
  /// every role as of one moment between two commits.
  @Test func aBackupOfAFolderInUseIsOneMoment() throws {
    try withFolder { folder in
      let source = folder + "/source"
      let peer = try Peer("relay", source)
      #expect(peer.line() == "relaying")
      var last: UInt64 = 0
      for round in 0..<20 {
        let copy = "\(folder)/\(round)"
        _ = try TopicMaintenance(folder: source).backup(to: copy)
        let report = try TopicMaintenance(folder: copy).verify()
        #expect(report.findings == [])
        #expect(try TopicMaintenance(folder: source).verify().findings == [])
        let events = try #require(report.roles[0].partitions.first).endOffset
        let decisions = try #require(report.roles[1].partitions.first).endOffset
        let position = try #require(report.roles[1].positions.first).offset
        #expect(position == decisions)
        #expect(position <= events && events <= position + 1)
        #expect(events >= last)
        last = events
      }
      peer.killNow()
      _ = peer.wait()
    }
  }
}
