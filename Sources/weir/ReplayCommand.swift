import ArgumentParser
import Evaluation
import Features
import Files
import Foundation
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
      "Write the feature vectors as they were scored, as CSV; .gz too, - for standard output.",
      valueName: "file"))
  var features: String?
  @Option(
    help: ArgumentHelp(
      "With --features: only events from this day or time on.", valueName: "time"))
  var from: String?
  @Option(
    help: ArgumentHelp("With --features: only events before this day or time.", valueName: "time"))
  var to: String?
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
  @Option(
    help: ArgumentHelp(
      "A remark that the report and the JSON document are to carry; repeatable.",
      valueName: "text"))
  var note: [String] = []
  @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
  @OptionGroup var log: LogOptions

  func validate() throws {
    if features == nil, from != nil || to != nil {
      throw ValidationError("--from and --to go with --features")
    }
    _ = try featureRange()
    let outputs = [
      ("--json", json), ("--report", page.report), ("--decisions", decisions),
      ("--features", features),
    ].compactMap { name, path in path.map { (name: name, path: $0) } }
    for (index, output) in outputs.enumerated() {
      for other in outputs[..<index] where samePath(other.path, output.path) {
        let place = output.path == "-" ? "standard output" : other.path
        throw ValidationError("\(other.name) and \(output.name) both write \(place)")
      }
    }
  }

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
    var options = Replay.Options(labelDelay: try labelDelay.map(duration), models: versions)
    try evaluation.fill(&options)
    let replay: Replay
    do { replay = try Replay(pipeline: pipeline, options: options) } catch let error
      as Replay.OptionError
    {
      throw ValidationError(error.description)
    }
    var history = try HistoryReader(
      path: input, schema: schema, requiresLabel: labelColumn != nil)
    // Opened first: a file that cannot be written is found out before the work, not after it.
    let output = try decisions.map { try GzipOutput(path: $0) }
    let table = try features.map {
      try FeatureTable(path: $0, names: pipeline.plan.names, range: try featureRange())
    }
    let document = try json.map { try GzipOutput(path: $0) }
    let pageFile = try page.open()
    var bar = ProgressBar("replaying")
    var hooks = Replay.Hooks()
    hooks.progress = { bar.update(count: $0.rows, unit: "events", fraction: $0.fraction) }
    if let output { hooks.decision = { try output.write($0) } }
    if let table { hooks.scored = { try table.write($0) } }
    let started = monotonicSeconds()
    try replay.run(&history, hooks: hooks)
    try output?.close()
    try table?.close()
    let result = ReplayReport(replay, history: history, notes: note, started: started)
    bar.finish()
    report(refusals: history, logger)
    if versions.isEmpty, pipeline.labels != nil, replay.labelled == 0 {
      logger.warning("no event has a label: nothing could be learnt from labels or evaluated")
    }
    for window in result.emptyTests {
      logger.warning(
        "no labelled event lies in a test window",
        metadata: ["from": "\(window.from.dayOrTime)", "to": "\(window.to.dayOrTime)"])
    }
    try document?.write(result.json.encode(pretty: true) + [0x0a])
    try document?.close()
    try pageFile?.write(replayPage(of: result.json))
    try pageFile?.close()
    if json != "-", features != "-" { printLine(result.text(width: terminalWidth())) }
  }

  private func featureRange() throws -> Range<Int64> {
    let start = try from.map(eventTime) ?? 0
    let end = try to.map(eventTime) ?? .max
    guard start < end else { throw ValidationError("--from must be before --to") }
    return start..<end
  }

  private func loadVersion(_ path: String) throws -> ServedModel {
    let bytes = try WholeFile.read(path, limit: ModelFile.largestByteCount)
    do throws(UpdateError) { return try ModelFile.decode(bytes) } catch {
      throw FileError(path: path, reason: error.description)
    }
  }
}

