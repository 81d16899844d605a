import Features
import Learners
import ModelLog
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

  /// Fills a topic with `updates` versions that a training engine makes of its stream.
  init(updates: Int, folder: String) throws {
    self.folder = folder
    file = folder + "/hunt.yaml"
    // Fixed thresholds: to find one for each version would take most of the time.
    let text = HuntPipeline.text(
      publishEvery: 16, snapshotEvery: 20, trees: 10, batch: 16,
      limit: "thresholds: {fraud: 0.9, clusters: 0.9, outlier: 0.9}")
    try write(Array(text.utf8), to: file)
    let pipeline = try Pipeline(path: file)
    log = try EmbeddedLog(folder: folder + "/topics", access: .readWrite)
    let topics = PipelineTopics(pipeline: pipeline.name)
    events = try log.writer(PipelineTopics.producers, exclusive: false)
    decisions = try log.reader(PipelineTopics.decisions, of: topics.scorer)
    let models = try log.writer(topics.trainer, exclusive: true)
    var scoring = ScoringEngine(pipeline: pipeline)
    var training = TrainingEngine(pipeline: pipeline, epoch: models.epoch)
    let decoder = EventDecoder(schema: pipeline.schema, readsLabel: false)
    var block = EventBlock(schema: pipeline.schema, capacity: 256)
    var published = 0
    var number: UInt64 = 0
    while published < updates {
      block.removeAll()
      while !block.isFull {
        try event(number).withUnsafeBytes {
          try decoder.decode(json: $0, position: number, timestamp: 0, into: &block)
        }
        number += 1
      }
      let scored = scoring.score(block)
      training.observe(scored)
      for row in 0..<scored.rows {
        training.label(
          id: Array(scored.id(row)), random.below(50) == 0 ? .positive : .negative,
          time: scored.time(row))
      }
      var batch = RecordBatch()
      for update in training.takeUpdates(time: scored.time(0), positions: []) {
        try scoring.apply(update)
        let key = Array("\(pipeline.name)/\(update.header.model)".utf8)
        for chunk in UpdateChunks.split(update) {
          batch.append(key: key, value: chunk, timestamp: update.header.time)
        }
        published += 1
      }
      try models.transact { _ = try $0.append(batch, to: PipelineTopics.models) }
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
