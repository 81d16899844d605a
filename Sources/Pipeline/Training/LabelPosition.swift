import Learners
import StateCoding

/// How far labels are read, and which of those before are still to be learnt: labels are read ahead
/// of their time, and learnt in the order of their times, not of their offsets.
struct LabelPosition: Equatable {
  /// Under which key a trainer keeps it.
  static let key = "labels"

  /// The next label to be read.
  var next: UInt64
  /// Offsets before `next` of labels that are not learnt yet, in order.
  var waiting: [Range<UInt64>] = []

  /// Where reading begins after a restart, to find those again that were waiting.
  var start: UInt64 { waiting.first?.lowerBound ?? next }

  init(next: UInt64, waiting offsets: [UInt64] = []) {
    self.next = next
    for offset in offsets.sorted() {
      if let last = waiting.last, last.upperBound == offset {
        waiting[waiting.count - 1] = last.lowerBound..<offset + 1
      } else {
        waiting.append(offset..<offset + 1)
      }
    }
  }

  // MARK: State

  private static let format: UInt32 = 1

  var bytes: [UInt8] {
    var writer = StateWriter()
    writer.write(Self.format)
    writer.write(next)
    writer.write(UInt64(waiting.count))
    for range in waiting {
      writer.write(range.lowerBound)
      writer.write(range.upperBound)
    }
    return writer.bytes
  }

  init(bytes: [UInt8]) throws {
    var reader = StateReader(bytes)
    guard try reader.read(UInt32.self) == Self.format else { throw StateError.unknownFormat }
    next = try reader.read(UInt64.self)
    var end: UInt64 = 0
    for _ in 0..<(try reader.readCount(limit: bytes.count)) {
      let lower = try reader.read(UInt64.self)
      let upper = try reader.read(UInt64.self)
      guard end <= lower, lower < upper, upper <= next else {
        throw StateError.invalid("labels that wait")
      }
      waiting.append(lower..<upper)
      end = upper
    }
    try reader.finish()
  }
}
