import Features
import Topics

extension RecentIdentifiers {
  /// The identifiers of the events scored last, which must not be scored again.
  ///
  /// Both topics tell of an event. Decisions are many times as large, and read only where scored
  /// blocks that would have told are gone.
  /// - Throws: `TopicError`, or `FormatError` for what is no scored block.
  init(capacity: Int, scored: any TopicReader, decisions: any TopicReader) throws {
    self.init(capacity: capacity)
    guard capacity > 0 else { return }
    let isWhole = try insert(scored: scored)
    let (start, end) = try (decisions.startOffset(), decisions.endOffset())
    let first = max(start, end - min(UInt64(capacity), end))
    if !isWhole || UInt64(count) < end - first { try insert(decisions, from: first, to: end) }
  }

  /// How many events a block has is only known by reading it, so pieces of the topic are read from
  /// its end backwards until there are enough.
  /// - Returns: whether no record is missing in between.
  private mutating func insert(scored: any TopicReader) throws -> Bool {
    let (start, behind) = try (scored.startOffset(), scored.endOffset())
    var from = behind
    var records: UInt64 = 0
    var pieces: [[UInt64]] = []
    var events = 0
    while from > start, events < capacity {
      let end = from
      from -= min(1024, from - start)
      var piece: [UInt64] = []
      _ = try scored.read(from: from, limit: Int(end - from)) { record in
        // Where records were lost, what follows is read in the piece after it.
        guard record.offset < end else { return false }
        records += 1
        try ScoredBlock.forEachIdentifier(in: record.value) { piece.append(Self.hash($0)) }
        return true
      }
      events += piece.count
      pieces.append(piece)
    }
    for hash in pieces.reversed().joined() { _ = insert(hash: hash) }
    return records == behind - from
  }

  private mutating func insert(
    _ decisions: any TopicReader, from: UInt64, to end: UInt64
  ) throws {
    guard from < end else { return }
    _ = try decisions.read(from: from, limit: Int(end - from)) { record in
      if let id = record.key { _ = insert(hash: Self.hash(id)) }
      return true
    }
  }
}
