import ArgumentParser
import Glibc
import Pipeline

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Learns from scored events and their labels and publishes parameters.",
    discussion: """
      Follows the topics 'scored' and 'labels' and publishes versions to 'models'. Its state is \
      saved with each version; started again, it goes on where it stood. It gives way to scorers \
      and producers on the same machine (niceness 10).
      """)

  /// How far the trainer steps back behind scorers and producers on the same machine, 0 to 19.
  private static let niceness: Int32 = 10

  @OptionGroup var pipeline: PipelineOptions
  @OptionGroup var topics: TopicOptions
  @OptionGroup var durability: DurabilityOptions
  @OptionGroup var log: LogOptions

  @Option(
    help: ArgumentHelp(
      "Learn this history first: CSV or JSON lines, .gz too.", valueName: "file"))
  var input: String?

  @Flag(help: "Stop when everything that is there has been learnt.")
  var untilEnd = false

  func run() throws {
    // Learning may take the time it takes; events that wait for their decision may not.
    _ = nice(Self.niceness)
    let pipeline = try pipeline.load()
    let logger = try log.logger("weir.train")
    var history = try input.map { try HistoryReader(path: $0, schema: pipeline.schema) }
    let topics = try topics.openForWriting(durability)
    let stop = StopSignal()
    let signals = stop.listen(waking: topics)
    defer { signals.forEach { $0.cancel() } }
    let service = try TrainerService(
      pipeline: pipeline, log: topics, logger: logger, now: currentTime,
      keeper: topics.keeper(logger))
    if history != nil {
      var bar = ProgressBar("learning")
      try service.warmUp(&history!, stop: stop) { history, updates in
        bar.update(count: history.rows, unit: "events", fraction: history.fraction)
        for update in updates { logger.debug("published", metadata: .init(update.header)) }
      }
      bar.finish()
      report(refusals: history!, logger)
    }
    try service.run(stop: stop, untilEnd: untilEnd) { updates in
      for update in updates { logger.info("published", metadata: .init(update.header)) }
    }
    let counters = service.engine.counters
    let held = service.engine.held
    logger.info(
      "trainer stopped",
      metadata: [
        "events": "\(counters.events)", "labels": "\(counters.labels)",
        "examples": "\(counters.examples)", "waiting": "\(held.events)",
        "in_store_only": "\(held.inStoreOnly)", "most_waiting": "\(counters.mostHeld)",
        "early_labels": "\(counters.earlyLabels)", "late_labels": "\(counters.lateLabels)",
        "duplicate_labels": "\(counters.duplicateLabels)",
        "contradicting_labels": "\(counters.contradictingLabels)",
        "outdated_labels": "\(counters.outdatedLabels)",
        "late_labels_learnt": "\(counters.lateLabelsLearnt)",
        "labels_refused": "\(counters.labelsRefused)",
        "labels_unmatched": "\(counters.labelsUnmatched)",
        "label_sources": "\(service.engine.labelSources.text)",
        "unlabelled": "\(counters.unlabelled)",
        "presumed_negative": "\(counters.presumedNegative)",
        "negatives_left_out": "\(counters.negativesLeftOut)",
        "events_not_sampled": "\(counters.eventsNotSampled)",
        "labels_not_sampled": "\(counters.labelsNotSampled)",
        "updates_withheld": "\(counters.updatesWithheld)",
        "rows_left_out": "\(counters.rowsLeftOut)",
      ])
  }
}
