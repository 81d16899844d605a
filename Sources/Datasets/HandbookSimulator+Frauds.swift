extension HandbookSimulator {
  /// Applies the three fraud scenarios, in the book's order, and then the one of the drift.
  func addFrauds(to transactions: inout HandbookTransactions, seeds: HandbookSeeds) {
    let dayStarts = startsOfDays(transactions.seconds)
    transactions.newFrauds = [
      markLargeAmounts(&transactions),
      compromiseTerminals(&transactions, dayStarts, seeds),
      compromiseCustomers(&transactions, dayStarts, seeds),
    ]
    if drift == .cardTesting {
      transactions.newFrauds.append(testCards(&transactions, dayStarts, seeds))
    }
  }

  /// `starts[d]` is the first transaction of day d; one more element ends the last day.
  private func startsOfDays(_ seconds: [Int32]) -> [Int] {
    var starts: [Int] = []
    starts.reserveCapacity(days + 1)
    for (index, second) in seconds.enumerated() {
      while starts.count <= Int(second / 86_400) { starts.append(index) }
    }
    while starts.count <= days { starts.append(seconds.count) }
    return starts
  }

  /// Scenario 1: every amount above 220 is a fraud.
  private func markLargeAmounts(_ transactions: inout HandbookTransactions) -> Int {
    var added = 0
    for index in transactions.indices where transactions.amounts[index] > 220 {
      added += mark(index, 1, in: &transactions)
    }
    return added
  }

  /// Scenario 2: two terminals a day are compromised for 28 days; whatever is paid there is fraud.
  ///
  /// The last day compromises none, here and in scenario 3: the book's loops end before it.
  private func compromiseTerminals(
    _ transactions: inout HandbookTransactions, _ dayStarts: [Int], _ seeds: HandbookSeeds
  ) -> Int {
    var added = 0
    for day in 0..<(days - 1) {
      var generator = seeds.compromisedTerminals(onDay: day)
      let drawn = generator.sample(2, from: terminals)
      for index in dayStarts[day]..<dayStarts[min(day + 28, days)] {
        let terminal = transactions.terminals[index]
        if terminal == drawn[0] || terminal == drawn[1] {
          added += mark(index, 2, in: &transactions)
        }
      }
    }
    return added
  }

  /// Scenario 3: the credentials of three customers a day leak for 14 days; of a third of their
  /// transactions the amount is multiplied by 5.
  private func compromiseCustomers(
    _ transactions: inout HandbookTransactions, _ dayStarts: [Int], _ seeds: HandbookSeeds
  ) -> Int {
    var added = 0
    var candidates: [Int] = []
    for day in 0..<(days - 1) {
      var generator = seeds.compromisedCustomers(onDay: day)
      let drawn = generator.sample(3, from: customers)
      candidates.removeAll(keepingCapacity: true)
      for index in dayStarts[day]..<dayStarts[min(day + 14, days)] {
        let customer = transactions.customers[index]
        if customer == drawn[0] || customer == drawn[1] || customer == drawn[2] {
          candidates.append(index)
        }
      }
      var sampler = seeds.compromisedTransactions(onDay: day)
      for position in sampler.sample(candidates.count / 3, from: candidates.count) {
        transactions.amounts[candidates[position]] *= 5
        added += mark(candidates[position], 3, in: &transactions)
      }
    }
    return added
  }

  /// Scenario 4: see ``HandbookDrift/cardTesting``.
  private func testCards(
    _ transactions: inout HandbookTransactions, _ dayStarts: [Int], _ seeds: HandbookSeeds
  ) -> Int {
    var added = 0
    for day in HandbookDrift.firstDay..<max(days, HandbookDrift.firstDay) {
      var generator = seeds.cardTesting(onDay: day)
      let drawn = generator.sample(HandbookDrift.customersDrawn, from: customers)
      for index in dayStarts[day]..<dayStarts[min(day + HandbookDrift.daysHit, days)]
      where drawn.contains(Int(transactions.customers[index])) {
        // Drawn for frauds too, so that who is hit does not depend on what the book's scenarios did.
        let isHit = generator.uniform() < 0.5
        guard isHit, transactions.scenarios[index] == 0 else { continue }
        let amount = transactions.amounts[index]
        transactions.amounts[index] = (amount * 10).rounded(.toNearestOrEven) / 100
        added += mark(index, 4, in: &transactions)
      }
    }
    return added
  }

  /// Returns 1 if the transaction was genuine before, else 0.
  private func mark(
    _ index: Int, _ scenario: UInt8, in transactions: inout HandbookTransactions
  ) -> Int {
    let wasGenuine = transactions.scenarios[index] == 0
    transactions.scenarios[index] = scenario
    return wasGenuine ? 1 : 0
  }
}
