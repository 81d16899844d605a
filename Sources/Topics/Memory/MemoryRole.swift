/// What one role has written.
final class MemoryRole: Sendable {
  let role: WriterRole
  /// Held over a whole transaction; the content is locked only for moments.
  let lock = TransactionLock()
  private let content = Locked(Content())

  struct Content {
    var epoch: UInt64 = 0
    var partitions: [TopicPartition: MemoryPartition] = [:]
    var positions: [MemoryPositionKey: UInt64] = [:]
    /// Under the key's UTF-8 bytes: strings of different bytes may compare equal, LMDB's keys not.
    var state: [[UInt8]: [UInt8]] = [:]
  }

  init(_ role: WriterRole) { self.role = role }

  var epoch: UInt64 { content.withLock { $0.epoch } }

  func raiseEpoch() -> UInt64 {
    content.withLock { content in
      content.epoch += 1
      return content.epoch
    }
  }

  func position(_ key: MemoryPositionKey) -> UInt64? { content.withLock { $0.positions[key] } }

  func state(_ key: [UInt8]) -> [UInt8]? { content.withLock { $0.state[key] } }

  func stateKeys(prefix: [UInt8]) -> [String] {
    let keys = content.withLock { content in content.state.keys.filter { $0.starts(with: prefix) } }
    return keys.sorted { $0.lexicographicallyPrecedes($1) }.map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  func end(of partition: TopicPartition) -> (offset: UInt64, maximumTimestamp: Int64) {
    content.withLock { content in
      let last = content.partitions[partition]?.batches.last
      return (last?.endOffset ?? 0, last?.maximumTimestamp ?? .min)
    }
  }

  func start(of partition: TopicPartition) -> UInt64 {
    content.withLock { $0.partitions[partition]?.batches.first?.baseOffset ?? 0 }
  }

  /// The batches of a partition, oldest first.
  func batches(of partition: TopicPartition) -> [MemoryBatch] {
    content.withLock { $0.partitions[partition]?.batches ?? [] }
  }

  /// The first batch that begins at an offset or later, nil if none does.
  func batch(from offset: UInt64, of partition: TopicPartition) -> MemoryBatch? {
    content.withLock { content in
      guard let batches = content.partitions[partition]?.batches else { return nil }
      let index = batches.firstIndex(passing: { $0.baseOffset >= offset })
      return index < batches.count ? batches[index] : nil
    }
  }

  /// The batch that holds an offset, or the first if that begins later; nil past the end.
  func batch(holding offset: UInt64, of partition: TopicPartition) -> MemoryBatch? {
    content.withLock { content in
      guard let batches = content.partitions[partition]?.batches else { return nil }
      let index = batches.firstIndex(passing: { $0.endOffset > offset })
      return index < batches.count ? batches[index] : nil
    }
  }

  /// The first batch whose running maximum is `time` or later, nil if there is none.
  func batch(reaching time: Int64, of partition: TopicPartition) -> MemoryBatch? {
    content.withLock { content in
      guard let batches = content.partitions[partition]?.batches else { return nil }
      let index = batches.firstIndex(passing: { $0.maximumTimestamp >= time })
      return index < batches.count ? batches[index] : nil
    }
  }

  /// Makes a transaction's writes visible, all at once.
  func apply(_ changes: MemoryChanges) {
    content.withLock { content in
      for (partition, batches) in changes.appended {
        content.partitions[partition, default: MemoryPartition()].batches += batches
      }
      for (partition, start) in changes.starts {
        let batches = content.partitions[partition]!.batches
        let kept = batches.firstIndex(passing: { $0.baseOffset >= start })
        content.partitions[partition]!.batches.removeFirst(kept)
      }
      content.positions.merge(changes.positions) { $1 }
      for (key, value) in changes.state { content.state[key] = value }
    }
  }

  func describe() -> [TopicDescription] {
    let partitions = content.withLock { $0.partitions }
    return partitions.map { partition, stored in
      let first = stored.batches.first!
      let last = stored.batches.last!
      return TopicDescription(
        partition: partition, role: role, startOffset: first.baseOffset,
        endOffset: last.endOffset, firstTimestamp: first.firstTimestamp,
        lastTimestamp: last.lastTimestamp, maximumTimestamp: last.maximumTimestamp,
        bytes: stored.batches.reduce(0) { $0 + $1.byteCount })
    }.sorted {
      ($0.partition.topic, $0.partition.partition) < ($1.partition.topic, $1.partition.partition)
    }
  }
}

/// The batches of a partition, in order; never without one once it is stored.
struct MemoryPartition {
  var batches: [MemoryBatch] = []
}

/// A stored batch.
struct MemoryBatch {
  let records: RecordBatch
  let baseOffset: UInt64
  /// The greatest timestamp in this batch and all before it.
  let maximumTimestamp: Int64

  var endOffset: UInt64 { baseOffset + UInt64(records.count) }
  var byteCount: Int { BatchFormat.headerSize + records.byteCount }

  var firstTimestamp: Int64? {
    records.withRecords { bytes in
      var cursor = RecordCursor(bytes)
      return cursor.next()?.timestamp
    }
  }

  var lastTimestamp: Int64? {
    records.withRecords { bytes in
      var cursor = RecordCursor(bytes)
      var last: Int64?
      while let record = cursor.next() { last = record.timestamp }
      return last
    }
  }
}

/// What a position is kept under.
struct MemoryPositionKey: Hashable {
  let group: [UInt8]
  let partition: TopicPartition

  init(group: String, partition: TopicPartition) {
    self.group = Array(group.utf8)
    self.partition = partition
  }
}

/// What a transaction has written so far. A nil state value is a removal.
struct MemoryChanges {
  var appended: [TopicPartition: [MemoryBatch]] = [:]
  /// Where partitions begin that were trimmed.
  var starts: [TopicPartition: UInt64] = [:]
  var positions: [MemoryPositionKey: UInt64] = [:]
  var state: [[UInt8]: [UInt8]?] = [:]

  var isEmpty: Bool { appended.isEmpty && starts.isEmpty && positions.isEmpty && state.isEmpty }
}

extension Array {
  /// The first index whose element passes, the count if none does; those that pass come last.
  func firstIndex(passing passes: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if passes(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
