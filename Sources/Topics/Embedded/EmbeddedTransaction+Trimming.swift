extension EmbeddedTransaction {
  /// The most damaged batches that are stepped over in search of a sound one.
  private static let mostDamaged = 10_000

  @discardableResult
  func trim(_ partition: TopicPartition, before offset: UInt64, limit: Int) throws(TopicError)
    -> UInt64
  {
    try withBatches(of: partition) { (database, tag, cursor) throws(TopicError) in
      try trim(database, cursor, before: offset, limit: limit)
    }
  }

  @discardableResult
  func retain(
    _ partition: TopicPartition, by retention: Retention, keepingFrom: UInt64?, now: Int64,
    limit: Int
  ) throws(TopicError) -> UInt64 {
    try withBatches(of: partition) { (database, tag, cursor) throws(TopicError) in
      var newest: [(base: Int64, maximum: Int64)] = []
      var entry = try cursor.last()
      var others = 0
      while let batch = entry, newest.count < RetentionRule.newestBatches,
        others < Self.mostDamaged
      {
        if let header = soundHeader(of: batch, tag), !header.isGap {
          newest.append((header.baseTimestamp, header.maximumTimestamp))
        } else {
          others += 1
        }
        entry = try cursor.previous()
      }
      var rule = RetentionRule(
        retention, newest: newest, bytes: try byteCount(of: database), keepingFrom: keepingFrom,
        now: now)
      entry = try cursor.first()
      var goal = entry?.integerKey ?? 0
      var toRemove = 0
      var unknown = 0
      // Those that cannot be told from themselves do not count, or they would stand there for ever.
      look: while toRemove < limit, unknown < Self.mostDamaged {
        guard let batch = entry, let following = try cursor.next() else { break }
        let verdict = rule.verdict(
          end: following.integerKey, bytes: Self.storedSize(of: batch.value),
          runningMaximum: soundHeader(of: batch, tag)?.maximumTimestamp
        ) {
          RetentionRule.maximumTimestamp(of: BatchFormat.records(of: batch.value))
        }
        switch verdict {
        case .remove:
          goal = following.integerKey
          toRemove += 1
        case .unknown: unknown += 1
        case .keep: break look
        }
        entry = following
      }
      return try trim(database, cursor, before: goal, limit: limit)
    }
  }

  private func trim(
    _ database: LMDBDatabase, _ cursor: LMDBCursor, before offset: UInt64, limit: Int
  ) throws(TopicError) -> UInt64 {
    var removed = 0
    while let first = try cursor.first()?.integerKey {
      // The next batch's place rather than this one's header says where this one ends.
      guard removed < limit, let next = try cursor.next()?.integerKey, next <= offset else {
        return first
      }
      try remove(LMDBKey(first), from: database)
      removed += 1
    }
    return 0
  }

  private func soundHeader(of batch: LMDBEntry, _ tag: UInt32) -> BatchHeader? {
    try? BatchFormat.header(of: batch.value, at: batch.integerKey, tag: tag)
  }

  /// What a batch takes of the partition's pages: LMDB gives a value of more than half a page pages
  /// of its own, with a header.
  private static func storedSize(of value: UnsafeRawBufferPointer) -> Int {
    let page = 4096
    return value.count < page / 2 ? value.count : (value.count + 16 + page - 1) / page * page
  }
}
