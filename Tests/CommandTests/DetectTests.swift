import Foundation
import Testing

/// `weir detect` on small tables.
@Suite struct DetectTests {
  /// A table of `rows` rows with an anomaly in every fiftieth, which stands out in `amount`.
  static func table(rows: Int = 400) -> String {
    var text = "id,at,amount,hour,channel,label\n"
    for row in 0..<rows {
      let isOdd = row % 50 == 49
      // To either side, each farther than the one before: no cluster of their own.
      let far = Double((200 + row) * (row % 100 == 49 ? 5 : -5))
      let amount = isOdd ? far : 50 + 20 * sin(Double(row) * 1.3)
      text += "\(row + 1),2020-01-01T00:00:00Z,\(amount),\(row * 7 % 24),"
      text += "\(row % 3 == 0 ? "shop" : "web"),\(row % 20 == 5 ? "" : isOdd ? "1" : "0")\n"
    }
    return text
  }

  private func withTable<T>(
    _ text: String = table(), name: String = "payments.csv", _ body: (String, String) throws -> T
  ) throws -> T {
    try withFolder { folder in
      let path = "\(folder)/\(name)"
      try text.write(toFile: path, atomically: false, encoding: .utf8)
      return try body(folder, path)
    }
  }

  @Test(arguments: ["isolation-forest", "k-means"], [false, true])
  func anomaliesAreFoundExplainedAndEvaluated(model: String, isStream: Bool) throws {
    try withTable { folder, path in
      let scores = folder + "/scores.csv"
      var flags = ["--model", model, "--label", "label", "--seed", "7"]
      if isStream { flags.append("--stream") }
      if model == "k-means" { flags += ["--clusters", "2"] }
      let run = try Command(
        ["detect", path, "--top", "7", "--out", scores, "--json"] + flags)
      #expect(run.wait() == 0, "\(run.errors)")
      let report = try #require(try json(run.output) as? [String: Any])
      #expect(report["input"] as? String == "payments.csv")
      #expect(report["model"] as? String == model && report["seed"] as? Int == 7)
      #expect(report["rows"] as? Int == 400 && report["stream"] as? Bool == isStream)
      #expect(report["scored"] as? Int == (isStream ? 384 : 400))
      let columns = try #require(report["columns"] as? [[String: Any]])
      #expect(
        columns.map { $0["use"] as? String }
          == ["ignored", "ignored", "learnt", "learnt", "learnt", "label"])
      let figures = try #require(report["figures"] as? [String: Any])
      #expect(figures["positives"] as? Int == 8)
      // The first model of a stream comes after 16 rows, one of which has no label.
      #expect(figures["events"] as? Int == (isStream ? 365 : 380))
      #expect(try #require(figures["auroc"] as? Double) > (isStream ? 0.9 : 0.98))
      let precision = try #require(figures["average_precision"] as? Double)
      #expect(precision > (isStream ? 0.5 : 0.9))
      let top = try #require(report["top"] as? [[String: Any]])
      let rows = top.compactMap { $0["row"] as? Int }
      #expect(rows.count == 7)
      for found in top where !isStream {
        let reasons = try #require(found["reasons"] as? [[String: Any]])
        #expect(reasons[0]["column"] as? String == "amount" && found["label"] as? Int == 1)
      }

      let lines = try String(contentsOfFile: scores, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 401 && lines[0] == "row,score")
      #expect(lines[1].hasPrefix("1,") && (lines[1] == "1,") == isStream)
      let score = try #require(top[0]["score"] as? Double)
      let line = lines[rows[0]].split(separator: ",")
      #expect(line[0] == "\(rows[0])" && Double(line[1]) == score)
    }
  }

  @Test func sameTableAndSeedSameScores() throws {
    try withTable { folder, path in
      let first = try weir("detect", path, "--out", "-")
      #expect(try first == weir("detect", path, "--seed", "0", "--out", "-"))
      #expect(try first != weir("detect", path, "--seed", "1", "--out", "-"))
      // Another way in, the same table.
      let input = try #require(FileHandle(forReadingAtPath: path))
      let piped = try Command(["detect", "-", "--out", "-"], input: input.fileDescriptor)
      #expect(piped.wait() == 0 && piped.output == first)
      #expect(piped.errors.contains("standard input: 400 rows, learnt from 4 of 6 columns"))
      let lines = folder + "/payments.jsonl"
      let rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      let objects = rows.dropFirst().map { row in
        let fields = row.split(separator: ",", omittingEmptySubsequences: false)
        return #"{"id":\#(fields[0]),"at":"\#(fields[1])","amount":\#(fields[2]),"#
          + #""hour":\#(fields[3]),"channel":"\#(fields[4])","label":"\#(fields[5])"}"#
      }
      try objects.joined(separator: "\n").write(toFile: lines, atomically: false, encoding: .utf8)
      #expect(try first == weir("detect", lines, "--out", "-"))
    }
  }

  @Test func theReportSaysWhatWasGuessedAndFound() throws {
    try withTable { _, path in
      let text = try weir("detect", path, "--label", "label", "--top", "2")
      for words in [
        "payments.csv: 400 rows, learnt from 3 of 6 columns",
        "isolation-forest, seed 0, fitted to all rows", "numbers the rows", "always the same",
        "2 texts; learnt is how rare each is", "AUROC 1.0000, average precision 1.0000",
        "precision of the 2 highest 1.0000",
        "over 380 rows with label and score, 8 of them anomalies (2.11 %)",
        "20 rows without label or score are left out", "amount ",
      ] { #expect(text.contains(words), "\(words)\n\(text)") }
      let without = try weir("detect", path, "--columns", "amount,hour", "--stream")
      #expect(!without.contains("AUROC"))
      #expect(without.contains("the first 16 rows came before the first model: no score"))
      #expect(without.contains("left out by name"))
      let all = try weir("detect", path, "--top", "0", "--ignore", "label")
      #expect(!all.contains("most unusual"))
    }
  }

  @Test func oneClassHasNoFigures() throws {
    try withTable("a,y\n" + (0..<30).map { "\($0 * $0),0\n" }.joined()) { _, path in
      let text = try weir("detect", path, "--label", "y")
      #expect(text.contains("AUROC –, average precision –"))
      #expect(text.contains("need rows of both classes"))
      let report = try #require(
        try json(weir("detect", path, "--label", "y", "--json")) as? [String: Any])
      #expect((report["figures"] as? [String: Any])?["auroc"] is NSNull)
    }
  }

  @Test(
    arguments: [
      ("", 64, "<file>"), ("TABLE --model forest", 64, "'isolation-forest' and 'k-means'"),
      ("TABLE --top -1", 64, "--top"), ("TABLE --trees 0", 64, "--trees must be 1 to 10,000"),
      ("TABLE --trees 10 --model k-means", 64, "--model isolation-forest"),
      ("TABLE --clusters 4", 64, "--model k-means"),
      ("TABLE --json --out -", 64, "standard output"), ("TABLE --out TABLE", 64, "replace"),
      ("TABLE --columns hour --ignore hour", 64, "'hour'"),
      ("TABLE --columns label --label label", 64, "'label'"),
      ("/nowhere.csv", 1, "/nowhere.csv"), ("TABLE --out /nowhere/x.csv", 1, "/nowhere/x.csv"),
      ("TABLE --label lable", 1, "did you mean 'label'?"),
      ("TABLE --ignore amout", 1, "did you mean 'amount'?"),
      ("TABLE --label hour", 1, "row 2, column 'hour': '7' is no label"),
      ("TABLE --columns channel,id --label amount", 1, "column 'amount'"),
      ("EMPTY", 1, "expected a header row"), ("HEADER", 1, "no rows"),
      ("SHORT", 1, "no column to learn from"), ("FEW --model k-means", 1, "at least 16"),
      ("FEW --stream", 1, "at least 17"), ("RAGGED", 1, "row 2 has 3 fields"),
    ])
  func mistakesHaveTheirStatusAndReason(_ line: String, _ status: Int32, _ reason: String) throws {
    try withTable(name: "TABLE") { folder, _ in
      let files = [
        "EMPTY": "", "HEADER": "a,b\n", "SHORT": "a,b\n1,x\n", "FEW": "a\n1\n2\n5\n",
        "RAGGED": "a,b\n1,2\n1,2,3\n",
      ]
      for (name, text) in files {
        try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
      }
      let words = line.split(separator: " ").map(String.init)
      let command = try Command(
        ["detect"] + words.map { files[$0] != nil || $0 == "TABLE" ? "\(folder)/\($0)" : $0 })
      #expect(command.wait() == status, "\(command.errors)")
      #expect(command.output.isEmpty)
      #expect(command.errors.contains(reason), "\(command.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 6)
    }
  }
}
