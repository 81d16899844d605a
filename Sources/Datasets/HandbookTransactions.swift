/// Simulated transactions in the order of time, held by column: 21 bytes a transaction.
///
/// A transaction's position is its id.
public struct HandbookTransactions: Sendable, RandomAccessCollection {
  /// Seconds since 2018-04-01 00:00:00, never falling.
  public private(set) var seconds: [Int32]
  /// The customers' numbers.
  public private(set) var customers: [Int32]
  /// The terminals' numbers.
  public private(set) var terminals: [Int32]
  /// The amounts.
  public internal(set) var amounts: [Double]
  /// 0 for genuine, else the last fraud scenario, 1 to 4, that hit the transaction.
  public internal(set) var scenarios: [UInt8]

  /// How many transactions each fraud scenario turned from genuine to fraud: 1 to 3 in this order,
  /// and 4 with ``HandbookDrift/cardTesting``. A later scenario may overwrite an earlier one's number, so that ``scenarios`` holds
  /// other counts; the sums agree.
  public internal(set) var newFrauds: [Int]

  init(seconds: [Int32], customers: [Int32], terminals: [Int32], amounts: [Double]) {
    self.seconds = seconds
    self.customers = customers
    self.terminals = terminals
    self.amounts = amounts
    scenarios = [UInt8](repeating: 0, count: seconds.count)
    newFrauds = []
  }

  /// The first position, 0.
  public var startIndex: Int { 0 }
  /// The number of transactions.
  public var endIndex: Int { seconds.count }

  /// The transaction with the id `position`.
  public subscript(position: Int) -> HandbookTransaction {
    HandbookTransaction(
      seconds: seconds[position], customer: customers[position], terminal: terminals[position],
      amount: amounts[position], scenario: scenarios[position])
  }
}
