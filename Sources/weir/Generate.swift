import ArgumentParser
import Datasets
import Files

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes streams to try things on.", subcommands: [Handbook.self])

  struct Handbook: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Card transactions with three kinds of fraud.",
      discussion: """
        The simulator of the Fraud Detection Handbook (Le Borgne et al., 2022). The defaults give \
        the book's own 1,754,155 transactions.

        --drift card-testing is a variant that the book has not: on each day from day 122 (counted \
        from 0, 2018-08-01) on, six customers are drawn, and for 7 days half of their transactions \
        are fraud, at a tenth of the amount (TX_FRAUD_SCENARIO 4). All else stays the same.
        """)

    @Option(
      help: ArgumentHelp(
        "Where to write CSV; gzipped if it ends in .gz, - for standard output.", valueName: "file"))
    var out = "-"
    @Option(help: "Number of customers.") var customers = 5_000
    @Option(help: "Number of terminals.") var terminals = 10_000
    @Option(help: "Number of days, from 2018-04-01.") var days = 183
    @Option(help: "0 is the book's stream, another number another one.") var seed: UInt64 = 0
    @Option(help: "What changes in the middle of the stream.") var drift = HandbookDrift.none

    func run() throws {
      let simulator = try HandbookSimulator(
        customers: customers, terminals: terminals, days: days, seed: seed, drift: drift)
      let transactions = simulator.generate()
      let output = try GzipOutput(path: out)
      try transactions.writeCSV { try output.write($0) }
      try output.close()
      let frauds = transactions.newFrauds
      printError(
        "\(transactions.count.grouped) transactions, \(frauds.reduce(0, +).grouped) frauds "
          + "(\(frauds.map(\.grouped).joined(separator: " + ")))\n")
    }
  }
}

extension HandbookDrift: ExpressibleByArgument {}
