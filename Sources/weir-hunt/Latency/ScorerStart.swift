import Learners
import Logging
import Pipeline
import Processes
import Topics

/// A `models` topic with very many updates, and how soon a scorer that starts on it decides.
struct ScorerStart {
  private let folder: String
  private let file: String
  private let log: EmbeddedLog
  private let events: any TopicWriter
  private let decisions: any TopicReader
  private var random = RandomSource(seed: 1)

  /// Fills a topic with `updates` versions that a scorer and a trainer make of a stream, as they do
  /// live.
  init(updates: Int, folder: String) throws {
    self.folder = folder
    file = folder + "/hunt.yaml"
    // Fixed thresholds and no guards: a sample to be scored for each version would take most of the
    // time.
    let every = 16
    let text = HuntPipeline.text(
      publishEvery: every, snapshotEvery: 20, trees: 10, batch: every,
      limit: "thresholds: {fraud: 0.9, clusters: 0.9, outlier: 0.9}", hasGuards: false)
    try write(Array(text.utf8), to: file)
    let pipeline = try Pipeline(path: file)
    log = try EmbeddedLog(folder: folder + "/topics", access: .readWrite)
    let topics = PipelineTopics(pipeline: pipeline.name)
    events = try log.writer(PipelineTopics.producers, exclusive: false)
    decisions = try log.reader(PipelineTopics.decisions, of: topics.scorer)
    let models = try log.reader(PipelineTopics.models, of: topics.trainer)
    let logger = Logger(label: "hunt") { _ in SwiftLogNoOpLogHandler() }
    let scorer = try ScorerService(
      pipeline: pipeline, log: log, logger: logger, now: { 1_700_000_000_000 })
    let trainer = try TrainerService(
      pipeline: pipeline, log: log, logger: logger, now: { 1_700_000_000_000 })
    var number: UInt64 = 0
    while try models.endOffset() < UInt64(updates) {
      var stream = RecordBatch()
      var labels = RecordBatch()
      for _ in 0..<50_000 {
        stream.append(key: nil, value: event(number), timestamp: 0)
        let label = random.below(50) == 0 ? 1 : 0
        labels.append(
          key: nil, value: Array("{\"event_id\":\"\(number)\",\"label\":\(label)}".utf8),
          timestamp: 0)
        number += 1
      }
      try events.transact { transaction in
        try transaction.append(stream, to: PipelineTopics.events)
        try transaction.append(labels, to: PipelineTopics.labels)
      }
      try scorer.run(stop: StopSignal(), untilEnd: true)
      try trainer.run(stop: StopSignal(), untilEnd: true)
    }
  }

  private mutating func event(_ number: UInt64) -> [UInt8] {
    Array(
      """
      {"TRANSACTION_ID":\(number),"TX_DATETIME":\(1_500_000_000 + number * 60),\
      "CUSTOMER_ID":\(random.below(1_000)),"TX_AMOUNT":\(50 * (0.5 + random.uniform()))}
      """.utf8)
  }

  /// Seconds from the start of the process until its first decision is readable.
  mutating func measure() throws -> Double {
    let before = try decisions.endOffset()
    var batch = RecordBatch()
    batch.append(key: nil, value: event(before + 1 << 40), timestamp: 0)
    try events.transact { _ = try $0.append(batch, to: PipelineTopics.events) }
    let started = monotonicNanoseconds()
    let scorer = try ChildProcess(
      "scorer", program: ChildProcess.beside("weir"),
      ["score", "--pipeline", file, "--topics", log.folder, "--log-level", "warning"],
      logFile: folder + "/scorer.log")
    defer { scorer.kill() }
    while true {
      let token = log.changeToken()
      if try decisions.endOffset() > before { break }
      guard scorer.isRunning else {
        try scorer.checkExit()
        throw Failure("the scorer ended by itself")
      }
      _ = log.waitForChange(since: token, timeoutMilliseconds: 100)
    }
    let seconds = Double(monotonicNanoseconds() - started) * 1e-9
    try scorer.stop()
    return seconds
  }
}
