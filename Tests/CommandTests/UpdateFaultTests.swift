import Foundation
import ModelLog
import Pipeline
import Testing
import Topics
import UpdateFaults

/// A scorer that runs as a process of its own while faults come on `models`.
@Suite struct UpdateFaultTests {
  /// A running scorer that serves version 3 of one model.
  private final class Bench {
    let log: EmbeddedLog
    let trainer: PretendTrainer
    let scorer: Command
    private let topics: String
    private let producer: any TopicWriter
    private var events = 0

    init(in folder: String) throws {
      topics = folder + "/topics"
      let path = folder + "/cards.yaml"
      try Workplace.pipelineText.write(toFile: path, atomically: false, encoding: .utf8)
      log = try EmbeddedLog(folder: topics, access: .readWrite)
      trainer = try PretendTrainer(pipeline: Pipeline(path: path), log: log)
      try trainer.publish(trainer.updates[0], trainer.updates[1], trainer.updates[2])
      producer = try log.writer(.producers, exclusive: false)
      scorer = try Command(["score", "--pipeline", path, "--topics", topics])
    }

    /// Has another event decided, and gives the version that scored it.
    func decide() throws -> Int? {
      events += 1
      let event =
        "{\"TRANSACTION_ID\":\(events),\"TX_DATETIME\":\"2018-04-01 00:00:31\","
        + "\"CUSTOMER_ID\":1,\"TX_AMOUNT\":5}"
      var batch = RecordBatch()
      batch.append(key: nil, value: Array(event.utf8), timestamp: 0)
      try producer.transact { _ = try $0.append(batch, to: PipelineTopics.events) }
      try wait(on: log) { try log.count("decisions") >= events }
      let reader = try log.reader(
        PipelineTopics.decisions, of: PipelineTopics(pipeline: "cards").scorer)
      var decision: [UInt8] = []
      _ = try reader.read(from: UInt64(events - 1), limit: 1) {
        decision = [UInt8]($0.value)
        return false
      }
      let object = try json(String(decoding: decision, as: UTF8.self)) as? [String: Any]
      let scores = try #require(object?["scores"] as? [String: [String: Any]])
      return scores["fraud"]?["version"] as? Int
    }

    /// Has events decided until one is by `version`. An update and an event race each other.
    func decide(untilServed version: Int, _ location: SourceLocation = #_sourceLocation) throws {
      for _ in 0..<1000 where try decide() == version { return }
      Issue.record("version \(version) is never served", sourceLocation: location)
    }

    /// What was refused, once there is something on record that fits.
    func refusal(where condition: (UpdateRefusal) -> Bool) throws -> UpdateRefusal {
      var found: UpdateRefusal?
      try wait(on: log) {
        found = try UpdateRefusals(log: log, pipeline: "cards").entries.first(where: condition)
        return found != nil
      }
      return try #require(found)
    }

    /// What `weir models list` says was refused.
    func listed() throws -> [[String: Any]] {
      try objects(weir("models", "list", "--json", "--topics", topics))
        .compactMap { $0["refused"] as? [String: Any] }
    }

    /// The kinds of what `weir models verify` finds bad.
    func verify() throws -> [String] {
      let command = try Command(["models", "verify", "--json", "--topics", topics])
      #expect(command.wait() == 1, "\(command.errors)")
      let result = try #require(try json(command.output) as? [String: Any])
      return try #require(result["bad"] as? [[String: Any]]).compactMap { $0["code"] as? String }
    }

    func table() throws -> String { try weir("models", "list", "--topics", topics) }
  }

