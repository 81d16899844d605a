import ArgumentParser
import Pipeline

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Scores events with the newest parameters and decides.",
    discussion: """
      Follows the topics 'events' and 'models' and writes 'decisions' and 'scored'. Every event \
      gets exactly one decision, however often the process is killed and started again.
      """)

  @OptionGroup var pipeline: PipelineOptions
  @OptionGroup var topics: TopicOptions
  @OptionGroup var durability: DurabilityOptions
  @OptionGroup var log: LogOptions

  @Flag(help: "Stop when every event that is there has been scored.")
  var untilEnd = false

  func run() throws {
    let pipeline = try pipeline.load()
    let logger = try log.logger("weir.score")
    let topics = try topics.openForWriting(durability)
    let stop = StopSignal()
    let signals = stop.listen(waking: topics)
    defer { signals.forEach { $0.cancel() } }
    let service = try ScorerService(
      pipeline: pipeline, log: topics, logger: logger, now: currentTime,
      keeper: topics.keeper(logger))
    var reported = monotonicSeconds()
    try service.run(stop: stop, untilEnd: untilEnd) { counters in
      guard monotonicSeconds() - reported >= 10 else { return }
      reported = monotonicSeconds()
      logger.info("scoring", metadata: .init(counters, service))
    }
    logger.info("scorer stopped", metadata: .init(service.counters, service))
    if let windows = service.windows { logger.info("windows hold", metadata: .init(windows)) }
  }
}
