import Features
import Topics

extension RecentIdentifiers {
  /// The identifiers of the events scored last, which must not be scored again.
  ///
  /// Both topics tell of an event: where a repair left a gap in one of them, the other still does.
  /// - Throws: `TopicError`, or `FormatError` for what is no scored block.
  init(capacity: Int, scored: any TopicReader, decisions: any TopicReader) throws {
    self.init(capacity: capacity)
    guard capacity > 0 else { return }
    try insert(scored: scored)
    try insert(decisions: decisions)
  }

  /// How many events a block has is only known by reading it, so pieces of the topic are read from
  /// its end backwards until there are enough.
  private mutating func insert(scored: any TopicReader) throws {
    let start = try scored.startOffset()
    var from = try scored.endOffset()
    var pieces: [[UInt64]] = []
    var events = 0
    while from > start, events < capacity {
      let end = from
      from -= min(1024, from - start)
      var piece: [UInt64] = []
      _ = try scored.read(from: from, limit: Int(end - from)) { record in
        // Where records were lost, what follows is read in the piece after it.
        guard record.offset < end else { return false }
        try ScoredBlock.forEachIdentifier(in: record.value) { piece.append(Self.hash($0)) }
        return true
      }
      events += piece.count
      pieces.append(piece)
    }
    for hash in pieces.reversed().joined() { _ = insert(hash: hash) }
  }

  private mutating func insert(decisions: any TopicReader) throws {
    let end = try decisions.endOffset()
    let from = try max(decisions.startOffset(), end - min(UInt64(capacity), end))
    guard from < end else { return }
    _ = try decisions.read(from: from, limit: Int(end - from)) { record in
      if let id = record.key { _ = insert(hash: Self.hash(id)) }
      return true
    }
  }
}
