/// Why bytes are no JSON document.
public struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The line of the fault, counted from 1.
  public let line: Int
  /// What is wrong there.
  public let reason: String

  /// The line and the reason.
  public var description: String { "line \(line): \(reason)" }
}
