import StateCoding

extension WindowMemory {
  /// A piece a shard of each kind of entity, then one a shard of labelled events.
  var pieceCount: Int { (plan.groups.count + (plan.usesLabels ? 1 : 0)) * Self.shardCount }

  func encodePiece(_ number: Int) -> [UInt8] {
    let (kind, shard) = number.quotientAndRemainder(dividingBy: Self.shardCount)
    var writer = StateWriter()
    if kind < plan.groups.count {
      writer.write(shards[kind][shard].encode(plan.groups[kind].layout.shape))
    } else {
      writer.write(labelled[shard].encode())
    }
    return writer.bytes
  }

  mutating func restorePiece(_ number: Int, _ bytes: [UInt8]) throws(StateError) {
    let (kind, shard) = number.quotientAndRemainder(dividingBy: Self.shardCount)
    var reader = StateReader(bytes)
    let words = try reader.readArray(of: UInt64.self)
    try reader.finish()
    if kind < plan.groups.count {
      guard let restored = EntityShard(words, layout: plan.groups[kind].layout.shape) else {
        throw .invalid("window of an entity")
      }
      counts[kind] += restored.count - shards[kind][shard].count
      shards[kind][shard] = restored
    } else {
      guard let restored = LabelledEvents(words, groups: plan.groups.count) else {
        throw .invalid("list of events without a label")
      }
      labelled[shard] = restored
    }
  }

  func encodeOwn(into writer: inout StateWriter) {
    writer.write(events)
    for field in Counters.fields { writer.write(counters[keyPath: field]) }
    writer.write(UInt64(early.count))
    for (hash, label) in early.sorted(by: { $0.key < $1.key }) {
      writer.write(hash)
      writer.write(label.state)
      writer.write(label.time)
    }
  }

  mutating func restoreOwn(from reader: inout StateReader) throws(StateError) {
    events = try reader.read()
    for field in Counters.fields { counters[keyPath: field] = try reader.read() }
    early = [:]
    for _ in 0..<(try reader.readCount(limit: reader.remaining / 24)) {
      let hash: UInt64 = try reader.read()
      let state: UInt64 = try reader.read()
      guard (1...2).contains(state) else { throw .invalid("label") }
      early[hash] = EarlyLabel(state: state, time: try reader.read())
    }
  }
}
