/// Why bytes are no ``StreamingFigures``.
public enum StreamingFiguresError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The bytes end too early.
  case truncated
  /// Bytes follow where the figures end.
  case trailingBytes(Int)
  /// The format is newer than this code, or something else altogether.
  case unknownFormat(UInt8)
  /// The scale is unknown.
  case unknownScale(UInt8)
  /// The parts contradict each other.
  case inconsistent(String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .truncated: "the figures end too early"
    case .trailingBytes(let count): "\(count) bytes follow the figures"
    case .unknownFormat(let format): "figures of format \(format), not \(StreamingFigures.format)"
    case .unknownScale(let scale): "figures of an unknown scale, \(scale)"
    case .inconsistent(let reason): "figures contradict themselves: \(reason)"
    }
  }
}
