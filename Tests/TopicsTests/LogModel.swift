import Topics

/// What a role of a log holds, in the plainest form there is.
struct LogModel: Equatable {
  struct Record: Equatable {
    var offset: UInt64
    var timestamp: Int64
    var value: [UInt8]
  }

  /// A partition's batches; their first offsets follow from the start.
  struct Partition: Equatable {
    var batches: [[Record]] = []

    var records: [Record] { batches.flatMap { $0 } }
    var start: UInt64 { batches.first?.first?.offset ?? 0 }
    var end: UInt64 { batches.last?.last.map { $0.offset + 1 } ?? 0 }

    mutating func append(_ records: [(timestamp: Int64, value: [UInt8])]) {
      let end = end
      batches.append(
        records.enumerated().map {
          Record(offset: end + UInt64($0), timestamp: $1.timestamp, value: $1.value)
        })
    }

    mutating func trim(before offset: UInt64, limit: Int) {
      for _ in 0..<limit {
        guard batches.count > 1, batches[0].last!.offset < offset else { return }
        batches.removeFirst()
      }
    }
  }

  var epoch: UInt64 = 0
  var partitions: [TopicPartition: Partition] = [:]
  var positions: [String: UInt64] = [:]
  var state: [String: [UInt8]] = [:]

  static let source = TopicPartition("source")

  /// What the log holds, for the partitions and groups of this model.
  func asFound(in log: any TopicLog, role: WriterRole) throws -> LogModel {
    var found = LogModel(epoch: epoch)
    for description in try log.describe() where description.role == role {
      let reader = try log.reader(description.partition, of: role)
      var partition = Partition()
      var base = try reader.startOffset()
      let end = try reader.endOffset()
      while base < end {
        // Batch by batch, so that where they begin and end is compared as well.
        let next = try reader.nextBatch(after: base) ?? end
        var records: [Record] = []
        let reached = try reader.read(from: base, limit: Int(next - base)) {
          records.append(
            Record(offset: $0.offset, timestamp: $0.timestamp, value: [UInt8]($0.value)))
          return true
        }
        guard reached == next else { break }
        partition.batches.append(records)
        base = next
      }
      found.partitions[description.partition] = partition
    }
    for group in LogOperation.groups {
      found.positions[group] = try log.position(of: Self.source, group: group, role: role)
    }
    for key in try log.stateKeys(prefix: "", role: role) {
      found.state[key] = try log.state(key, role: role)
    }
    return found
  }
}

/// One step of a transaction.
enum LogOperation {
  case append([(timestamp: Int64, value: [UInt8])], TopicPartition)
  case commit(UInt64, group: String)
  case put([UInt8], String)
  case remove(String)
  case trim(TopicPartition, before: UInt64, limit: Int)

  static let groups = ["g", "h"]
  private static let keys = ["a", "b/1", "b/2"]
  private static let partitions = [
    TopicPartition("x"), TopicPartition("x", partition: 1), TopicPartition("y"),
  ]

  static func random(
    after model: LogModel, using generator: inout some RandomNumberGenerator
  ) -> LogOperation {
    func size(_ generator: inout some RandomNumberGenerator) -> Int {
      // Mostly small; sometimes enough for pages of its own.
      Int.random(in: 0...9, using: &generator) == 0
        ? Int.random(in: 0...30_000, using: &generator)
        : Int.random(in: 0...300, using: &generator)
    }
    let partition = partitions.randomElement(using: &generator)!
    switch Int.random(in: 0...9, using: &generator) {
    case 0...3:
      let records = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
        let byte = UInt8.random(in: 0...255, using: &generator)
        return (
          timestamp: Int64.random(in: -50...50, using: &generator),
          value: [UInt8](repeating: byte, count: size(&generator))
        )
      }
      return .append(records, partition)
    case 4:
      return .commit(
        .random(in: 0 ... .max, using: &generator), group: groups.randomElement(using: &generator)!)
    case 5, 6:
      let byte = UInt8.random(in: 0...255, using: &generator)
      return .put(
        [UInt8](repeating: byte, count: size(&generator)), keys.randomElement(using: &generator)!)
    case 7: return .remove(keys.randomElement(using: &generator)!)
    default:
      let stored = model.partitions[partition] ?? LogModel.Partition()
      return .trim(
        partition, before: .random(in: stored.start...stored.end + 3, using: &generator),
        limit: .random(in: 0...9, using: &generator))
    }
  }

  func apply(to model: inout LogModel) {
    switch self {
    case .append(let records, let partition):
      model.partitions[partition, default: LogModel.Partition()].append(records)
    case .commit(let position, let group): model.positions[group] = position
    case .put(let value, let key): model.state[key] = value
    case .remove(let key): model.state[key] = nil
    case .trim(let partition, let offset, let limit):
      model.partitions[partition]?.trim(before: offset, limit: limit)
    }
  }

  func apply(to transaction: any TopicTransaction) throws {
    switch self {
    case .append(let records, let partition):
      var batch = RecordBatch()
      for record in records {
        batch.append(key: nil, value: record.value, timestamp: record.timestamp)
      }
      try transaction.append(batch, to: partition)
    case .commit(let position, let group):
      try transaction.commit(position: position, of: LogModel.source, group: group)
    case .put(let value, let key): try transaction.put(state: value, for: key)
    case .remove(let key): try transaction.removeState(key)
    case .trim(let partition, let offset, let limit):
      try transaction.trim(partition, before: offset, limit: limit)
    }
  }
}
