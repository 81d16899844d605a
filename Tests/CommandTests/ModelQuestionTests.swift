import Foundation
import Testing
import Topics

/// Which version was served when, and versions as files of their own.
@Suite struct ModelQuestionTests {
  private func withVersions(_ body: (Workplace) throws -> Void) throws {
    try withFolder { folder in
      let work = try Workplace(in: folder)
      for piece in 0..<4 {
        try work.produce(piece)
        try work.run("score")
        try work.run("train")
      }
      try body(work)
    }
  }

  @Test func whatWasServedWhenCanBeAsked() throws {
    try withVersions { work in
      let lines = try weir("topics", "read", "decisions", "--topics", work.topics)
        .split(separator: "\n").map(String.init)
      let decisions = try lines.map { try #require(try json($0) as? [String: Any]) }
      func version(_ decision: [String: Any], _ model: String) -> Int? {
        (decision["scores"] as? [String: [String: Any]])?[model]?["version"] as? Int
      }

      let history = try objects(weir("models", "history", "--json", "--topics", work.topics))
      for model in ["fraud", "clusters", "outlier"] {
        let stretches = history.filter { $0["model"] as? String == model }
        #expect(stretches.first?["version"] is NSNull)
        #expect(stretches.reduce(0) { $0 + ($1["events"] as? Int ?? 0) } == work.events)
        let alerts = decisions.count { $0["outcome"] as? String == "alert" }
        #expect(stretches.reduce(0) { $0 + ($1["alerts"] as? Int ?? 0) } == alerts)
        var event = 0
        for stretch in stretches {
          #expect(stretch["first_time"] as? String == decisions[event]["time"] as? String)
          #expect(stretch["version"] as? Int == version(decisions[event], model))
          event += stretch["events"] as? Int ?? 0
          #expect(stretch["last_time"] as? String == decisions[event - 1]["time"] as? String)
          #expect(stretch["version"] as? Int == version(decisions[event - 1], model))
        }
      }
      let one = try weir("models", "history", "cards/fraud", "--topics", work.topics)
      #expect(one.contains("cards/fraud none"))
      #expect(!one.contains("cards/outlier"))

      let list = try objects(weir("models", "list", "--json", "--topics", work.topics))
      for index in stride(from: 0, to: decisions.count, by: decisions.count / 6) {
        let time = try #require(decisions[index]["time"] as? String)
        // Several events may have the time: the last of them counts.
        let last = try #require(decisions.last { $0["time"] as? String == time })
        let served = try objects(
          weir("models", "at", "--time", time, "--json", "--topics", work.topics))
        #expect(served.count == 3)
        for answer in served {
          let model = try #require(answer["model"] as? String)
          #expect(answer["version"] as? Int == version(last, model))
          guard let number = answer["version"] as? Int else { continue }
          let published = list.first {
            $0["model"] as? String == model && $0["version"] as? Int == number
          }
          #expect(answer["digest"] as? String == published?["digest"] as? String)
          #expect(answer["examples"] as? Int == published?["examples"] as? Int)
          #expect(answer["published"] as? String == published?["time"] as? String)
        }
      }
      let before = try objects(
        weir("models", "at", "--time", "2017-01-01", "--json", "--topics", work.topics))
      #expect(before.count == 3)
      #expect(before.allSatisfy { $0["version"] is NSNull })
      #expect(
        try weir("models", "at", "--time", "2017-01-01", "--topics", work.topics)
          .contains("cards/fraud none"))

      let verified = try #require(
        try json(weir("models", "verify", "--json", "--topics", work.topics)) as? [String: Any])
      #expect((verified["bad"] as? [Any])?.isEmpty == true)
      let models = try #require(verified["models"] as? [[String: Any]])
      #expect(models.reduce(0) { $0 + ($1["rebuilt"] as? Int ?? 0) } == list.count)
      #expect(
        try weir("models", "verify", "cards/fraud@2", "--topics", work.topics).contains("0 bad"))
    }
  }

  @Test func exportedVersionsScoreAsTheyWereServed() throws {
    try withVersions { work in
      let folder = work.folder
      let decisions = try weir("topics", "read", "decisions", "--topics", work.topics)
        .split(separator: "\n").map(String.init)
      let last = try #require(try json(decisions[decisions.count - 1]) as? [String: Any])
      let scores = try #require(last["scores"] as? [String: [String: Any]])
      var arguments = [
        "replay", "--pipeline", work.pipeline, "--input", work.pieces[3], "--decisions",
        folder + "/decisions.jsonl", "--json", "-",
      ]
      for (model, score) in scores {
        let version = try #require(score["version"] as? Int)
        let text = try weir(
          "models", "export", "cards/\(model)@\(version)", "--out", "\(folder)/\(model).weir",
          "--topics", work.topics)
        #expect(text.contains(score["digest"] as? String ?? "none"))
        arguments += ["--models", "\(folder)/\(model).weir"]
      }
      let command = try Command(arguments)
      #expect(command.wait() == 0, "\(command.errors)")
      let report = try #require(try json(command.output) as? [String: Any])
      for (model, result) in try #require(report["models"] as? [String: [String: Any]]) {
        let final = try #require(result["final"] as? [String: Any])
        #expect(final["version"] as? Int == scores[model]?["version"] as? Int)
        #expect(final["digest"] as? String == scores[model]?["digest"] as? String)
      }
      #expect(report["learnt"] as? Int == 0)
      // The piece was scored by these versions: decision by decision the same bytes.
      let replayed = try String(contentsOfFile: folder + "/decisions.jsonl", encoding: .utf8)
        .split(separator: "\n").map(String.init)
      #expect(replayed.count > 100)
      #expect(replayed == Array(decisions.suffix(replayed.count)))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy {
          !$0.hasSuffix(".partial")
        })

      try refusesFiles(work)
    }
  }

  private func refusesFiles(_ work: Workplace) throws {
    let good = work.folder + "/fraud.weir"
    func replay(_ pipeline: String, _ files: String..., status: Int32, _ words: String...) throws {
      let command = try Command(
        ["replay", "--pipeline", pipeline, "--input", work.pieces[3]]
          + files.flatMap { ["--models", $0] })
      #expect(command.wait() == status)
      for word in words { #expect(command.errors.contains(word), "\(command.errors)") }
    }
    try replay(work.pipeline, good, good, status: 64, "fraud")
    try replay(work.pipeline, work.history, status: 1, work.history, "not a model version")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: good))
    let bad = URL(fileURLWithPath: work.folder + "/bad.weir")
    for (index, word) in [(bytes.count - 1, "checksum"), (25, "checksum"), (12, "holds")] {
      var damaged = bytes
      damaged[index] ^= 1
      try damaged.write(to: bad)
      try replay(work.pipeline, bad.path, status: 1, bad.path, word)
    }
    try bytes.dropLast(10).write(to: bad)
    try replay(work.pipeline, bad.path, status: 1, bad.path, "holds")
    let other = work.folder + "/other.yaml"
    try Workplace.pipelineText.replacingOccurrences(of: "  - log: TX_AMOUNT\n", with: "")
      .write(toFile: other, atomically: false, encoding: .utf8)
    try replay(other, good, status: 1, "cards/fraud@", "- feature log(TX_AMOUNT)")
    let missing = try Command([
      "models", "export", "cards/fraud@9999", "--out", work.folder + "/x", "--topics", work.topics,
    ])
    #expect(missing.wait() == 1)
    #expect(!FileManager.default.fileExists(atPath: work.folder + "/x"))
  }
}
