import ArgumentParser
import Pipeline

struct Produce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Puts the rows of a file on a topic.",
    discussion: """
      CSV with a header or JSON lines, .gz too, - for standard input. With --topic every row goes \
      there as it is. With --pipeline rows go to 'events' in event time, without their label, and \
      each label goes to 'labels' once its delay has passed in event time; labels still on the way \
      at the end follow then. Stopped or killed and started again with the same file, it goes on \
      behind the last rows that reached their topic, and so it does when the file has grown.
      """)

  @Argument(help: "The file.") var file: String
  @Option(help: "Put rows on this topic: events or labels.") var topic: String?
  @Option(
    help: ArgumentHelp(
      "Put rows and their labels on the topics of this pipeline.", valueName: "file"))
  var pipeline: String?
  @Option(help: "Events a second (default: as fast as it goes).") var rate: Double?
  @Option(help: "From an event to its label, for instance 7d (default: the pipeline's).")
  var labelDelay: String?
  @Flag(help: "Begin with the first row, even if the file was produced before.")
  var again = false
  @OptionGroup var topics: TopicOptions
  @OptionGroup var durability: DurabilityOptions
  @OptionGroup var log: LogOptions

  func validate() throws {
    guard (topic == nil) != (pipeline == nil) else {
      throw ValidationError("say either --topic or --pipeline")
    }
    if let topic, !["events", "labels"].contains(topic) {
      throw ValidationError("producers write 'events' and 'labels', not '\(topic)'")
    }
    if let rate, !(rate > 0 && rate <= 1e9) {
      throw ValidationError("--rate is a number of events a second")
    }
    if labelDelay != nil, pipeline == nil {
      throw ValidationError("--label-delay goes with --pipeline")
    }
  }

  func run() throws {
    let delay = try labelDelay.map(duration)
    let logger = try log.logger("weir.produce")
    let pipeline = try pipeline.map { try Pipeline(path: $0) }
    let source = try ProducerSource(path: file, schema: pipeline?.schema)
    let log = try topics.openForWriting(durability)
    let stop = StopSignal()
    let signals = stop.listen(waking: log)
    defer { signals.forEach { $0.cancel() } }
    var producer = try Producer(
      source: source, log: log,
      target: pipeline.map { .pipeline($0, labelDelay: delay) } ?? .topic(topic!), rate: rate,
      again: again, now: currentTime, elapsed: monotonicSeconds, keeper: log.keeper(logger))
    if producer.resumesAfter > 0 {
      logger.info(
        "going on behind the rows produced before",
        metadata: ["file": "\(file)", "rows": "\(producer.resumesAfter)"])
    }
    var bar = ProgressBar("producing")
    try producer.run(stop: stop) { source, counters in
      bar.update(count: counters.events, unit: "rows", fraction: source.fraction)
    }
    bar.finish()
    logger.info(
      "produced",
      metadata: [
        "rows": "\(producer.counters.events)", "labels": "\(producer.counters.labels)",
        "refused": "\(producer.counters.refused)", "resumed": "\(producer.counters.resumed)",
      ])
  }
}

/// A length of time from the command line, ms.
func duration(_ text: String) throws -> Int64 {
  guard let milliseconds = DurationText.parse(text) else {
    throw ValidationError("'\(text)' is no length of time such as 500ms, 30s, 15m, 6h or 7d")
  }
  return milliseconds
}