/// Whether two paths of the command line name the same file, or both a standard stream.
func samePath(_ one: String, _ other: String) -> Bool {
  if one == "-" || other == "-" { return one == other }
  return URL(fileURLWithPath: one).standardizedFileURL
    == URL(fileURLWithPath: other).standardizedFileURL
}

/// What is evaluated, and how.
struct EvaluationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Figures of this window by itself, days or times, the second exclusive; repeatable, with \
      mean and spread over all.
      """, valueName: "from..to"))
  var test: [String] = []
  @Option(
    help: ArgumentHelp(
      """
      In test windows leave out entities of this field that are known by a positive label before \
      the day begins.
      """, valueName: "field"))
  var leaveOutKnown: String?
  @Option(
    help: ArgumentHelp(
      "Known by an event at most so long before the window (default: any).",
      valueName: "duration"))
  var knownSince: String?
  @Option(
    help: ArgumentHelp(
      "Card Precision over entities of this field (default: the pipeline's first).",
      valueName: "field"))
  var cardPrecision: String?
  @Option(
    help: ArgumentHelp(
      "Entities a day for Card Precision; repeatable (default: 100).", valueName: "k"))
  var top: [Int] = []
  @Option(
    help: ArgumentHelp(
      "Compare with versions that serve by a policy: frozen, daily or weekly; repeatable.",
      valueName: "policy"))
  var policy: [String] = []
  @Option(
    help: ArgumentHelp(
      "When 'frozen' freezes: a day, or so long after the first event (default: the first window).",
      valueName: "day|duration"))
  var frozenAfter: String?
  @Option(
    help: ArgumentHelp(
      "The feature that the baseline 'rule' scores by (default: the first number).",
      valueName: "feature"))
  var rule: String?
  @Option(
    help: ArgumentHelp(
      "Resamples of days for intervals; 0: no intervals.", valueName: "count"))
  var resamples = 1_000
  @Option(help: ArgumentHelp("Of the resampling.", valueName: "number"))
  var seed: UInt64 = 0

  func validate() throws {
    guard top.allSatisfy({ (1...1_000_000).contains($0) }) else {
      throw ValidationError("--top must be a whole number from 1 to 1000000")
    }
    guard (0...100_000).contains(resamples) else {
      throw ValidationError("--resamples must be a whole number from 0 to 100000")
    }
    guard leaveOutKnown == nil || !test.isEmpty else {
      throw ValidationError("--leave-out-known is about test windows; give --test")
    }
    guard knownSince == nil || leaveOutKnown != nil else {
      throw ValidationError("--known-since belongs to --leave-out-known")
    }
    guard frozenAfter == nil || policy.contains("frozen") else {
      throw ValidationError("--frozen-after belongs to --policy frozen")
    }
    var options = Replay.Options()
    try fill(&options)
  }

  /// Each value once, where it came first.
  private func unique<T: Hashable>(_ values: [T]) -> [T] {
    var seen: Set<T> = []
    return values.filter { seen.insert($0).inserted }
  }

  func fill(_ options: inout Replay.Options) throws {
    options.tests = try unique(test).map { text in
      guard let window = TestWindow(text) else {
        throw ValidationError(
          "--test must be like 2018-08-08..2018-08-15, the second later, not '\(text)'")
      }
      return window
    }
    options.leaveOutKnown = leaveOutKnown
    options.knownSince = try knownSince.map(duration)
    options.cardPrecision = cardPrecision
    if !top.isEmpty { options.top = unique(top) }
    for name in policy {
      guard let policy = LearningPolicy(rawValue: name) else {
        let names = LearningPolicy.allCases.map(\.rawValue)
        throw ValidationError(
          "--policy must be one of \(names.joined(separator: ", "))"
            + nearestName(to: name, in: names))
      }
      if policy != .online, !options.policies.contains(policy) { options.policies.append(policy) }
    }
    options.frozenAfter = try frozenAfter.map { text in
      if let time = TestWindow.time(text) { return .time(time) }
      return .duration(try duration(text))
    }
    options.rule = rule
    options.resamples = resamples
    options.seed = seed
  }
}
