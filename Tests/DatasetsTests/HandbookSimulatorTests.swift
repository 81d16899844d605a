import Datasets
import Testing

/// What the reference simulator made of some arguments.
struct Run: Sendable, CustomTestStringConvertible {
  let customers: Int
  let terminals: Int
  let days: Int
  let radius: Double
  let seed: UInt64
  let count: Int
  let newFrauds: [Int]
  let scenarios: [Int]
  let csvBytes: Int
  let csvCRC32: UInt32

  var testDescription: String {
    "\(customers) customers, \(terminals) terminals, \(days) days, radius \(radius), seed \(seed)"
  }
}

@Suite("Handbook simulator")
struct HandbookSimulatorTests {
  @Test("every byte of the CSV is that of the reference", arguments: GoldenHandbook.runs)
  func reference(run: Run) throws {
    let transactions = try HandbookSimulator(
      customers: run.customers, terminals: run.terminals, days: run.days, radius: run.radius,
      seed: run.seed
    ).generate()
    #expect(transactions.count == run.count)
    #expect(transactions.newFrauds == run.newFrauds)
    let scenarios = (1...3).map { scenario in
      transactions.scenarios.count { Int($0) == scenario }
    }
    #expect(scenarios == run.scenarios)
    var bytes = 0
    var checksum = CRC32()
    transactions.writeCSV { chunk in
      bytes += chunk.count
      checksum.add(chunk)
    }
    #expect(bytes == run.csvBytes)
    #expect(checksum.value == run.csvCRC32)
  }

  @Test("the published totals and rows")
  func published() throws {
    let transactions = try HandbookSimulator().generate()
    #expect(transactions.count == 1_754_155)
    #expect(transactions.newFrauds == [978, 9_099, 4_604])
    #expect(transactions.count { $0.isFraud } == 14_681)
    #expect(transactions.amounts.count { $0 > 220 } > 978)
    #expect(
      Array(transactions.prefix(3)) == [
        HandbookTransaction(seconds: 31, customer: 596, terminal: 3156, amount: 57.16, scenario: 0),
        HandbookTransaction(
          seconds: 130, customer: 4961, terminal: 3412, amount: 81.51, scenario: 0),
        HandbookTransaction(seconds: 476, customer: 2, terminal: 1365, amount: 146, scenario: 0),
      ])
    #expect(
      transactions.last
        == HandbookTransaction(
          seconds: 15_811_197, customer: 3542, terminal: 9849, amount: 23.59, scenario: 0))
  }

  @Test("transactions stand in the order of time and within the days")
  func order() throws {
    let transactions = try HandbookSimulator(customers: 200, terminals: 500, days: 20, seed: 3)
      .generate()
    #expect(!transactions.isEmpty)
    #expect(zip(transactions.seconds, transactions.seconds.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(transactions.allSatisfy { $0.day >= 0 && $0.day < 20 && $0.seconds % 86_400 > 0 })
  }

  @Test("other seeds are other streams")
  func seeds() throws {
    let amounts = try [0, 1, 2, 1 << 32].map { seed in
      try HandbookSimulator(customers: 50, terminals: 500, days: 5, radius: 20, seed: seed)
        .generate().amounts
    }
    for (index, one) in amounts.enumerated() {
      for other in amounts[(index + 1)...] {
        let shared = Set(one).intersection(other).count
        #expect(one != other)
        // Amounts have two places below a few hundred, so a few agree by chance.
        #expect(shared < one.count / 10, "\(shared) of \(one.count)")
      }
    }
  }

  @Test("nobody within reach, no transaction")
  func unreachable() throws {
    let transactions = try HandbookSimulator(customers: 20, terminals: 2, days: 5, radius: 1e-9)
      .generate()
    #expect(transactions.isEmpty)
    var text: [UInt8] = []
    transactions.writeCSV { text += $0 }
    #expect(String(decoding: text, as: UTF8.self) == HandbookTransactions.csvHeader + "\n")
  }

  @Test("CSV lines: date across months and leap days, shortest amounts, whole lines a chunk")
  func csvLines() throws {
    let transactions = try HandbookSimulator(customers: 300, terminals: 50, days: 800, radius: 40)
      .generate()
    var text: [UInt8] = []
    var chunks = 0
    transactions.writeCSV { chunk in
      #expect(chunk.last == UInt8(ascii: "\n"))
      #expect(chunk.count < 300 * 1024)
      text += chunk
      chunks += 1
    }
    #expect(chunks > 10)
    let lines = text.split(separator: UInt8(ascii: "\n"))
    #expect(lines.count == transactions.count + 1)
    var leapDays = 0
    for (index, line) in lines.dropFirst().enumerated() {
      let fields = line.split(separator: UInt8(ascii: ",")).map {
        String(decoding: $0, as: UTF8.self)
      }
      let transaction = transactions[index]
      guard fields.count == 9, fields[4] == transaction.amount.description,
        fields[7] == (transaction.isFraud ? "1" : "0")
      else {
        Issue.record("line \(index): \(fields)")
        break
      }
      if transaction.day == 699 {
        leapDays += 1
        #expect(fields[1].hasPrefix("2020-02-29 "))
      }
    }
    #expect(leapDays > 0)
  }

  @Test("the first days by themselves are the same lines")
  func firstDays() throws {
    let transactions = try HandbookSimulator(customers: 300, terminals: 50, days: 20, radius: 40)
      .generate()
    var all: [UInt8] = []
    transactions.writeCSV { all += $0 }
    var first: [UInt8] = []
    transactions.writeCSV(days: 12) { first += $0 }
    #expect(all.starts(with: first))
    let lines = first.split(separator: UInt8(ascii: "\n"))
    #expect(lines.count == 1 + transactions.count { $0.day < 12 })
  }

  @Test("what the sink throws comes through, and nothing is written after it")
  func sinkFailure() throws {
    struct Full: Error {}
    let transactions = try HandbookSimulator(customers: 300, terminals: 50, days: 100, radius: 40)
      .generate()
    var calls = 0
    #expect(throws: Full.self) {
      try transactions.writeCSV { _ in
        calls += 1
        throw Full()
      }
    }
    #expect(calls == 1)
  }

  @Test("arguments out of range are refused by name")
  func validation() {
    #expect(
      parameter { () throws(HandbookSimulatorError) in try .init(customers: 2) } == .customers)
    #expect(
      parameter { () throws(HandbookSimulatorError) in try .init(terminals: 1) } == .terminals)
    #expect(parameter { () throws(HandbookSimulatorError) in try .init(days: 0) } == .days)
    #expect(parameter { () throws(HandbookSimulatorError) in try .init(days: 3_651) } == .days)
    for radius in [0, -1, .nan, .infinity] {
      #expect(
        parameter { () throws(HandbookSimulatorError) in try .init(radius: radius) } == .radius)
    }
    let error = #expect(throws: HandbookSimulatorError.self) { try HandbookSimulator(days: 0) }
    #expect(error?.description == "days must be from 1 to 3650, not 0")
  }

  private func parameter(
    _ make: () throws(HandbookSimulatorError) -> HandbookSimulator
  ) -> HandbookSimulatorError.Parameter? {
    do {
      _ = try make()
      return nil
    } catch {
      return error.parameter
    }
  }
}
