import Foundation
import Testing
import Topics

/// A folder with three roles, written at random, and what was written.
struct MaintainedFolder {
  struct Place: Hashable {
    let role: WriterRole
    let partition: TopicPartition
  }

  static let events = TopicPartition("events")
  static let labels = TopicPartition("labels", partition: 3)
  static let scored = TopicPartition("scored")
  static let decisions = TopicPartition("decisions")
  static let models = TopicPartition("models")

  private(set) var path: String
  private(set) var records: [Place: [Copied]] = [:]
  private(set) var position: UInt64 = 0
  private(set) var state: [String: [UInt8]] = [:]

  /// Writes batches of all sizes: many small ones that share a page, and some of many pages.
  init(_ path: String, rounds: Int, seed: UInt64) throws {
    self.path = path
    var generator = SeededGenerator(seed: seed)
    let log = try EmbeddedLog(folder: path, access: .readWrite)
    let producer = try log.writer(.producers, exclusive: false)
    let scorer = try log.writer(.scorer, exclusive: true)
    // The third to become the trainer.
    for _ in 0..<2 { _ = try log.writer(.trainer, exclusive: true) }
    let trainer = try log.writer(.trainer, exclusive: true)
    for round in 0..<rounds {
      try append(to: [Self.events], of: producer, &generator)
      if round % 3 == 0 { try append(to: [Self.labels], of: producer, &generator) }
      let end = UInt64(records[Place(role: .producers, partition: Self.events)]!.count)
      try append(to: [Self.scored, Self.decisions], of: scorer, &generator) {
        try $0.commit(position: end, of: Self.events, group: "scorer")
      }
      position = end
      if round % 4 == 0 {
        let key = "model/\(Int.random(in: 0..<5, using: &generator))"
        let value = bytes(Int.random(in: 0..<20_000, using: &generator), &generator)
        state[key] = value
        try append(to: [Self.models], of: trainer, &generator) {
          try $0.put(state: value, for: key)
        }
      }
    }
  }

  private func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  private mutating func append(
    to partitions: [TopicPartition], of writer: any TopicWriter,
    _ generator: inout SeededGenerator, more: (any TopicTransaction) throws -> Void = { _ in }
  ) throws {
    var batches: [(TopicPartition, RecordBatch)] = []
    for partition in partitions {
      var batch = RecordBatch()
      let place = Place(role: writer.role, partition: partition)
      let isLarge = Int.random(in: 0..<8, using: &generator) == 0
      for _ in 0..<Int.random(in: 1...(isLarge ? 40 : 4), using: &generator) {
        let value = bytes(Int.random(in: 0...(isLarge ? 600 : 60), using: &generator), &generator)
        let key = Bool.random(using: &generator) ? bytes(5, &generator) : nil
        let time = Int64.random(in: 0..<1_000_000, using: &generator)
        batch.append(key: key, value: value, timestamp: time)
        let offset = UInt64(records[place, default: []].count)
        records[place, default: []].append(Copied(offset, time, key, value))
      }
      batches.append((partition, batch))
    }
    try writer.transact { transaction in
      for (partition, batch) in batches { _ = try transaction.append(batch, to: partition) }
      try more(transaction)
    }
  }

  /// The same in another place.
  func at(_ path: String) -> MaintainedFolder {
    var other = self
    other.path = path
    return other
  }

  func dataFile(of role: WriterRole) -> String { "\(path)/\(role)/data.mdb" }

  static let roles: [WriterRole] = [.producers, .scorer, .trainer]

  /// Reads all there is and compares it: each record that is given is as it was written, and those
  /// that are missing lie in the ranges named.
  func check(
    losses: [TopicFinding], _ comment: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let log = try EmbeddedLog(folder: path, access: .readOnly)
    for (place, written) in records {
      let reader = try log.reader(place.partition, of: place.role)
      var found = [Copied?](repeating: nil, count: written.count)
      let start = try reader.startOffset()
      _ = try reader.read(from: start, limit: .max) { record in
        guard record.offset < UInt64(written.count) else {
          Issue.record("\(comment): \(place) has \(record.offset)", sourceLocation: sourceLocation)
          return false
        }
        found[Int(record.offset)] = Copied(record)
        return true
      }
      for (offset, record) in written.enumerated() where found[offset] != record {
        let isNamed = losses.contains {
          $0.role == place.role && $0.firstOffset ?? 0 <= UInt64(offset)
            && $0.endOffset ?? .max > UInt64(offset)
            && ($0.partition == place.partition || $0.partition == nil && $0.key == nil)
        }
        #expect(
          found[offset] == nil && isNamed,
          "\(comment): \(place.role) \(place.partition) \(offset) \(losses)",
          sourceLocation: sourceLocation)
        if found[offset] != nil || !isNamed { return }
      }
    }
  }
}
