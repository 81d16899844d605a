import Foundation
import Testing
import Topics

/// What is whole and stands where it does not belong: `verify` names it, and `repair` keeps nothing
/// that `verify` would refuse.
@Suite("Misplaced values", .timeLimit(.minutes(1))) struct MisplacedTests {
  private static let partitions = [
    TopicPartition("events"), TopicPartition("events", partition: 1), TopicPartition("labels"),
  ]
  private static let databases = [
    "meta", "positions", "state", "topic/events/0", "topic/events/1", "topic/labels/0",
  ]

  /// A role with some of everything.
  private func write(_ folder: String) throws {
    let log = try EmbeddedLog(folder: folder, access: .readWrite)
    for round in 0..<3 {
      let writer = try log.writer(.scorer, exclusive: true)
      for partition in Self.partitions {
        try writer.append(["\(partition) \(round)"], to: partition)
      }
      try writer.transact { transaction in
        for group in ["a", "b"] {
          try transaction.commit(position: UInt64(round), of: Self.partitions[0], group: group)
        }
        try transaction.put(state: [UInt8](repeating: 1, count: 9_000), for: "large")
        try transaction.put(state: [2], for: "small")
      }
    }
  }

  private func check(_ folder: String, _ comment: String) throws -> RoleReport {
    let report = try TopicMaintenance(folder: folder).verify()
    #expect(report.findings == [], "\(comment)")
    let role = try #require(report.roles.first)
    #expect(Set(role.stateKeys).isSubset(of: ["large", "small"]), "\(comment)")
    #expect(
      role.positions.allSatisfy {
        ["a", "b"].contains($0.group) && $0.partition == Self.partitions[0] && $0.offset == 2
      }, "\(comment)")
    let log = try EmbeddedLog(folder: folder, access: .readWrite)
    let writer = try log.writer(.scorer, exclusive: true)
    #expect(writer.epoch > role.epoch ?? 0, "\(comment)")
    for partition in Self.partitions {
      let texts = try log.reader(partition, of: .scorer).texts(from: 0)
      #expect(texts == (0..<3).map { "\(partition) \($0)" }, "\(comment)")
    }
    for key in try log.stateKeys(prefix: "", role: .scorer) {
      #expect(try log.state(key, role: .scorer) != nil, "\(comment)")
    }
    return role
  }

  @Test func valuesThatNoWriterPutsThereAreNamedAndNotKept() throws {
    let eight = [UInt8](repeating: 1, count: 8)
    for (database, key, value) in [
      ("positions", Array("state 0".utf8), eight), ("positions", Array("a\0events\00".utf8), [1]),
      ("positions", Array("c\0events\0+0".utf8), eight),
      ("positions", Array("c\0events\0-1".utf8), eight),
      ("positions", Array("c\0ev ents\00".utf8), eight),
      ("positions", Array("\0events\00".utf8), eight),
      ("positions", Array("c\0events\00\0".utf8), eight), ("positions", [0xff], eight),
      ("state", [UInt8](repeating: 0x61, count: 501), eight), ("state", [0xff], eight),
      ("meta", Array("epoch".utf8), [1, 2, 3]), ("meta", Array("large".utf8), eight),
      ("meta", [0xff], eight),
    ] as [(String, [UInt8], [UInt8])] {
      try withFolder { folder in
        try write(folder)
        try changeStoredValue(key, of: database, in: folder + "/scorer") { _ in
          checksum(key + value).storedBytes + value
        }
        let comment = "\(database) \(String(decoding: key, as: UTF8.self))"
        let maintenance = TopicMaintenance(folder: folder)
        let found = try maintenance.verify().findings
        #expect(found.count == 1, "\(comment): \(found)")
        #expect(found.first?.key?.hasPrefix(database + " ") == true, "\(comment)")
        let lost = try maintenance.repair().lost
        #expect(lost.contains { $0.key == found.first?.key }, "\(comment)")
        let role = try check(folder, comment)
        #expect(role.stateKeys == ["large", "small"], "\(comment)")
        let isReplaced = key == Array("a\0events\00".utf8)
        #expect(role.positions.map(\.group) == (isReplaced ? ["b"] : ["a", "b"]), "\(comment)")
      }
    }
  }

  /// A database that leads to the pages of another, for each two of them.
  @Test func treesThatLeadToTheSamePagesAreToldApart() throws {
    try withFolder { folder in
      try write(folder + "/sound")
      let sound = try Data(contentsOf: URL(filePath: folder + "/sound/scorer/data.mdb"))
      for database in Self.databases {
        for other in Self.databases where other != database {
          let copy = "\(folder)/copy"
          try FileManager.default.copyItem(atPath: folder + "/sound", toPath: copy)
          defer { try? FileManager.default.removeItem(atPath: copy) }
          var bytes = [UInt8](sound)
          let from = try #require(treePlace(of: other, in: bytes))
          let to = try #require(treePlace(of: database, in: bytes))
          bytes.replaceSubrange(to..<to + 48, with: bytes[from..<from + 48])
          try Data(bytes).write(to: URL(filePath: copy + "/scorer/data.mdb"))
          let comment = "\(database) is \(other)"
          let maintenance = TopicMaintenance(folder: copy)
          #expect(try !maintenance.verify().findings.isEmpty, "\(comment)")
          _ = try maintenance.repair()
          _ = try check(copy, comment)
        }
      }
    }
  }

  /// Where in a data file the newest record of a database's tree is.
  private func treePlace(of name: String, in bytes: [UInt8]) -> Int? {
    func number(_ place: Int, _ count: Int) -> Int {
      bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    let meta = [0, 4096].max { number($0 + 144, 8) < number($1 + 144, 8) }!
    let page = number(meta + 128, 8) * 4096
    for index in 0..<(number(page + 12, 2) - 16) / 2 {
      let node = page + number(page + 16 + 2 * index, 2)
      let key = node + 8..<node + 8 + number(node + 6, 2)
      if bytes[key].elementsEqual(name.utf8) { return key.upperBound }
    }
    return nil
  }
}
