import Foundation
import Pipeline
import Topics

/// The program `weir` as users run it, in processes of its own.
enum ProgramBenchmarks {
  static let all = [decision, replay]

  // MARK: Latency of a decision

  private static let decision = Benchmark(
    name: "append-to-decision",
    summary: "from the append of one event to its decision, made by a `weir score` process"
  ) { context in
    // 4,096 events teach the models; the scorer then serves what the trainer published.
    let history = try context.scratch.write(
      context.stream.csv(4_096, label: true), to: "history.csv")
    let folder = try context.scratch.emptyFolder("decisions")
    try ChildProcess.run(
      [
        context.weir, "train", "--pipeline", context.cardPipelineFile, "--topics", folder,
        "--input", history, "--until-end",
      ], quiet: true)
    let events = context.stream.jsonEvents(4_096)
    return {
      let scorer = try ChildProcess(
        [
          context.weir, "score", "--pipeline", context.cardPipelineFile, "--topics", folder,
        ], quiet: true)
      let result = Result {
        let follower = try DecisionFollower(
          folder: folder, pipeline: context.cardPipeline().name)
        // The scorer is up when it has decided on the first event.
        _ = try follower.time(events[0])
        return Sample(try events.dropFirst().map { try follower.time($0) * 1e6 })
      }
      scorer.terminate()
      try scorer.wait()
      let sample = try result.get()
      return [
        Measurement(name: "append-to-decision", value: sample.median, unit: "µs"),
        Measurement(name: "append-to-decision/p99", value: sample.quantile(0.99), unit: "µs"),
      ]
    }
  }

  // MARK: Replay

  private static let replay = Benchmark(
    name: "replay/handbook",
    summary:
      "`weir replay` of the Handbook's 1,754,155 transactions, whole process, with its memory"
  ) { context in
    let file = "\(context.scratch.path)/handbook.csv"
    try ChildProcess.run([context.weir, "generate", "handbook", "--out", file], quiet: true)
    let pipeline = "\(context.repository)/models/card-fraud.yaml"
    return {
      var output = ""
      let seconds = try seconds {
        output = try ChildProcess.run(
          [context.weir, "replay", "--pipeline", pipeline, "--input", file, "--json", "-"],
          quiet: true)
      }
      let report = try JSONDecoder().decode(ReplayFigures.self, from: Data(output.utf8))
      return [
        Measurement(
          name: "replay/handbook", value: Double(report.events) / seconds, unit: "events/s"),
        Measurement(
          name: "replay/handbook/memory", value: Double(report.peakMemory) / 1_048_576,
          unit: "MiB"),
      ]
    }
  }

  /// What `weir replay` says of itself. Its memory, because what wait4(2) gives includes that of
  /// the program that started it.
  private struct ReplayFigures: Decodable {
    let events: Int
    let peakMemory: Int

    enum CodingKeys: String, CodingKey {
      case events
      case peakMemory = "peak_memory_bytes"
    }
  }
}

/// Appends events as a producer and waits for the decision on each.
private final class DecisionFollower {
  struct Timeout: Error, CustomStringConvertible {
    let description = "no decision within ten seconds"
  }

  private let log: EmbeddedLog
  private let writer: any TopicWriter
  private let decisions: any TopicReader
  private var next: UInt64
  private var batch = RecordBatch()

  init(folder: String, pipeline: String) throws {
    log = try EmbeddedLog(folder: folder, access: .readWrite)
    writer = try log.writer(PipelineTopics.producers, exclusive: false)
    decisions = try log.reader(
      PipelineTopics.decisions, of: PipelineTopics(pipeline: pipeline).scorer)
    next = try decisions.endOffset()
  }

  /// Seconds from the append of an event until the decision on it was read.
  func time(_ event: [UInt8]) throws -> Double {
    batch.removeAll()
    batch.append(key: nil, value: event, timestamp: 0)
    let start = nanoseconds()
    try writer.transact { _ = try $0.append(batch, to: PipelineTopics.events) }
    var decision: [UInt8] = []
    while true {
      let token = log.changeToken()
      let after = try decisions.read(from: next, limit: 1) { record in
        decision = Array(record.value)
        return true
      }
      if after > next {
        next = after
        let seconds = Double(nanoseconds() - start) * 1e-9
        precondition(
          String(decoding: decision, as: UTF8.self).contains("\"status\":\"scored\""),
          "the scorer decided without parameters")
        return seconds
      }
      // A token taken before the look above: a decision in between ends the wait at once.
      guard seconds(since: start) < 10 else { throw Timeout() }
      _ = log.waitForChange(since: token, timeoutMilliseconds: 1_000)
    }
  }

  private func seconds(since start: UInt64) -> Double { Double(nanoseconds() - start) * 1e-9 }
}
