import Pipeline
import Processes
import Topics

/// Producer, scorer and trainer as processes on a new folder, and this process as the reader.
struct LatencyRun {
  /// Where topics and logs lie.
  let folder: String
  /// Events a second, and how many of them are appended at once.
  var rate: Int
  var piece: Int
  /// Rows between two versions of a model.
  var publishEvery: Int

  /// What was measured, ms.
  struct Result {
    var decisions: Sample
    /// The median of the 99th percentiles of single seconds, which a pause of the machine does not
    /// move: what each second has shows.
    var usualTail: Double
    var swaps: Sample
  }

  /// Event time against the clock: the 70 minutes for which the trainer keeps events take 35 s.
  static let speed = 120

  /// Measures for so many seconds after `warmUp` seconds.
  func measure(seconds: Double, warmUp: Double) throws -> Result {
    let services = try LiveServices(
      folder: folder, rate: rate, piece: piece, publishEvery: publishEvery,
      seconds: seconds + warmUp + 5)
    defer { services.kill() }
    let follower = try Follower(log: services.log, pipeline: services.pipeline)
    try follower.follow(seconds: warmUp, while: services.areRunning)
    follower.reset()
    try follower.follow(seconds: seconds, while: services.areRunning)
    let result = Result(
      decisions: Sample(follower.decisions),
      usualTail: Sample(
        follower.decisionsBySecond.filter { !$0.isEmpty }.map { Sample($0).quantile(0.99) }
      ).median,
      swaps: Sample(try follower.swaps(pipeline: services.pipeline)))
    try services.stop()
    return result
  }
}

/// Producer, scorer and trainer at a steady rate.
final class LiveServices {
  let log: EmbeddedLog
  let pipeline: Pipeline
  let scorer: ChildProcess
  let trainer: ChildProcess
  private let producer: ChildProcess

  init(
    folder: String, rate: Int, piece: Int, publishEvery: Int, seconds: Double
  ) throws {
    let file = folder + "/hunt.yaml"
    let topics = folder + "/topics"
    // Whole mini-batches between two versions, so that these come when they are due. What is kept of
    // events for a while is complete after half a minute.
    let batches = (publishEvery + 127) / 128
    let text = HuntPipeline.text(
      publishEvery: publishEvery, snapshotEvery: 20, trees: 100, batch: publishEvery / batches,
      uniqueWithin: rate * 20, labelDelay: "\(Emit.labelDelay / 60_000)m")
    try write(Array(text.utf8), to: file)
    pipeline = try Pipeline(path: file)
    log = try EmbeddedLog(folder: topics, access: .readWrite)
    func start(_ name: String, _ program: String, _ arguments: [String]) throws -> ChildProcess {
      try ChildProcess(
        name, program: ChildProcess.beside(program), arguments + ["--topics", topics],
        logFile: "\(folder)/\(name).log")
    }
    scorer = try start("scorer", "weir", ["score", "--pipeline", file, "--log-level", "warning"])
    trainer = try start("trainer", "weir", ["train", "--pipeline", file, "--log-level", "warning"])
    producer = try start(
      "producer", "weir-hunt",
      [
        "emit", "--rate", "\(rate)", "--piece", "\(piece)", "--speed", "\(LatencyRun.speed)",
        "--seconds", "\(seconds)",
      ])
  }

  deinit { kill() }

  /// - Returns: true.
  /// - Throws: `ProcessFailure` or `Failure` if one has ended.
  func areRunning() throws -> Bool {
    for child in [producer, scorer, trainer] where !child.isRunning {
      try child.checkExit()
      throw Failure("the \(child.name) ended by itself")
    }
    return true
  }

  func stop() throws {
    producer.kill()
    for child in [scorer, trainer] {
      try child.stop()
      guard let first = child.log.first else { continue }
      throw Failure("the \(child.name) warned: \(first)")
    }
  }

  func kill() { for child in [producer, scorer, trainer] { child.kill() } }
}
