import Learners
import StateCoding

/// How far a file was put on the topics. It is saved with each of its batches, so that a producer
/// started again goes on behind the last one that was committed.
struct ProducerProgress: Equatable {
  /// The whole path of the file, for people who look at the state.
  var path: String
  /// From an event to its label, ms.
  var labelDelay: Int64
  /// Rows read of the file, and their checksum.
  var rows: UInt64 = 0
  var checksum: UInt64 = 0
  /// Rows that were put on the topic; refused ones among them, malformed ones not.
  var events: UInt64 = 0
  /// Labels put on their topic.
  var labels: UInt64 = 0
  /// Rows after which all labels were given out because the file ended there.
  var drained: UInt64 = 0
  /// Where events without an identifier of their own came to stand: events from `event` on have
  /// offsets from `offset` on. One run unless others produce at the same time.
  var runs: [Run] = []

  struct Run: Equatable {
    var event: UInt64
    var offset: UInt64
  }

  init(path: String, labelDelay: Int64) {
    self.path = path
    self.labelDelay = labelDelay
  }

  /// Notes where events beginning with number `event` were appended.
  mutating func note(event: UInt64, at offset: UInt64) {
    if let last = runs.last, offset &- last.offset == event - last.event { return }
    runs.append(Run(event: event, offset: offset))
  }

  /// Forgets where events before number `event` stand: their labels are all given out.
  mutating func forgetRuns(before event: UInt64) {
    while runs.count > 1, runs[1].event <= event { runs.removeFirst() }
  }

  /// The offset of an event.
  func offset(of event: UInt64) -> UInt64? {
    runs.last { $0.event <= event }.map { $0.offset + (event - $0.event) }
  }

  // MARK: State

  private static let format: UInt32 = 1

  var bytes: [UInt8] {
    var writer = StateWriter()
    writer.write(Self.format)
    writer.write(path)
    writer.write(labelDelay)
    for value in [rows, checksum, events, labels, drained, UInt64(runs.count)] {
      writer.write(value)
    }
    for run in runs {
      writer.write(run.event)
      writer.write(run.offset)
    }
    return writer.bytes
  }

  init(bytes: [UInt8]) throws {
    var reader = StateReader(bytes)
    guard try reader.read(UInt32.self) == Self.format else { throw StateError.unknownFormat }
    path = try reader.readString()
    labelDelay = try reader.read(Int64.self)
    rows = try reader.read(UInt64.self)
    checksum = try reader.read(UInt64.self)
    events = try reader.read(UInt64.self)
    labels = try reader.read(UInt64.self)
    drained = try reader.read(UInt64.self)
    for _ in 0..<(try reader.readCount(limit: bytes.count)) {
      runs.append(
        Run(event: try reader.read(UInt64.self), offset: try reader.read(UInt64.self)))
    }
    try reader.finish()
  }
}
