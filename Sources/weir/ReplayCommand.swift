import ArgumentParser
import Evaluation
import Features
import Files
import ModelLog
import Pipeline

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Runs a history through scorer and trainer in one process and evaluates it.",
    discussion: """
      Test-then-train in event time: every event is scored with the parameters published before \
      it, its label is learnt once its delay has passed. The same input, pipeline file and seed \
      give the same versions, bit for bit.
      """)

  @OptionGroup var pipeline: PipelineOptions
  @Option(
    help: ArgumentHelp("CSV or JSON lines, .gz too, - for standard input.", valueName: "file"))
  var input: String
  @Option(help: "From an event to its label, for instance 7d (default: the pipeline's).")
  var labelDelay: String?
  @Option(
    help: ArgumentHelp("Write all figures as JSON; - for standard output.", valueName: "file"))
  var json: String?
  @OptionGroup var page: ReportOption
  @Option(help: ArgumentHelp("Write every decision as a JSON line; .gz too.", valueName: "file"))
  var decisions: String?
  @Option(
    help: ArgumentHelp(
      "Take labels from this column, to evaluate a pipeline that does not learn from any.",
      valueName: "column"))
  var labelColumn: String?
  @Option(
    help: ArgumentHelp(
      """
      Score with exactly this version, written by 'weir models export', and learn nothing; \
      repeatable, one a model.
      """, valueName: "file"))
  var models: [String] = []
  @OptionGroup var log: LogOptions

  func run() throws {
    let pipeline = try pipeline.load()
    let versions = try models.map(loadVersion)
    for (index, version) in versions.enumerated()
    where versions[..<index].contains(where: { $0.header.model == version.header.model }) {
      throw ValidationError(
        "--models gives two versions of the model '\(version.header.model)'")
    }
    var schema = pipeline.schema
    if let labelColumn { schema.label = .init(name: labelColumn, type: .number) }
    let logger = try log.logger("weir.replay")
    var history = try HistoryReader(
      path: input, schema: schema, requiresLabel: labelColumn != nil)
    let replay = Replay(
      pipeline: pipeline, options: .init(labelDelay: try labelDelay.map(duration), models: versions)
    )
    // Opened first: a file that cannot be written is found out before the work, not after it.
    let output = try decisions.map { try GzipOutput(path: $0) }
    let document = try json.map { try GzipOutput(path: $0) }
    let pageFile = try page.open()
    var bar = ProgressBar("replaying")
    var hooks = Replay.Hooks()
    hooks.progress = { bar.update(count: $0.rows, unit: "events", fraction: $0.fraction) }
    if let output { hooks.decision = { try output.write($0) } }
    let started = monotonicSeconds()
    try replay.run(&history, hooks: hooks)
    try output?.close()
    let result = ReplayReport(replay, started: started)
    bar.finish()
    report(refusals: history, logger)
    if versions.isEmpty, pipeline.labels != nil, replay.labelled == 0 {
      logger.warning("no event has a label: nothing could be learnt from labels or evaluated")
    }
    try document?.write(result.json.encode(pretty: true) + [0x0a])
    try document?.close()
    try pageFile?.write(replayPage(of: result.json))
    try pageFile?.close()
    if json != "-" { printLine(result.text) }
  }

  private func loadVersion(_ path: String) throws -> ServedModel {
    let bytes = try WholeFile.read(path, limit: ModelFile.largestByteCount)
    do throws(UpdateError) { return try ModelFile.decode(bytes) } catch {
      throw FileError(path: path, reason: error.description)
    }
  }
}