  @Test(arguments: UpdateFault.allCases)
  func faultIsNoticedNamedAndHealed(_ fault: UpdateFault) throws {
    try withFolder { folder in
      let bench = try Bench(in: folder)
      try bench.decide(untilServed: 3)
      try bench.trainer.publish(fault)
      let refusal = try bench.refusal { _ in true }
      #expect(refusal.code.rawValue == fault.code)
      #expect(try bench.decide() == 3)
      #expect(bench.scorer.errors.contains("update refused"))
      #expect(bench.scorer.errors.contains(fault.code))
      let open = try bench.listed()
      let said = try #require(open.first { $0["code"] as? String == fault.code })
      #expect(said["reason"] as? String == refusal.reason)
      #expect(said["time"] is String)
      #expect(said["healed_by"] is NSNull)
      #expect(try bench.table().contains(refusal.reason))

      try bench.trainer.publish(bench.trainer.snapshot(8))
      try bench.decide(untilServed: 8)
      _ = try bench.refusal { $0.code.rawValue == fault.code && $0.healedBy == "cards/fraud@8" }
      #expect(bench.scorer.errors.contains("healed"))
      let healed = try bench.listed().first { $0["code"] as? String == fault.code }
      #expect(healed?["healed_by"] as? String == "cards/fraud@8")
      #expect(try bench.verify().contains(fault.code))
      bench.scorer.send(SIGTERM)
      #expect(bench.scorer.wait() == 0)
    }
  }

  @Test func damagedBatchIsNoticedNamedAndHealed() throws {
    try withFolder { folder in
      let bench = try Bench(in: folder)
      try bench.decide(untilServed: 3)
      // The scorer must not read it while it is sound.
      bench.scorer.stop()
      try bench.trainer.publish(bench.trainer.updates[3])
      let file = "\(folder)/topics/\(PipelineTopics(pipeline: "cards").trainer.name)/data.mdb"
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
      let digest = Data(bench.trainer.updates[3].digest.bytes)
      let place = try #require(handle.readDataToEndOfFile().range(of: digest))
      try handle.seek(toOffset: UInt64(place.lowerBound))
      try handle.write(contentsOf: Data([digest[0] ^ 1]))
      try handle.close()
      bench.scorer.send(SIGCONT)

      let refusal = try bench.refusal { _ in true }
      #expect(refusal.code.rawValue == "damaged-batch")
      #expect(refusal.offset == 3)
      #expect(refusal.reason.contains("models/0"))
      #expect(try bench.decide() == 3)
      #expect(bench.scorer.errors.contains("damaged-batch"))
      #expect(try bench.listed().contains { $0["code"] as? String == "damaged-batch" })
      try bench.trainer.publish(bench.trainer.snapshot(5))
      try bench.decide(untilServed: 5)
      _ = try bench.refusal { $0.healedBy == "cards/fraud@5" }
    }
  }

  @Test func withheldUpdatesAreListed() throws {
    try withFolder { folder in
      let bench = try Bench(in: folder)
      let withheld = WithheldUpdate(
        pipeline: "cards", model: "fraud", epoch: 5, servedVersion: 3, time: 1_522_540_800_000,
        eventTime: 1_522_540_800_000, code: .figureDrop, reason: "AUROC would fall",
        action: .fellBack, rows: 512)
      try bench.trainer.append([UpdateChunks.record(of: withheld)])
      try bench.trainer.publish(bench.trainer.updates[3])
      // To a scorer it is no fault.
      try bench.decide(untilServed: 4)
      let topics = folder + "/topics"
      let list = try objects(weir("models", "list", "--json", "--topics", topics))
      #expect(list.count == 5)
      #expect(list.map { $0["version"] as? Int } == [1, 2, 3, nil, 4])
      let said = try #require(list[3]["withheld"] as? [String: Any])
      #expect(list[3]["model"] as? String == "fraud")
      #expect(said["reason"] as? String == "AUROC would fall")
      #expect(said["action"] as? String == "fell-back")
      #expect(list.allSatisfy { $0["refused"] == nil })
      let table = try bench.table()
      #expect(table.contains("withheld"))
      #expect(table.contains("AUROC would fall; fell back to the state of version 3"))
      let last = try objects(
        weir("models", "list", "cards/fraud", "--last", "1", "--json", "--topics", topics))
      #expect(last.map { $0["version"] as? Int } == [4])
      #expect(try weir("models", "verify", "--topics", topics).contains("0 bad"))
      let refusals = try UpdateRefusals(log: bench.log, pipeline: "cards")
      #expect(refusals.entries.isEmpty)
    }
  }
}
