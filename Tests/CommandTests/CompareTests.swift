import Foundation
import Testing

/// `weir replay` with test windows and policies, and `weir compare` of what it wrote.
@Suite struct CompareTests {
  private func document(_ path: String) throws -> [String: Any] {
    try #require(
      try json(String(contentsOfFile: path, encoding: .utf8)) as? [String: Any])
  }

  @discardableResult
  private func run(_ arguments: [String]) throws -> String {
    let command = try Command(arguments)
    #expect(command.wait() == 0, "\(arguments): \(command.errors)")
    return command.output
  }

  @Test func replaysAreEvaluatedAndCompared() throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      let first = folder + "/first.json"
      let second = folder + "/second.json"
      let replay = ["replay", "--pipeline", work.pipeline, "--input", work.history]
      let asked = [
        "--test", "2018-04-08..2018-04-13", "--test", "2018-04-13..2018-04-18",
        "--leave-out-known", "CUSTOMER_ID", "--known-since", "6d", "--policy", "weekly",
        "--policy", "frozen", "--top", "5", "--top", "20", "--resamples", "50",
      ]
      let command = try Command(replay + asked + ["--json", first])
      #expect(command.wait() == 0, "\(command.errors)")
      // The width of the terminal is known, so there are pictures.
      #expect(command.output.contains("AUROC from day to day:"))
      #expect(command.output.contains("scores of fraud from:"))
      #expect(command.output.contains("mean ± spread over 2 windows"))

      let report = try document(first)
      #expect(report["input"] as? String == "history.csv")
      #expect((report["first_time"] as? String)?.hasPrefix("2018-04-01T") == true)
      let models = try #require(report["models"] as? [String: [String: Any]])
      let fraud = try #require(models["fraud"])
      for key in [
        "score_scale", "by_week", "by_version", "versions_left_out", "curves", "calibration",
        "histogram", "published",
      ] { #expect(fraud[key] != nil, "\(key)") }
      let weeks = try #require(fraud["by_week"] as? [[String: Any]])
      #expect(
        weeks.map { $0["week"] as? String } == ["2018-W13", "2018-W14", "2018-W15", "2018-W16"])
      #expect(weeks.map { $0["from"] as? String }[1] == "2018-04-02")
      let overall = try #require(fraud["overall"] as? [String: Any])
      let cards = try #require(overall["card_precision"] as? [String: Any])
      #expect(cards["entity"] as? String == "CUSTOMER_ID" && cards["k"] as? Int == 5)
      #expect((cards["others"] as? [[String: Any]])?.first?["k"] as? Int == 20)
      let intervals = try #require(overall["intervals"] as? [String: [Double]])
      #expect(intervals["auroc"]?.count == 2 && intervals["card_precision"] != nil)
      #expect(
        Set(try #require(report["policies"] as? [String: Any]).keys)
          == ["online", "weekly", "frozen"])
      let decision = try #require(report["decision"] as? [String: Any])
      let decided = try #require(decision["overall"] as? [String: Any])
      let bounds = try #require((decision["intervals"] as? [String: [Double]])?["recall"])
      let recall = try #require(decided["recall"] as? Double)
      #expect(bounds[0] <= recall && recall <= bounds[1])
      let decisionWeeks = try #require(decision["by_week"] as? [[String: Any]])
      let weekly = decisionWeeks.compactMap { ($0["figures"] as? [String: Any])?["alerts"] as? Int }
      #expect(weekly.count == 4 && weekly.reduce(0, +) == decided["alerts"] as? Int)
      let tests = try #require(report["tests"] as? [[String: Any]])
      #expect(tests.map { $0["from"] as? String } == ["2018-04-08", "2018-04-13"])
      let summary = try #require(report["tests_summary"] as? [String: [String: Any]])
      let area = try #require(summary["fraud"]?["auroc"] as? [String: Any])
      #expect((area["values"] as? [Double])?.count == 2 && area["spread"] is Double)

      try run(replay + ["--label-delay", "6h", "--resamples", "0", "--json", second])
      let text = try run(["compare", first, second])
      #expect(text.contains("only in a: ") && text.contains("weekly/fraud"))
      #expect(text.contains("average_precision"))
      let compared = try #require(
        try json(run(["compare", first, second, "--json"])) as? [String: Any])
      #expect(compared["same_events"] as? Bool == true)
      let lines = try #require(compared["figures"] as? [[String: Any]])
      let line = try #require(
        lines.first { $0["of"] as? String == "fraud" && $0["figure"] as? String == "log_loss" })
      let a = try #require(line["a"] as? Double)
      let b = try #require(line["b"] as? Double)
      #expect(a == overall["log_loss"] as? Double && a != b)
      #expect(abs(try #require(line["difference"] as? Double) - (b - a)) < 1e-12)
      #expect(line["a_interval"] is [Double] && line["b_interval"] is NSNull)
      let days = try #require(line["by_day"] as? [String: Any])
      #expect((days["interval"] as? [Double])?.count == 2)
      #expect(
        lines.contains { $0["of"] as? String == "decision" && $0["figure"] as? String == "f1" })
      // Five cards a day do not compare with a hundred.
      #expect(!lines.contains { $0["figure"] as? String == "card_precision" })
      let leftOut = try #require(compared["left_out"] as? [[String: String]])
      #expect(
        leftOut.contains {
          $0["of"] == "fraud" && $0["figure"] == "card_precision"
            && $0["why"] == "entity or k differ"
        })
      #expect(try run(["compare", first, first]).contains("test windows/fraud"))
      // Nothing differs from itself.
      let same = try #require(
        try json(run(["compare", first, first, "--json"])) as? [String: Any])
      #expect(
        (same["figures"] as? [[String: Any]])?.allSatisfy { $0["difference"] as? Double == 0 }
          == true)
    }
  }

  @Test(
    arguments: [
      (["--test", "2018-04-08"], "--test must be like"),
      (["--policy", "weakly"], "did you mean 'weekly'"),
      (["--policy", "frozen"], "a time to freeze at"),
      (["--top", "0"], "--top must be a whole number from 1"),
      (["--top", "4611686018427387904"], "--top must be a whole number from 1"),
      (["--json", "-", "--features", "-"], "--json and --features both write standard output"),
      (["--json", "x.out", "--decisions", "./x.out"], "--json and --decisions both write x.out"),
      (["--features", "f.csv", "--from", "2018-04-03", "--to", "2018-04-02"], "--from must be"),
      (["--leave-out-known", "CUSTOMER_ID"], "give --test"),
      (["--card-precision", "CUSTOMER"], "does not name 'CUSTOMER'"),
    ])
  func wrongUsageIsExplained(_ flags: [String], _ message: String) throws {
    try withFolder { folder in
      let pipeline = folder + "/cards.yaml"
      try Workplace.pipelineText.write(toFile: pipeline, atomically: false, encoding: .utf8)
      let command = try Command(["replay", "--pipeline", pipeline, "--input", "x.csv"] + flags)
      #expect(command.wait() == 64)
      #expect(command.errors.contains(message), "\(command.errors)")
    }
  }

  @Test func onlyReplaysAreCompared() throws {
    try withFolder { folder in
      let path = folder + "/other.json"
      try "{\"models\": []}".write(toFile: path, atomically: false, encoding: .utf8)
      let command = try Command(["compare", path, path])
      #expect(command.wait() == 1)
      #expect(command.errors.contains("other.json"))
      #expect(command.errors.contains("weir replay --json"))
    }
  }
}
