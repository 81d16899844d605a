import Files
import Processes

/// A file of simulated card transactions, numbered from 0, and their labels.
struct PaymentStream {
  let path: String
  /// By number, whether it is fraud.
  private(set) var isFraud: [Bool] = []

  var count: Int { isFraud.count }

  /// Simulates `events` transactions with `weir generate` and writes them to a file in `folder`.
  init(events: Int, seed: UInt64, folder: String) throws {
    path = folder + "/payments.csv"
    // The book has 1.9 transactions a customer and day; some more than enough.
    let days = 50
    let customers = events * 110 / (190 * days) + 40
    let all = folder + "/all.csv"
    let generator = try ChildProcess(
      "generator", program: ChildProcess.beside("weir"),
      [
        "generate", "handbook", "--customers", "\(customers)", "--terminals", "\(2 * customers)",
        "--days", "\(days)", "--seed", "\(seed)", "--out", all,
      ], logFile: folder + "/generator.log")
    generator.wait()
    try generator.checkExit()
    var reader = try CSVReader(try GzipInput(path: all))
    guard let label = reader.header.firstIndex(of: "TX_FRAUD"),
      let number = reader.header.firstIndex(of: "TRANSACTION_ID")
    else { throw Failure("the generated file has no labels") }
    let output = try GzipOutput(path: path)
    try output.write(Array((reader.header.joined(separator: ",") + "\n").utf8))
    var row = CSVRow()
    var line: [UInt8] = []
    while isFraud.count < events, try reader.next(&row) {
      guard row.bytes[row.range(number)].elementsEqual("\(isFraud.count)".utf8) else {
        throw Failure("the generated transactions are not numbered from 0")
      }
      isFraud.append(row.bytes[row.range(label)].elementsEqual("1".utf8))
      for field in 0..<row.count {
        if field > 0 { line.append(UInt8(ascii: ",")) }
        line += row.bytes[row.range(field)]
      }
      line.append(UInt8(ascii: "\n"))
      if line.count > 1 << 16 {
        try output.write(line)
        line.removeAll(keepingCapacity: true)
      }
    }
    try output.write(line)
    try output.close()
    guard count == events else { throw Failure("only \(count) transactions were generated") }
    removeTree(all)
  }
}
