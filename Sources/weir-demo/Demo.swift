import Datasets
import Files
import Foundation
import Pipeline
import Processes
import Topics

/// Two months of card payments in half a minute: how Weir scores, learns and survives a crash.
struct Demo {
  private static let pipelineFile = "models/card-fraud.yaml"
  private static let rate = 8_000
  /// Payments that must be scored while the trainer is dead.
  private static let scoredWithoutTrainer = 16_000
  /// Seconds without a decision or a version after which the demo gives up.
  private static let patience = 20.0

  private let folder: URL
  private let topics: String
  private let log: EmbeddedLog
  private let stop: StopSignal
  private let pipeline: Pipeline
  private let payments: HandbookTransactions
  private var scoreboard: Scoreboard
  private var display: Display
  private var children: [ChildProcess] = []
  private var speed: [(time: Double, decided: Int)] = []

  /// Makes the payments and opens the topics in `folder`.
  init(folder: URL, stop: StopSignal, log: EmbeddedLog, display: Display) throws {
    self.folder = folder
    self.stop = stop
    self.log = log
    self.display = display
    topics = log.folder
    pipeline = try Pipeline(path: Self.pipelineFile)
    self.display.title("Weir: a fraud model that learns while it works")
    self.display.text(
      """
      Card payments stream in. Which of them were fraud, investigators find out a week later.
      Weir scores each payment the moment it comes, and learns from the answers as they arrive.
      """)
    self.display.heading("Make two months of card payments")
    payments = try HandbookSimulator(customers: 1_800, terminals: 3_600, days: 60).generate()
    scoreboard = try Scoreboard(log: log, pipeline: pipeline, payments: payments.count)
  }

  /// Runs from the first payment to the figures.
  /// - Throws: `Failure` if anything did not hold; `Interrupted`.
  mutating func run() throws {
    defer { for child in children { child.kill() } }
    let file = folder.appendingPathComponent("payments.csv").path
    let output = try GzipOutput(path: file)
    try payments.writeCSV { try output.write($0) }
    try output.close()
    let frauds = payments.count { $0.isFraud }
    display.text(
      """
      \(payments.count.grouped) payments of 1,800 customers; \(frauds.grouped) \
      (\(percent(frauds, of: payments.count))) are fraud. Nothing has been learnt yet.
      """)

    display.heading("Start two programs that share nothing but a folder of logs")
    let scorer = try start("scorer", ["score", "--pipeline", Self.pipelineFile])
    var trainer = try start("trainer", ["train", "--pipeline", Self.pipelineFile])
    display.text(
      """
      scorer   process \(scorer.number): scores every payment and flags the suspicious ones
      trainer  process \(trainer.number): learns, and publishes better versions of three models
      """)

    display.heading("Payments come in, \(Self.rate.grouped) a second; answers follow 7 days later")
    let producer = try start(
      "producer",
      ["produce", file, "--pipeline", Self.pipelineFile, "--rate", "\(Self.rate)"])
    let total = payments.count
    try follow("payments being scored") { $0.decided >= total * 2 / 5 }

    let dead = try killTrainer(trainer)
    trainer = try restartTrainer(after: dead)

    display.heading("The second month")
    let trainerRole = PipelineTopics(pipeline: pipeline.name).trainer
    let log = log
    try follow("the last payments and answers") { board in
      guard !producer.isRunning, board.decided == total, board.labelled == total else {
        return false
      }
      // The trainer is through when it has committed behind the last label.
      return try log.position(
        of: PipelineTopics.labels, group: PipelineTopics.trainerGroup, role: trainerRole)
        == UInt64(total)
    }
    for child in [producer, scorer, trainer] { try child.stop() }
    try scoreboard.read()

    let report = Report(pipeline: pipeline, payments: payments, scoreboard: scoreboard)
    display.heading("How good was it?")
    display.text(report.figures)
    display.heading("The newest versions, each with a fingerprint of its exact numbers")
    display.text(report.versions)
    display.heading("Three frauds that were flagged, and why")
    display.text(try report.cases())
    display.heading("What was checked")
    display.passed("each of the \(total.grouped) payments got one decision, no more and no less")
    display.passed("all \(pipeline.models.count) models published versions, numbered without gap")
    display.passed("scoring went on while the trainer was dead, and learning resumed after it")
    display.text("\n" + Report.next)
    try display.check()
  }

  /// Kills the trainer and sees that scoring goes on; gives the versions that were published last.
  private mutating func killTrainer(_ trainer: ChildProcess) throws -> [String: UInt64] {
    display.heading("Kill the trainer (kill -9): scoring must not care")
    children.removeAll { $0 === trainer }
    trainer.kill()
    try scoreboard.read()
    let before = scoreboard.published.mapValues(\.header.version)
    for model in pipeline.models where before[model.name] == nil {
      throw Failure("the model '\(model.name)' has published no version")
    }
    let decided = scoreboard.decided
    try follow("scoring to go on without the trainer") {
      $0.decided >= decided + Self.scoredWithoutTrainer
    }
    guard scoreboard.published.mapValues(\.header.version) == before else {
      throw Failure("a version was published while the trainer was dead")
    }
    display.passed(
      "\((scoreboard.decided - decided).grouped) payments scored meanwhile, with the last versions")
    return before
  }

