import Glibc
import Topics

/// The data file of a topic: verified, repaired, read and written to, however damaged. Every record,
/// position and state value that is given out has to be one that was written, and after the repair
/// nothing may be damaged and no record that was sound before may be missing.
public struct TopicFileTarget: FuzzTarget {
  /// As the command line names it.
  public static let name = "topic-file"
  /// Sound inputs to start from.
  public let seeds: [[UInt8]]
  /// Pieces that inputs are made of.
  public let tokens: [[UInt8]] = [
    Array("WBAT".utf8), Array("topic/events/0".utf8), [0xde, 0xc0, 0xef, 0xbe], [0, 0, 0, 0],
  ]
  /// Room for the whole file.
  public var longest: Int { 1 << 20 }

  private let folder: TemporaryFolder
  private let written: [TopicPartition: [UInt64: [UInt8]]]
  /// Where the seed has the numbers of its trees' first pages, now and as they were once.
  private let roots: [Int]

  private static let rounds = 24
  private static let groups = 3
  private static let stateKeys = 5
  private static let page = 4096
  private static let events = TopicPartition("events")
  private static let labels = TopicPartition("labels")
  private static let dataFile = "/topics/producers/data.mdb"

  /// A data file with two topics, positions and state, in small and large batches.
  public init() throws {
    folder = try TemporaryFolder()
    var written: [TopicPartition: [UInt64: [UInt8]]] = [:]
    do {
      let log = try EmbeddedLog(folder: folder.path + "/topics", access: .readWrite)
      let writer = try log.writer(.producers, exclusive: false)
      var offsets: [TopicPartition: UInt64] = [:]
      for round in 0..<Self.rounds {
        for (partition, count) in [(Self.events, 1 + round * round % 37), (Self.labels, 2)] {
          var batch = RecordBatch()
          for record in 0..<count {
            let length = round == 11 ? 3_000 : 20 + record % 50
            let value = Array("\(partition) \(round) \(record) ".utf8)
            let padded = value + [UInt8](repeating: UInt8(round), count: length)
            batch.append(key: Array("\(record)".utf8), value: padded, timestamp: Int64(round))
            let offset = offsets[partition, default: 0]
            written[partition, default: [:]][offset] = padded
            offsets[partition] = offset + 1
          }
          try writer.transact { transaction in
            try transaction.append(batch, to: partition)
            try transaction.commit(
              position: UInt64(round), of: Self.events, group: "reader \(round % Self.groups)")
            try transaction.put(
              state: [UInt8](repeating: 7, count: round * 300),
              for: "state \(round % Self.stateKeys)")
          }
        }
      }
    }
    self.written = written
    let seed = try folder.read(Self.dataFile)
    seeds = [seed]
    roots = ["meta", "positions", "state", "topic/events/0", "topic/labels/0"].flatMap { name in
      let name = Array(name.utf8)
      return (8..<seed.count - name.count - 48).filter { place in
        seed[place] == name[0] && seed[place..<place + name.count].elementsEqual(name)
          // The size of the key, and that it names a tree.
          && seed[place - 2] == UInt8(name.count) && seed[place - 4] == 2
      }.map { $0 + name.count + 40 }
    }
  }

  /// Reads an input and checks what came of it.
  public mutating func read(_ input: [UInt8]) throws -> String {
    folder.removeAll(in: "/topics/producers")
    try folder.write(input, to: Self.dataFile)
    let maintenance = TopicMaintenance(folder: folder.path + "/topics")
    let written = written
    // A record that was not written; a check has no other way to say so.
    var stranger: String?
    let check: TopicMaintenance.RecordCheck = { _, partition, record in
      let expected = written[partition]?[record.offset] ?? []
      if !record.value.elementsEqual(expected) {
        stranger = "offset \(record.offset) of \(partition) was not written like this"
      }
      return nil
    }
    let report: TopicMaintenance.Report
    let repaired: TopicMaintenance.RepairReport
    do {
      report = try maintenance.verify(check: check)
      repaired = try maintenance.repair(check: check)
    } catch {
      throw Finding("refused: \(error)")
    }
    if let stranger { throw Finding(stranger) }
    let after = try maintenance.verify(check: check)
    try Finding.unless(
      after.findings.isEmpty, "after the repair: " + (after.findings.first?.description ?? ""))
    let records = try readAll()
    try readValues(after.roles)
    let sound = report.roles.flatMap(\.partitions).reduce(0) { $0 + $1.records }
    try Finding.unless(
      records >= sound, "\(sound) records were sound, \(records) are there after the repair")
    let reasons = Set(report.findings.map { String($0.reason.filter { !$0.isNumber }.prefix(24)) })
    let lost = repaired.lost.isEmpty ? "nothing lost" : "lost"
    return "\(reasons.sorted().joined(separator: ";")) \(lost) of \(records / 100)"
  }

