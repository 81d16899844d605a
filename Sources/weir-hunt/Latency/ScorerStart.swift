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
  /// Records on the topic.
  private(set) var updates: UInt64 = 0
  private var random = RandomSource(seed: 1)
  /// Of the next event.
  private var number = 0

  /// Events between which scorer and trainer run: labels come soon behind their events then, as they
  /// do live, and few of them wait.
  private static let piece = 2_000
  private static let firstTime = 1_500_000_000
  /// Seconds between two events, and from an event to its label.
  private static let distance = 600
  private static let labelDelay = 3_600

  /// Fills a topic with `updates` versions that a scorer and a trainer make of a stream, as they do
  /// live.
  init(updates: Int, folder: String) throws {
    self.folder = folder
    file = folder + "/hunt.yaml"
    // Fixed thresholds and no guards: a sample to be scored for each version would take most of the
    // time.
    let every = 4
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
    while try models.endOffset() < UInt64(updates) {
      var stream = RecordBatch()
      var labels = RecordBatch()
      for _ in 0..<Self.piece {
        labels.append(key: nil, value: label(), timestamp: 0)
        stream.append(key: nil, value: event(), timestamp: 0)
      }
      try events.transact { transaction in
        try transaction.append(stream, to: PipelineTopics.events)
        try transaction.append(labels, to: PipelineTopics.labels)
      }
      try scorer.run(stop: StopSignal(), untilEnd: true)
      try trainer.run(stop: StopSignal(), untilEnd: true)
    }
    self.updates = try models.endOffset()
  }

  /// The next event.
  private mutating func event() -> [UInt8] {
    defer { number += 1 }
    return Array(
      """
      {"TRANSACTION_ID":\(number),"TX_DATETIME":\(Self.firstTime + number * Self.distance),\
      "CUSTOMER_ID":\(random.below(1_000)),"TX_AMOUNT":\(50 * (0.5 + random.uniform()))}
      """.utf8)
  }

  /// The label of the next event.
  private mutating func label() -> [UInt8] {
    let time = Self.firstTime + number * Self.distance + Self.labelDelay
    return Array(
      """
      {"event_id":"\(number)","label":\(random.below(50) == 0 ? 1 : 0),"time":\(time)}
      """.utf8)
  }

  /// Seconds from the start of the process until its first decision is readable.
  mutating func measure() throws -> Double {
    let before = try decisions.endOffset()
    var batch = RecordBatch()
    batch.append(key: nil, value: event(), timestamp: 0)
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
