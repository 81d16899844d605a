import Foundation
import Testing
import Topics

@Suite("Verifying a folder") struct VerifyTests {
  @Test(arguments: [1, 7, 60, 400]) func aSoundFolderIsSound(rounds: Int) throws {
    try withFolder { folder in
      let seed = UInt64.random(in: 0 ... .max)
      let written = try MaintainedFolder(folder, rounds: rounds, seed: seed)
      var seen = 0
      let report = try TopicMaintenance(folder: folder).verify(check: { _, _, _ in
        seen += 1
        return nil
      })
      #expect(report.findings == [], "seed \(seed)")
      #expect(report.unpinned == [])
      #expect(report.roles.map(\.role) == MaintainedFolder.roles)
      #expect(seen == written.records.values.reduce(0) { $0 + $1.count })
      for role in report.roles {
        for partition in role.partitions {
          let records = written.records[.init(role: role.role, partition: partition.partition)]
          #expect(partition.records == records?.count)
          #expect(partition.endOffset == UInt64(records?.count ?? 0))
        }
        #expect(role.forgottenPages == 0)
      }
      #expect(report.roles.map(\.epoch) == [0, 1, 3])
      #expect(report.roles[1].positions.map(\.offset) == [written.position])
      #expect(report.roles[2].stateKeys == written.state.keys.sorted())
    }
  }

  /// Another process appends an event, then decides it and commits the position.
  @Test func aFolderInUseHoldsWhatItsReadersHaveRead() throws {
    try withFolder { folder in
      let peer = try Peer("relay", folder)
      #expect(peer.line() == "relaying")
      var last: UInt64 = 0
      for _ in 0..<100 {
        let report = try TopicMaintenance(folder: folder).verify(gather: { roles in
          var evidence = TopicMaintenance.Evidence()
          for position in roles.flatMap(\.positions) {
            evidence.ends[.producers, default: [:]][position.partition] = position.offset
            #expect(position.offset >= last)
            last = position.offset
          }
          return evidence
        })
        #expect(report.findings == [])
      }
      peer.killNow()
      _ = peer.wait()
      #expect(last > 0)
    }
  }

  /// A role's file with one bit flipped, at every kind of place.
  @Test func everyFlippedBitThatMattersIsFound() throws {
    try withFolder { folder in
      let seed = UInt64.random(in: 0 ... .max)
      let written = try MaintainedFolder(folder, rounds: 60, seed: seed)
      for role in MaintainedFolder.roles {
        let sound = [UInt8](try Data(contentsOf: URL(filePath: written.dataFile(of: role))))
        let expected = TopicMaintenance.verifyDataFile(bytes: sound, role: role)
        #expect(expected.findings == [])
        var generator = SeededGenerator(seed: seed)
        var found = 0
        for _ in 0..<400 {
          var bytes = sound
          let place = Int.random(in: 0..<bytes.count, using: &generator)
          let bit = Int.random(in: 0..<8, using: &generator)
          bytes[place] ^= 1 << bit
          let report = TopicMaintenance.verifyDataFile(bytes: bytes, role: role)
          if !report.findings.isEmpty {
            found += 1
            continue
          }
          let comment = "seed \(seed) \(role) byte \(place) bit \(bit)"
          #expect(report.positions == expected.positions, "\(comment)")
          #expect(report.stateKeys == expected.stateKeys, "\(comment)")
          #expect(report.epoch == expected.epoch, "\(comment)")
          for (one, other) in zip(report.partitions, expected.partitions) {
            #expect(one.partition == other.partition, "\(comment)")
            #expect(one.endOffset == other.endOffset, "\(comment)")
            #expect(one.records == other.records, "\(comment)")
          }
        }
        #expect(found > 50)
      }
    }
  }

  @Test func arbitraryBytesDoNoHarm() throws {
    try withFolder { folder in
      let seed = UInt64.random(in: 0 ... .max)
      let written = try MaintainedFolder(folder, rounds: 30, seed: seed)
      let sound = [UInt8](try Data(contentsOf: URL(filePath: written.dataFile(of: .scorer))))
      var generator = SeededGenerator(seed: seed)
      for size in [0, 1, 4095, 4096, 8191, 8192, 8193, sound.count / 2, sound.count - 1] {
        let report = TopicMaintenance.verifyDataFile(bytes: [UInt8](sound[..<size]))
        #expect(!report.findings.isEmpty, "seed \(seed) size \(size)")
      }
      for _ in 0..<300 {
        var bytes = sound
        for _ in 0..<Int.random(in: 1...60, using: &generator) {
          let place = Int.random(in: 0..<bytes.count, using: &generator)
          // Where the numbers are that lead on.
          let start = Bool.random(using: &generator) ? place : place / 4096 * 4096 + place % 32
          bytes[start] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator)!
        }
        _ = TopicMaintenance.verifyDataFile(bytes: bytes, role: .scorer)
      }
    }
  }
}
