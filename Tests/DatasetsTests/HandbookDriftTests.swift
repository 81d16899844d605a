import Datasets
import Testing

@Suite("Handbook stream with drift")
struct HandbookDriftTests {
  private func pair(
    customers: Int = 1_000, days: Int = 150, seed: UInt64
  ) throws -> (plain: HandbookTransactions, drift: HandbookTransactions) {
    let both = try HandbookDrift.allCases.map {
      try HandbookSimulator(
        customers: customers, terminals: 500, days: days, radius: 20, seed: seed, drift: $0
      ).generate()
    }
    return (both[0], both[1])
  }

  @Test("all rows but those of scenario 4 are the plain stream's", arguments: [0, 7] as [UInt64])
  func otherRows(seed: UInt64) throws {
    let (plain, drift) = try pair(seed: seed)
    #expect(drift.count == plain.count)
    var wrong = 0
    for (one, other) in zip(drift, plain) {
      let isRight =
        if one.scenario == 4 {
          other.scenario == 0 && one.day >= 122 && one.seconds == other.seconds
            && one.customer == other.customer && one.terminal == other.terminal
            && abs(one.amount - other.amount / 10) < 0.005_001
            && one.amount == (one.amount * 100).rounded() / 100
        } else {
          one == other
        }
      if !isRight { wrong += 1 }
    }
    #expect(wrong == 0)
    let hit = drift.scenarios.count { $0 == 4 }
    #expect(drift.newFrauds == plain.newFrauds + [hit])
    #expect(drift.count { $0.isFraud } == drift.newFrauds.reduce(0, +))
  }

  @Test(
    "six customers a day for seven days, half of their transactions", arguments: [0, 7] as [UInt64])
  func counts(seed: UInt64) throws {
    let (plain, drift) = try pair(seed: seed)
    var customers = [Set<Int32>](repeating: [], count: 150)
    var hit = 0
    var genuine = 0
    for (one, other) in zip(drift, plain) {
      if one.day >= 128, !other.isFraud { genuine += 1 }
      guard one.scenario == 4 else { continue }
      customers[Int(one.day)].insert(one.customer)
      if one.day >= 128 { hit += 1 }
    }
    #expect(customers[..<122].allSatisfy { $0.isEmpty })
    for day in 122..<150 {
      let drawn = 6 * min(day - 121, 7)
      #expect(customers[day].count <= drawn)
    }
    // A customer pays twice a day on average and is hit every other time.
    #expect(customers[128...].allSatisfy { (12...42).contains($0.count) })
    // 42 customers in a thousand, half of their transactions.
    let share = Double(hit) / Double(genuine)
    #expect(share > 0.015 && share < 0.026, "\(share)")
  }

  @Test("the same arguments give the same stream, other seeds hit others")
  func determinism() throws {
    let first = try pair(customers: 200, days: 130, seed: 3).drift
    let second = try pair(customers: 200, days: 130, seed: 3).drift
    #expect(first.elementsEqual(second))
    let hit = try [0, 1, 2, 1 << 32].map { seed in
      Set(
        try pair(customers: 200, days: 123, seed: seed).drift.filter { $0.scenario == 4 }
          .map(\.customer))
    }
    #expect(Set(hit).count == 4)
  }

  @Test("a stream that ends before day 122 has none")
  func shortStream() throws {
    let (plain, drift) = try pair(customers: 100, days: 122, seed: 0)
    #expect(drift.elementsEqual(plain))
    #expect(drift.newFrauds == plain.newFrauds + [0])
    #expect(try pair(customers: 100, days: 123, seed: 0).drift.newFrauds[3] > 0)
  }

  @Test("fewer customers than are drawn are refused")
  func tooFewCustomers() throws {
    let error = #expect(throws: HandbookSimulatorError.self) {
      try HandbookSimulator(customers: 5, drift: .cardTesting)
    }
    #expect(error?.parameter == .customers)
    #expect(error?.minimum == 6)
    #expect(throws: Never.self) { try HandbookSimulator(customers: 5) }
  }
}
