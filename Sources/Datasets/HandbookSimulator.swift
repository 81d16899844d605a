/// The transaction simulator of the Fraud Detection Handbook, number for number.
///
/// Source: Y.-A. Le Borgne, W. Siblini, B. Lebichot, G. Bontempi, "Reproducible Machine Learning
/// for Credit Card Fraud Detection", Université Libre de Bruxelles 2022, chapter 3.2, "Transaction
/// data simulator". With the default arguments it yields the book's 1,754,155 transactions from
/// 2018-04-01 on, in the book's order, of which 14,681 are fraudulent.
///
/// Customers and terminals lie on a square of 100 × 100. A customer has a mean amount (5 to 100,
/// the standard deviation is half of it) and a rate of transactions a day (0 to 4), and pays at the
/// terminals that lie within the radius; one who has none makes no transaction. Three scenarios
/// then turn transactions into frauds; see ``HandbookTransaction/scenario``. On request a fourth
/// one follows, which is not the book's; see ``HandbookDrift``.
public struct HandbookSimulator: Sendable {
  /// The number of customers.
  public let customers: Int
  /// The number of terminals.
  public let terminals: Int
  /// The number of days, from 2018-04-01 on.
  public let days: Int
  /// A customer uses the terminals at a Euclidean distance below this.
  public let radius: Double
  /// 0 for the book's stream; every other seed starts streams that share nothing with it.
  public let seed: UInt64
  /// What changes in the middle of the stream.
  public let drift: HandbookDrift

  /// Makes a simulator.
  ///
  /// Seed 0 seeds NumPy's legacy generator by 0 for the customers, by 1 for the terminals, and both
  /// NumPy's and Python's by the customer's and the day's numbers, as the book does. Any other seed
  /// s seeds each of them by the words (that number, low and high half of s, role), with the roles
  /// 1 customers, 2 terminals, 3 a customer's draws, 4 a customer's choices of terminals,
  /// 5 terminals compromised on a day, 6 customers compromised on a day, 7 their transactions; in
  /// Python, `numpy.random.seed([number, low, high, role])` and
  /// `random.seed(number | s << 32 | role << 96)`. A day's card testing, which the book has not, is
  /// role 8 with every seed, 0 too.
  ///
  /// - Parameters:
  ///   - customers: 3 to 1,000,000; three are compromised each day, or six with card testing, which
  ///     needs that many.
  ///   - terminals: 2 to 1,000,000; two are compromised each day.
  ///   - days: 1 to 3,650.
  ///   - radius: above 0, up to 150, which is more than the square's diagonal.
  ///   - seed: any.
  ///   - drift: what changes in the middle of the stream.
  /// - Throws: ``HandbookSimulatorError`` for an argument out of its range.
  public init(
    customers: Int = 5_000, terminals: Int = 10_000, days: Int = 183, radius: Double = 5,
    seed: UInt64 = 0, drift: HandbookDrift = .none
  ) throws(HandbookSimulatorError) {
    let fewest = drift == .cardTesting ? HandbookDrift.customersDrawn : 3
    try Self.check(.customers, Double(customers), Double(fewest), 1_000_000)
    try Self.check(.terminals, Double(terminals), 2, 1_000_000)
    try Self.check(.days, Double(days), 1, 3_650)
    try Self.check(.radius, radius, Double.leastNormalMagnitude, 150)
    self.customers = customers
    self.terminals = terminals
    self.days = days
    self.radius = radius
    self.seed = seed
    self.drift = drift
  }

  private static func check(
    _ parameter: HandbookSimulatorError.Parameter, _ value: Double, _ minimum: Double,
    _ maximum: Double
  ) throws(HandbookSimulatorError) {
    guard value >= minimum && value <= maximum else {
      throw HandbookSimulatorError(
        parameter: parameter, value: value, minimum: minimum, maximum: maximum)
    }
  }

  /// Runs the simulation; the same arguments give the same transactions.
  ///
  /// Memory peaks at about 36 bytes a transaction.
  public func generate() -> HandbookTransactions {
    let seeds = HandbookSeeds(seed: seed)
    var transactions = sorted(genuineTransactions(seeds))
    addFrauds(to: &transactions, seeds: seeds)
    return transactions
  }

  // MARK: - Genuine transactions

  private struct Customer {
    let x: Double
    let y: Double
    let meanAmount: Double
    let rate: Double
  }

  /// Transactions as they are drawn: by customer, then by day.
  private struct Drawn {
    var seconds: [Int32] = []
    var customers: [Int32] = []
    var terminals: [Int32] = []
    var amounts: [Double] = []
  }

  private func genuineTransactions(_ seeds: HandbookSeeds) -> Drawn {
    let profiles = makeCustomers(seeds)
    let map = TerminalMap(count: terminals, generator: seeds.terminals)
    // A rate of 2 a day on average, of which 3 % fall outside the day.
    let expected = customers * days * 2
    var drawn = Drawn()
    drawn.seconds.reserveCapacity(expected)
    drawn.customers.reserveCapacity(expected)
    drawn.terminals.reserveCapacity(expected)
    drawn.amounts.reserveCapacity(expected)
    for (number, profile) in profiles.enumerated() {
      let reachable = map.terminals(within: radius, ofX: profile.x, y: profile.y)
      if reachable.isEmpty { continue }
      draw(number, profile, reachable, seeds, into: &drawn)
    }
    return drawn
  }

  private func makeCustomers(_ seeds: HandbookSeeds) -> [Customer] {
    var generator = seeds.customers
    return (0..<customers).map { _ in
      let x = generator.uniform(0, 100)
      let y = generator.uniform(0, 100)
      let meanAmount = generator.uniform(5, 100)
      return Customer(x: x, y: y, meanAmount: meanAmount, rate: generator.uniform(0, 4))
    }
  }

  private func draw(
    _ number: Int, _ customer: Customer, _ reachable: [Int32], _ seeds: HandbookSeeds,
    into drawn: inout Drawn
  ) {
    var draws = seeds.draws(ofCustomer: number)
    var choices = seeds.choices(ofCustomer: number)
    let mean = customer.meanAmount
    for day in 0..<days {
      for _ in 0..<draws.poisson(rate: customer.rate) {
        let time = Int32(draws.normal(mean: 43_200, deviation: 20_000))
        guard time > 0 && time < 86_400 else { continue }
        var amount = draws.normal(mean: mean, deviation: mean / 2)
        if amount < 0 { amount = draws.uniform(0, mean * 2) }
        drawn.seconds.append(Int32(day) * 86_400 + time)
        drawn.customers.append(Int32(number))
        drawn.terminals.append(reachable[choices.integer(below: reachable.count)])
        drawn.amounts.append((amount * 100).rounded(.toNearestOrEven) / 100)
      }
    }
  }

  private func sorted(_ drawn: consuming Drawn) -> HandbookTransactions {
    var drawn = drawn
    let order = BookOrder.order(of: drawn.seconds)
    // Column by column, so that only one is held twice at a time.
    drawn.seconds = order.map { drawn.seconds[Int($0)] }
    drawn.customers = order.map { drawn.customers[Int($0)] }
    drawn.terminals = order.map { drawn.terminals[Int($0)] }
    drawn.amounts = order.map { drawn.amounts[Int($0)] }
    return HandbookTransactions(
      seconds: drawn.seconds, customers: drawn.customers, terminals: drawn.terminals,
      amounts: drawn.amounts)
  }
}
