import ArgumentParser
import Glibc
import Pipeline

struct Soak: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs for long and checks that memory, files and latency stay flat.",
    discussion: """
      A producer, `weir score` and `weir train` run at a steady rate while every model publishes \
      about every 100 ms. The first fifth, and at least 40 s, is warm-up. After it the straight \
      line through each figure may rise by no more than the table says; and every model has to \
      have published at least four in five of the updates that are due.
      """)

  @Option(help: "How long.") var minutes = 10.0
  @Option(help: "Events a second.") var rate = 2_000
  @Option(help: "Milliseconds between two versions of a model.") var updateEvery = 100
  @Option(help: "Seconds between two samples.") var sampleEvery = 2.0
  @Option(help: ArgumentHelp("Work in this folder.", valueName: "folder")) var folder: String?

  func validate() throws {
    guard minutes > 0, rate > 0, updateEvery > 0, sampleEvery > 0,
      minutes >= 1, minutes * 60 >= 30 * sampleEvery
    else { throw ValidationError("numbers are above 0, at least a minute and 30 samples") }
  }

  /// Samples before the trainer has begun to let go of events.
  private var warmUp: Int { Int(max(minutes * 60 / 5, 40) / sampleEvery) }

  func run() throws {
    let workplace = try Workplace(folder)
    defer { workplace.remove() }
    let services = try LiveServices(
      folder: workplace.path, rate: rate, piece: max(1, rate / 1000),
      publishEvery: max(1, rate * updateEvery / 1000), seconds: minutes * 60 + 60)
    let follower = try Follower(log: services.log, pipeline: services.pipeline)
    var series = [
      // Memory of their own: the pages of the topics that they have mapped are the kernel's cache.
      Series("scorer memory", "MiB", allowedShare: 0.02, allowedRise: 1),
      Series("trainer memory", "MiB", allowedShare: 0.02, allowedRise: 1),
      Series("scorer files", "", allowedShare: 0, allowedRise: 0.5),
      Series("trainer files", "", allowedShare: 0, allowedRise: 0.5),
      Series("decision, median", "ms", allowedShare: 0.1, allowedRise: 0.05),
      Series("decision, 99 %", "ms", allowedShare: 0.25, allowedRise: 0.2),
      Series("disk an event", "bytes", allowedShare: 0.1, allowedRise: 1),
    ]
    let topics = PipelineTopics(pipeline: services.pipeline.name)
    let roles = [PipelineTopics.producers, topics.scorer, topics.trainer]
    var bytes = 0
    let end = monotonicSeconds() + minutes * 60
    while monotonicSeconds() < end {
      try follower.follow(seconds: sampleEvery, while: services.areRunning)
      guard let scorer = ProcessFigures(of: services.scorer.number),
        let trainer = ProcessFigures(of: services.trainer.number)
      else { continue }
      let latency = Sample(follower.decisions)
      let before = bytes
      bytes = roles.reduce(0) { $0 + Self.size("\(services.log.folder)/\($1.name)/data.mdb") }
      let figures = [
        Double(scorer.ownBytes) / 1_048_576, Double(trainer.ownBytes) / 1_048_576,
        Double(scorer.openFiles), Double(trainer.openFiles), latency.median,
        latency.quantile(0.99), Double(bytes - before) / Double(max(1, latency.count)),
      ]
      for index in series.indices { series[index].samples.append(figures[index]) }
      follower.reset()
    }
    let updates = try follower.updateCounts(pipeline: services.pipeline)
    try services.stop()
    say("\(Int(minutes * 60)) s, \(rate) events a second")
    report(series)
    let flow = reportUpdates(updates, of: services.pipeline)
    guard flow, series.allSatisfy({ $0.verdict(after: warmUp).isFlat }) else {
      throw ExitCode.failure
    }
  }

  /// Says how many updates each model has published; false if they are too few. What learns from
  /// labels begins with the first of them.
  private func reportUpdates(_ counts: [Int], of pipeline: Pipeline) -> Bool {
    let firstLabel = Double(Emit.labelDelay) / 1000 / Double(LatencyRun.speed)
    let due = Int((minutes * 60 - firstLabel) * 1000 / Double(updateEvery))
    var flow = true
    for (model, count) in zip(pipeline.models, counts) {
      let isEnough = count * 5 >= due * 4
      flow = flow && isEnough
      say("\(isEnough ? "flows" : "LACKS") updates of \(model.name): \(count), due are \(due)")
    }
    return flow
  }

  /// Bytes that a file takes on the disk.
  private static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_blocks) * 512 : 0
  }

  private func report(_ series: [Series]) {
    func text(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
    func padded(_ value: String, _ width: Int) -> String {
      value + String(repeating: " ", count: max(1, width - value.count))
    }
    for figure in series {
      let verdict = figure.verdict(after: warmUp)
      let hours = Double(figure.samples.count - warmUp - 1) * sampleEvery / 3600
      say(
        padded(verdict.isFlat ? "flat" : "RISES", 6) + padded(figure.name, 18)
          + padded("mean \(text(verdict.mean)) \(figure.unit)", 24)
          + padded("rise \(text(verdict.rise)), at most \(text(verdict.allowed))", 28)
          + padded("\(text(verdict.rise / hours)) an hour", 20)
          + figure.sparkline())
    }
  }
}