  /// Starts the trainer again and sees that versions go on where they stood.
  private mutating func restartTrainer(after before: [String: UInt64]) throws -> ChildProcess {
    display.heading("Start it again: it goes on where it stood")
    let trainer = try start("trainer", ["train", "--pipeline", Self.pipelineFile])
    try follow("new versions of every model") { board in
      before.allSatisfy { model, version in
        board.published[model]!.header.version > version && board.inUse[model, default: 0] > version
      }
    }
    // The scoreboard refuses a gap, so what is above the old number began right behind it.
    let steps = pipeline.models.map {
      "\($0.name) \(before[$0.name]!) → \(scoreboard.published[$0.name]!.header.version)"
    }
    display.passed("versions go on: \(steps.joined(separator: ", "))")
    return trainer
  }

  private mutating func start(_ name: String, _ arguments: [String]) throws -> ChildProcess {
    let child = try ChildProcess(
      name, program: ChildProcess.beside("weir"), arguments + ["--topics", topics],
      logFile: folder.appendingPathComponent("\(name).log").path)
    children.append(child)
    return child
  }

  /// Reads the topics and shows how it goes until `done`.
  /// - Parameter what: what is waited for, for the message if it does not come.
  private mutating func follow(_ what: String, until done: (Scoreboard) throws -> Bool) throws {
    var progress = scoreboard.progress
    var moved = monotonicSeconds()
    while true {
      let token = log.changeToken()
      try scoreboard.read()
      if stop.isRequested { throw Interrupted() }
      try display.check()
      for child in children where !child.isRunning {
        try child.checkExit()
        if child.name != "producer" { throw Failure("the \(child.name) ended by itself") }
      }
      let now = monotonicSeconds()
      measureSpeed(now)
      let isDone = try done(scoreboard)
      // The last picture stays on the screen, so it is drawn in any case.
      if display.isDue || isDone { display.live(lines: liveLines, plain: plainLine) }
      if isDone { return }
      if scoreboard.progress > progress {
        progress = scoreboard.progress
        moved = now
      } else if now - moved > Self.patience {
        throw Failure(
          "waited in vain for \(what): \(scoreboard.decided.grouped) of "
            + "\(payments.count.grouped) payments have a decision, \(scoreboard.labelled.grouped) "
            + "an answer, and for \(Int(Self.patience)) s nothing has moved")
      }
      // The timeout keeps the picture moving while nothing happens.
      _ = log.waitForChange(since: token, timeoutMilliseconds: 100)
    }
  }

  // MARK: Progress

  /// Keeps what is needed for the speed of the last two seconds.
  private mutating func measureSpeed(_ now: Double) {
    speed.append((now, scoreboard.decided))
    while let first = speed.first, now - first.time > 2 { speed.removeFirst() }
  }

  private var scoredPerSecond: Int {
    guard let first = speed.first, let last = speed.last, last.time - first.time > 0.2 else {
      return 0
    }
    return Int(Double(last.decided - first.decided) / (last.time - first.time)) / 100 * 100
  }

  private var produced: Int {
    let topic = PipelineTopics.events
    guard let reader = try? log.reader(topic, of: PipelineTopics.producers) else { return 0 }
    return Int((try? reader.endOffset()) ?? 0)
  }

  private var precision: String {
    "\(percent(scoreboard.rightAlerts, of: scoreboard.answeredAlerts)) were fraud"
  }

  /// The day of the newest decision.
  private var day: String {
    scoreboard.decided == 0 ? "–" : String(Report.minute(scoreboard.time).prefix(10))
  }

  private func versions(_ number: (String) -> UInt64?) -> String {
    pipeline.models.map { "\($0.name) \(number($0.name).map { "\($0)" } ?? "–")".left(13) }
      .joined()
  }

  private var liveLines: [String] {
    let share = Double(scoreboard.decided) / Double(payments.count)
    return [
      "\(day.left(13))\(bar(share)) \(Int(100 * share)) %",
      "payments     \(produced.grouped) came in, \(scoreboard.decided.grouped) scored, "
        + "\(scoredPerSecond.grouped) a second",
      "alerts       \(scoreboard.alerts.grouped); of the \(scoreboard.answeredAlerts.grouped) "
        + "investigated so far, \(precision)",
      "versions     published  \(versions { scoreboard.published[$0]?.header.version })",
      "             scoring    \(versions { scoreboard.inUse[$0] })",
    ]
  }

  private var plainLine: String {
    let models = pipeline.models.map { model in
      let name = model.name
      let newest = scoreboard.published[name]?.header.version ?? 0
      return "\(name) \(newest)/\(scoreboard.inUse[name] ?? 0)"
    }
    return "\(day)  \(produced.grouped) came in, "
      + "\(scoreboard.decided.grouped) scored, \(scoredPerSecond.grouped)/s; alerts "
      + "\(scoreboard.alerts.grouped), \(precision); versions published/scoring "
      + models.joined(separator: ", ")
  }
}
