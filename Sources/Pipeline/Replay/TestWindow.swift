import Features

/// A stretch of event time whose events are evaluated by themselves.
public struct TestWindow: Sendable, Equatable {
  /// The first moment of it, ms since 1970.
  public var from: Int64
  /// The first moment after it.
  public var to: Int64

  /// Reads `2018-08-08..2018-08-15`: days or times, the second exclusive; nil if it is not that or
  /// ends before it begins.
  public init?(_ text: String) {
    guard let dots = text.firstRange(of: ".."),
      let from = Self.time(String(text[..<dots.lowerBound])),
      let to = Self.time(String(text[dots.upperBound...])), from < to
    else { return nil }
    self.from = from
    self.to = to
  }

  /// A day or a time as events write it.
  public static func time(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { EventTime.parse(UnsafeRawBufferPointer($0)) }
  }
}
