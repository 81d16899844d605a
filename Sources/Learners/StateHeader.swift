import StateCoding

/// The first bytes of every learner's state: which learner, which version of its format, how many
/// features and examples.
struct StateHeader {
  /// A larger number of examples cannot be true, and would let counters overflow.
  static let mostExamples: UInt64 = 1 << 60

  var kind: ModelKind
  var version: UInt16
  var featureCount: Int
  var examples: UInt64

  func write(to writer: inout StateWriter) {
    writer.write(kind.rawValue)
    writer.write(version)
    writer.write(UInt32(featureCount))
    writer.write(examples)
  }

  /// Reads and checks a header; returns the number of examples.
  static func readExamples(
    from reader: inout StateReader, kind: ModelKind, version: UInt16, featureCount: Int
  ) throws(StateError) -> UInt64 {
    guard try reader.readString() == kind.rawValue, try reader.read(UInt16.self) == version else {
      throw .unknownFormat
    }
    guard try reader.read(UInt32.self) == featureCount else {
      throw .mismatch("number of features")
    }
    let examples = try reader.read(UInt64.self)
    guard examples <= mostExamples else { throw .invalid("number of examples") }
    return examples
  }
}
