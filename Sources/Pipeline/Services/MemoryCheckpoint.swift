import Features
import ModelLog
import StateCoding
import Topics

/// Saves what a scorer's features remember, a piece with each block: an image of one moment, taken
/// from a copy, so that no block waits for all of it. After a restart the newest whole image is
/// loaded, and the events and labels behind it are taken in again.
///
/// Images are written to two places in turn; a record says which one is whole and where it stands.
struct MemoryCheckpoint {
  /// Where an image stands: the first record of each topic that is not in it.
  struct Head: Equatable {
    /// 0: there is no image, all is to be taken in from those records on.
    var number: UInt64
    var events: UInt64
    /// Nil if no feature asks for labels.
    var labels: UInt64?
    var scored: UInt64
    var pieces: Int

    /// Saves the head, and from where on the topics are needed.
    func put(in transaction: any TopicTransaction) throws {
      try transaction.put(state: bytes, for: MemoryCheckpoint.headKey)
      for (position, partition) in [
        (events as UInt64?, PipelineTopics.events), (labels, PipelineTopics.labels),
        (scored, PipelineTopics.scored),
      ] {
        guard let position else { continue }
        try transaction.commit(
          position: position, of: partition, group: PipelineTopics.memoryGroup)
      }
    }

    private static let format: UInt32 = 2

    private var bytes: [UInt8] {
      var writer = StateWriter()
      writer.write(Self.format)
      for value in [number, events, labels ?? .max, scored, UInt64(pieces)] { writer.write(value) }
      return writer.bytes
    }

    init(number: UInt64, events: UInt64, labels: UInt64?, scored: UInt64, pieces: Int) {
      self.number = number
      self.events = events
      self.labels = labels
      self.scored = scored
      self.pieces = pieces
    }

    init(bytes: [UInt8]) throws {
      var reader = StateReader(bytes)
      guard try reader.read(UInt32.self) == Self.format else { throw StateError.unknownFormat }
      number = try reader.read(UInt64.self)
      events = try reader.read(UInt64.self)
      let labels = try reader.read(UInt64.self)
      self.labels = labels == .max ? nil : labels
      scored = try reader.read(UInt64.self)
      pieces = try reader.readCount(limit: 1 << 26)
      try reader.finish()
    }
  }

  /// Under which key the head is kept.
  static let headKey = "memory"
  /// An image is begun once so many events have come since the one before.
  private static let every = 50_000
  /// Bytes written with each event of a block, and at least with each block: an image of any size is
  /// whole in time, and none makes a block wait.
  private static let bytesPerEvent = 256
  private static let leastBytes = 4096

  private(set) var head: Head
  private var image: (engine: ScoringEngine, head: Head, next: Int)?
  /// Events since the moment of the newest image.
  private var sinceImage: Int

  /// - Parameter events: those that came after the image, and were taken in again.
  init(head: Head, events: Int) {
    self.head = head
    sinceImage = events
  }

  static func pieceKey(_ image: UInt64, _ piece: Int) -> String { "memory/\(image % 2)/\(piece)" }

  /// What the transaction of a block has to write: pieces, and the head once all of them are there.
  struct Share {
    fileprivate var pieces: [(key: String, bytes: [UInt8])] = []
    fileprivate var next = 0
    fileprivate var head: Head?

    func put(in transaction: any TopicTransaction) throws {
      for (key, bytes) in pieces { try transaction.put(state: bytes, for: key) }
      try head?.put(in: transaction)
    }
  }

  /// The share of a block with so many events; nothing changes before `didPut`.
  func share(events: Int) -> Share {
    guard let image else { return Share() }
    var share = Share(next: image.next)
    var budget = max(Self.leastBytes, events * Self.bytesPerEvent)
    while share.next < image.head.pieces, budget > 0 {
      let bytes = image.engine.encodePiece(share.next)
      share.pieces.append((Self.pieceKey(image.head.number, share.next), bytes))
      share.next += 1
      // What an entry of the store costs, however small it is.
      budget -= bytes.count + 64
    }
    if share.next == image.head.pieces { share.head = image.head }
    return share
  }

  /// The share of a block of so many events has been committed.
  mutating func didPut(_ share: Share, events: Int) {
    sinceImage += events
    if let head = share.head {
      self.head = head
      image = nil
    } else {
      image?.next = share.next
    }
  }

  /// Begins an image if one is due: of the engine between two blocks.
  /// - Parameter positions: of the next records; the scored block of what came last is before
  ///   `scored`.
  mutating func beginIfDue(
    _ engine: ScoringEngine, events: UInt64, labels: UInt64?, scored: UInt64
  ) {
    guard image == nil, sinceImage >= Self.every else { return }
    sinceImage = 0
    image = (
      engine,
      Head(
        number: head.number + 1, events: events, labels: labels, scored: scored,
        pieces: engine.pieceCount), 0
    )
  }
}
