import Foundation
import Testing

/// The program behind scripts/handbook, on a stream of few customers.
@Suite struct HandbookTests {
  private static let size = ["--customers", "150", "--terminals", "200"]

  /// The repository's pipeline file.
  private static let pipeline = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("models/handbook.yaml").path

  /// Features as `weir replay` writes them, by the names of the book's authors.
  private func features(in folder: String) throws -> [[String]] {
    let (stream, table) = (folder + "/stream.csv", folder + "/features.csv")
    let run = try Command(["generate", "handbook", "--out", stream] + Self.size)
    #expect(run.wait() == 0, "\(run.errors)")
    try weir(
      "replay", "--pipeline", Self.pipeline, "--input", stream, "--features", table,
      "--from", "2018-07-25", "--to", "2018-08-15", "--resamples", "0")
    var rows = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: ",").map(String.init)
    }
    rows[0] = try rows[0].map { name in
      switch name {
      case "event_id": return "TRANSACTION_ID"
      case "time": return "TX_DATETIME"
      case "weekend", "night": return "TX_DURING_\(name.uppercased())"
      case "TX_AMOUNT": return name
      default:
        let parts = try #require(
          name.wholeMatch(of: /(customer|terminal)_(count|mean|risk)_(\d+)d/)
        ).output
        let kinds: [Substring: String] = ["count": "NB_TX", "mean": "AVG_AMOUNT", "risk": "RISK"]
        return "\(parts.1.uppercased())_ID_\(try #require(kinds[parts.2]))_\(parts.3)DAY_WINDOW"
      }
    }
    return rows
  }

  /// One pipeline file under all names, so that all have to give the same figures.
  private func copyPipeline(to folder: String) throws {
    for name in ["handbook", "handbook-ratios", "handbook-drift"] {
      try FileManager.default.copyItem(atPath: Self.pipeline, toPath: "\(folder)/\(name).yaml")
    }
  }

  @Test func tablesAreComputed() throws {
    try withFolder { folder in
      var golden = try features(in: folder)
      func column(_ name: String) throws -> Int { try #require(golden[0].firstIndex(of: name)) }
      let (mean, count, risk) = (
        try column("CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW"),
        try column("CUSTOMER_ID_NB_TX_30DAY_WINDOW"), try column("TERMINAL_ID_RISK_1DAY_WINDOW")
      )
      func add(_ part: Double, _ row: Int, _ column: Int) throws {
        golden[row][column] = try "\(#require(Double(golden[row][column])) + part)"
      }
      // Within the bounds, absolute and relative.
      let zero = try #require(golden.indices.dropFirst(10).first { golden[$0][risk] == "0.0" })
      try add(5e-10, zero, risk)
      try add(1e-10, 1, mean)
      // Beyond them.
      try add(1e-5, 2, mean)
      try add(1, 3, count)
      try add(1, 3, mean)
      // On one side only.
      golden[4][0] = "elsewhere"
      let path = folder + "/golden.csv"
      try golden.map { $0.joined(separator: ",") + "\n" }.joined()
        .write(toFile: path, atomically: false, encoding: .utf8)

      try copyPipeline(to: folder)
      let run = try Command(
        ["--json", "--golden", path, "--models", folder] + Self.size, program: "weir-handbook")
      #expect(run.wait() == 0, "\(run.errors)")
      let document = try #require(try json(run.output) as? [String: Any])
      let compared = try #require(document["features"] as? [String: Int])
      #expect(compared == ["rows": golden.count - 1, "mismatches": 4])
      #expect(run.errors.contains("transaction \(golden[3][0]): customer_"))

      let tables = try #require(document["tables"] as? [String: [String: [String: Any]]])
      #expect(Set(tables.keys) == ["book", "ratios"])
      for table in tables.values {
        #expect(Set(table.keys) == ["auroc", "average_precision", "card_precision_100"])
        for figure in table.values {
          let weeks = try #require(figure["weeks"] as? [Double])
          #expect(weeks.count == 4)
          let average = weeks.reduce(0, +) / 4
          #expect(try abs(#require(figure["mean"] as? Double) - average) < 1e-12)
          let squares = weeks.map { ($0 - average) * ($0 - average) }.reduce(0, +)
          #expect(
            try abs(#require(figure["spread"] as? Double) - (squares / 4).squareRoot()) < 1e-12)
        }
      }
      #expect(
        tables["book"]?["auroc"]?["weeks"] as? [Double]
          == tables["ratios"]?["auroc"]?["weeks"] as? [Double])

      let drift = try #require(document["drift"] as? [String: [String: Any]])
      #expect(Set(drift.keys) == ["online", "weekly", "frozen"])
      for figure in drift.values {
        let weeks = try #require(figure["weeks"] as? [Double])
        #expect(weeks.count == 1)
        #expect(figure["mean"] as? Double == weeks[0])
        #expect(figure["spread"] as? Double == 0)
        #expect((figure["later_weeks"] as? [Double])?.count == 3)
      }
    }
  }

  @Test func aMissingFileThatWasNamedIsAnError() throws {
    try withFolder { folder in
      try copyPipeline(to: folder)
      let run = try Command(
        ["--golden", folder + "/golden.csv", "--models", folder], program: "weir-handbook")
      #expect(run.wait() == 1)
      #expect(run.errors.contains("golden.csv: No such file"))
      #expect(run.output.isEmpty)
    }
  }
}
