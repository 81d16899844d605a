import Foundation
import Testing

/// Exit status 64 for wrong usage, 1 for failures, what is wrong on standard error and nothing on
/// standard output.
@Suite struct UsageTests {
  /// A command line, in which PIPELINE, WRONG, TOPICS and HISTORY stand for files, its exit status,
  /// and what its error has to say.
  struct Mistake: CustomTestStringConvertible {
    var line: String
    var status: Int32
    var words: [String]

    init(_ line: String, _ status: Int32, _ words: String...) {
      (self.line, self.status, self.words) = (line, status, words)
    }

    var testDescription: String { line }
  }

  @Test(arguments: [
    Mistake("trian", 64, "trian"),
    Mistake("train", 64, "--pipeline"),
    Mistake("train --pipeline PIPELINE --topics kafka://host", 64, "folder"),
    Mistake("train --pipeline PIPELINE --topics TOPICS --log-level loud", 64, "loud"),
    Mistake("train --pipeline PIPELINE --topics TOPICS --durability some", 64, "always", "'some'"),
    Mistake("train --pipeline PIPELINE --topics TOPICS --input /nowhere.csv", 1, "/nowhere.csv"),
    Mistake("train --pipeline PIPELINE --topics TOPICS --input OTHER", 1, "TRANSACTION_ID", "x, y"),
    Mistake("score --pipeline /nowhere.yaml", 1, "/nowhere.yaml"),
    Mistake(
      "score --pipeline WRONG --topics TOPICS", 1, "WRONG:1: ", "did you mean 'pipeline'?",
      "WRONG:17: "),
    Mistake("score --pipeline PIPELINE --topics /proc/nowhere", 1, "/proc/nowhere"),
    Mistake("score --pipeline PIPELINE --until", 64, "--until"),
    Mistake("replay --pipeline PIPELINE", 64, "--input"),
    Mistake("replay --pipeline PIPELINE --input /nowhere.csv", 1, "/nowhere.csv"),
    Mistake("replay --pipeline PIPELINE --input HISTORY --label-delay soon", 64, "soon", "7d"),
    Mistake(
      "replay --pipeline PIPELINE --input HISTORY --json /nowhere/x.json", 1, "/nowhere/x.json"),
    Mistake("models list --topics /nowhere", 1, "/nowhere"),
    Mistake("models show cards --topics TOPICS", 64, "cards"),
    Mistake("models show cards/fraud@0 --topics TOPICS", 64, "cards/fraud@0"),
    Mistake("models show cards/fraud --topics TOPICS", 1, "cards/fraud"),
    Mistake("models diff cards/fraud@1 --topics TOPICS", 64, "to"),
    Mistake("produce HISTORY --topics TOPICS", 64, "--topic or --pipeline"),
    Mistake("produce HISTORY --topic decisions --topics TOPICS", 64, "'decisions'"),
    Mistake("produce HISTORY --topic events --rate 0 --topics TOPICS", 64, "--rate"),
    Mistake("produce HISTORY --topic events --label-delay 1d --topics TOPICS", 64, "--label-delay"),
    Mistake("produce /nowhere.csv --topic events --topics TOPICS", 1, "/nowhere.csv"),
    Mistake("generate handbook --customers 0", 1, "customers"),
    Mistake("generate handbook --days many", 64, "many"),
    Mistake("generate handbook --drift fishing", 64, "fishing", "card-testing"),
    Mistake("generate handbook --drift card-testing --customers 5", 1, "customers", "from 6"),
    Mistake("topics list --topics /nowhere", 1, "/nowhere"),
    Mistake("topics read event --topics TOPICS", 64, "did you mean 'events'?"),
    Mistake("topics read events --topics TOPICS --from 1 --since 2018-04-01", 64, "exclude"),
    Mistake("topics read events --topics TOPICS --since soon", 64, "2018-04-01T12:00:00Z"),
    Mistake("topics read events --topics TOPICS --limit -1", 64, "--limit"),
    Mistake("topics retain event --age 1d --topics TOPICS", 64, "did you mean 'events'?"),
    Mistake("topics retain events --age soon --topics TOPICS", 64, "90d", "'soon'"),
    Mistake("topics retain events --size 50 --topics TOPICS", 64, "50GB", "'50'"),
    Mistake("topics retain events --age 1d --off --topics TOPICS", 64, "--off"),
    Mistake("topics retain --age 1d --topics TOPICS", 64, "which topic"),
    Mistake("topics retain --topics /nowhere", 1, "/nowhere"),
  ])
  func mistakesHaveTheirStatusAndReason(_ mistake: Mistake) throws {
    try withFolder { folder in
      let files = [
        "PIPELINE": Workplace.pipelineText,
        "WRONG": Workplace.pipelineText.replacingOccurrences(of: "pipeline:", with: "pipelin:")
          .replacingOccurrences(of: "kind: logistic-regression", with: "kind: logistic"),
        "HISTORY": "TRANSACTION_ID,TX_DATETIME,TX_AMOUNT\n1,2018-04-01 00:00:31,5\n",
        "OTHER": "x,y\n1,2\n",
      ]
      for (name, text) in files {
        try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
      }
      if mistake.line.contains("TOPICS") {
        try weir(
          "produce", folder + "/HISTORY", "--topic", "events", "--topics", folder + "/TOPICS")
      }
      let words = mistake.line.split(separator: " ").map { word in
        ["PIPELINE", "WRONG", "HISTORY", "OTHER", "TOPICS"].contains(String(word))
          ? "\(folder)/\(word)" : String(word)
      }
      let command = try Command(words)
      #expect(command.wait() == mistake.status, "\(command.errors)")
      #expect(command.output.isEmpty)
      for word in mistake.words {
        #expect(command.errors.contains(word), "\(command.errors)")
      }
    }
  }
}
