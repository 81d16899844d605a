import Topics

/// Follows a partition past its damage: what cannot be read is reported and stepped over.
struct SteppingReader {
  let reader: any TopicReader
  /// Where the next record is read.
  private(set) var position: UInt64
  /// A damaged batch at the end: reading goes on behind it once something stands there.
  private var damaged: UInt64?

  init(_ reader: any TopicReader, from position: UInt64) {
    self.reader = reader
    self.position = position
  }

  /// Gives the records from the position to the end, or until `body` returns false.
  /// - Parameter damage: gets the error of each damaged batch, with its offset, and of records that
  ///   were removed before they were read.
  /// - Throws: `TopicError` for everything else that keeps the partition from being read.
  mutating func read(
    damage: (TopicError) throws -> Void, _ body: (RecordView) throws -> Bool
  ) throws {
    if let offset = damaged {
      guard let next = try reader.nextBatch(after: offset) else { return }
      damaged = nil
      position = next
    }
    while true {
      do {
        position = try reader.read(from: position, limit: .max, body)
        return
      } catch let error as TopicError where error.partition == reader.partition {
        if error.code == .corrupt, let offset = error.offset {
          try damage(error)
          position = max(position, offset)
          guard let next = try reader.nextBatch(after: position) else {
            damaged = position
            return
          }
          position = next
        } else if error.code == .offsetOutOfRange, position < (try reader.startOffset()) {
          try damage(error)
          position = try reader.startOffset()
        } else {
          throw error
        }
      }
    }
  }
}
