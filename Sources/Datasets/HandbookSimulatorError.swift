/// Why a ``HandbookSimulator`` could not be made: which argument, what it was, what it must be.
public struct HandbookSimulatorError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The arguments that can be refused.
  public enum Parameter: String, Sendable {
    /// The number of customers.
    case customers
    /// The number of terminals.
    case terminals
    /// The number of days.
    case days
    /// The radius within which a customer uses terminals.
    case radius
  }

  /// The argument refused.
  public let parameter: Parameter
  /// What was passed.
  public let value: Double
  /// The smallest value that is accepted.
  public let minimum: Double
  /// The largest value that is accepted.
  public let maximum: Double

  /// A sentence for people.
  public var description: String {
    "\(parameter.rawValue) must be from \(text(minimum)) to \(text(maximum)), not \(text(value))"
  }

  private func text(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? String(number)
  }
}