  /// Reads the repaired file as a service would; gives the number of records.
  private func readAll() throws -> Int {
    let log = try EmbeddedLog(folder: folder.path + "/topics", access: .readOnly)
    var count = 0
    for description in try log.describe() {
      let reader = try log.reader(description.partition, of: description.role)
      _ = try reader.read(from: reader.startOffset(), limit: .max) { record in
        let expected = written[description.partition]?[record.offset] ?? []
        try Finding.unless(
          record.value.elementsEqual(expected),
          "after the repair, offset \(record.offset) was not written like this")
        count += 1
        return true
      }
    }
    return count
  }

  /// Looks at all positions and state values of the repaired file, and whether it can be written to.
  private func readValues(_ roles: [RoleReport]) throws {
    for position in roles.flatMap(\.positions) {
      let group = (0..<Self.groups).first { position.group == "reader \($0)" }
      try Finding.unless(
        position.partition == Self.events && position.offset < UInt64(Self.rounds)
          && group.map { Int(position.offset) % Self.groups == $0 } ?? false,
        "after the repair, there is \(position)")
    }
    let log = try EmbeddedLog(folder: folder.path + "/topics", access: .readWrite)
    // A checksum covers a value and its key, but not which database they are of: what describes the
    // role may pass for its state.
    for key in try log.stateKeys(prefix: "", role: .producers)
    where !["format", "role", "epoch"].contains(key) {
      let value = try log.state(key, role: .producers) ?? []
      let round = value.count / 300
      try Finding.unless(
        value == [UInt8](repeating: 7, count: round * 300) && round < Self.rounds
          && key == "state \(round % Self.stateKeys)",
        "after the repair, '\(key)' has \(value.count) bytes that were not written like this")
    }
    let end = try log.reader(Self.events, of: .producers).endOffset()
    var batch = RecordBatch()
    batch.append(key: nil, value: [], timestamp: 0)
    let offset = try log.writer(.producers, exclusive: true).transact { transaction in
      try transaction.append(batch, to: Self.events)
    }
    try Finding.unless(offset == end, "after the repair, \(offset) follows \(end)")
  }

  /// Mostly damage as disks do it: bits and pages, everything else in its place.
  public func mend(_ input: [UInt8], random mutator: inout Mutator) -> [UInt8] {
    guard mutator.random.below(8) > 0 else { return input }
    var bytes = seeds[0]
    let pages = bytes.count / Self.page
    for _ in 0..<(1 << mutator.random.below(4)) {
      let page = mutator.random.below(pages) * Self.page
      let at = page + mutator.random.below(mutator.random.below(2) == 0 ? 64 : Self.page)
      switch mutator.random.below(9) {
      case 8:
        // A tree leads elsewhere.
        bytes[roots[mutator.random.below(roots.count)]] = UInt8(mutator.random.below(pages))
      case 0...3: bytes[at] ^= 1 << UInt8(mutator.random.below(8))
      case 4: bytes[at] = UInt8(mutator.random.below(256))
      case 5:
        bytes.replaceSubrange(
          page..<page + Self.page, with: repeatElement(0, count: Self.page))
      case 6:
        let other = mutator.random.below(pages) * Self.page
        bytes.replaceSubrange(page..<page + Self.page, with: bytes[other..<other + Self.page])
      default:
        if mutator.random.below(8) == 0 { return Array(bytes[..<at]) }
      }
    }
    return bytes
  }
}
