/// What an event turned out to be.
public enum Label: UInt8, Sendable {
  case negative = 0
  case positive = 1

  /// Reads `0`, `1`, `0.0`, `1.0`, `false` or `true`, in either case.
  public init?(spelled text: UnsafeRawBufferPointer) {
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "0", "0.0", "false": self = .negative
    case "1", "1.0", "true": self = .positive
    default: return nil
    }
  }
}
