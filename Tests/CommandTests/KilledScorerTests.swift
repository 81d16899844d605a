import Foundation
import Pipeline
import Testing
import Topics

/// Features with windows, fed by labels, of a scorer that is killed in the middle of the stream.
@Suite struct KilledScorerTests {
  /// The repository's pipeline file.
  private static let pipeline = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("models/handbook.yaml").path

  /// The features of all events, by identifier and in their order.
  private func features(_ topics: String) throws -> [String: [UInt64]] {
    let log = try EmbeddedLog(folder: topics, access: .readOnly)
    let reader = try log.reader(
      PipelineTopics.scored, of: PipelineTopics(pipeline: "handbook").scorer)
    var all: [String: [UInt64]] = [:]
    _ = try reader.read(from: reader.startOffset(), limit: .max) { record in
      let block = try ScoredBlock(bytes: [UInt8](record.value))
      for row in 0..<block.rows {
        let values = (0..<block.features).map { block.feature($0, row: row).bitPattern }
        let before = all.updateValue(values, forKey: String(decoding: block.id(row), as: UTF8.self))
        #expect(before == nil, "an event was scored twice")
      }
      return true
    }
    return all
  }

  @Test func killingChangesNoFeature() throws {
    try withFolder { folder in
      let stream = folder + "/stream.csv"
      try weir(
        "generate", "handbook", "--customers", "400", "--terminals", "300", "--days", "90",
        "--out", stream)
      func produce(_ topics: String) throws {
        try weir("produce", stream, "--pipeline", Self.pipeline, "--topics", topics)
      }
      let (whole, killed) = (folder + "/whole", folder + "/killed")
      try produce(whole)
      try weir("score", "--pipeline", Self.pipeline, "--topics", whole, "--until-end")
      let expected = try features(whole)
      #expect(expected.count > 60_000)

      try produce(killed)
      let log = try EmbeddedLog(folder: killed, access: .readOnly)
      var restored = 0
      for share in 1...4 {
        let scorer = try Command(["score", "--pipeline", Self.pipeline, "--topics", killed])
        try wait(on: log) { try log.count("decisions") > expected.count * share / 5 }
        scorer.send(SIGKILL)
        #expect(scorer.wait() == -SIGKILL)
        if scorer.errors.contains("features remember") { restored += 1 }
      }
      #expect(restored == 4)
      try weir("score", "--pipeline", Self.pipeline, "--topics", killed, "--until-end")
      #expect(try features(killed) == expected)
    }
  }
}
