import Learners
import StateCoding

/// How many labels each source gave. The first sources with short names are counted by name, all
/// others together, so that a source that changes with every label costs no memory.
public struct LabelSources: Sendable, Equatable {
  /// Sources counted by name.
  static let most = 32
  /// Bytes of the longest name.
  static let longest = 64

  /// Labels by source.
  public private(set) var counts: [String: UInt64] = [:]
  /// Labels of all other sources.
  public private(set) var others: UInt64 = 0

  /// No label yet.
  public init() {}

  mutating func count(_ source: String) {
    if counts[source] != nil
      || (counts.count < Self.most && source.utf8.count <= Self.longest)
    {
      counts[source, default: 0] += 1
    } else {
      others += 1
    }
  }

  /// For a line of a log: `analyst 12, charge-back 3`, by name.
  public var text: String {
    let named = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return (named + (others > 0 ? ["others \(others)"] : [])).joined(separator: ", ")
  }

  // MARK: State

  func encode(into writer: inout StateWriter) {
    writer.write(UInt64(counts.count))
    for (source, count) in counts.sorted(by: { $0.key < $1.key }) {
      writer.write(source)
      writer.write(count)
    }
    writer.write(others)
  }

  init(from reader: inout StateReader) throws {
    for _ in 0..<(try reader.readCount(limit: Self.most)) {
      let source = try reader.readString()
      counts[source] = try reader.read(UInt64.self)
    }
    others = try reader.read(UInt64.self)
  }
}
