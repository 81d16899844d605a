/// One simulated card transaction.
public struct HandbookTransaction: Sendable, Equatable {
  /// Seconds since 2018-04-01 00:00:00.
  public let seconds: Int32
  /// The customer's number, from 0.
  public let customer: Int32
  /// The terminal's number, from 0.
  public let terminal: Int32
  /// The amount; rounded to 2 places, then possibly multiplied by 5 by the third fraud scenario, or
  /// a tenth of it by the fourth.
  public let amount: Double
  /// 0 for a genuine transaction, else the number of the last fraud scenario that hit it: 1 to 3,
  /// and 4 with ``HandbookDrift/cardTesting``.
  public let scenario: UInt8

  /// Makes a transaction from its parts.
  public init(seconds: Int32, customer: Int32, terminal: Int32, amount: Double, scenario: UInt8) {
    self.seconds = seconds
    self.customer = customer
    self.terminal = terminal
    self.amount = amount
    self.scenario = scenario
  }

  /// Whether any fraud scenario hit the transaction: the label.
  public var isFraud: Bool { scenario != 0 }
  /// Whole days since 2018-04-01.
  public var day: Int32 { seconds / 86_400 }
}
