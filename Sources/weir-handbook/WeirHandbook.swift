import ArgumentParser
import Datasets
import Files
import Glibc
import Pipeline

@main
struct WeirHandbook: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weir-handbook",
    abstract: "Computes what Weir comes to on the Fraud Detection Handbook's stream.",
    discussion: """
      Makes the stream as 'weir generate handbook' does, without and with drift, and replays it: \
      features beside those of the book's authors, the book's four test weeks, and learning \
      policies after the drift. Takes a few minutes.
      """)

  @Option(
    help: ArgumentHelp(
      """
      The authors' features from 25 July to 14 August 2018, CSV, .gz too (default: \
      \(goldenName) in the folder that WEIR_DATASETS names, or in datasets; features are not \
      compared without it).
      """, valueName: "file"))
  var golden: String?
  @Option(
    help: ArgumentHelp(
      "Where handbook.yaml, handbook-ratios.yaml and handbook-drift.yaml are.", valueName: "folder")
  )
  var models = "models"
  @Option(help: "Number of customers; another than the default makes a stream not the book's.")
  var customers = 5_000
  @Option(help: "Number of terminals, likewise.") var terminals = 10_000
  @Flag(help: "Print JSON.") var json = false

  private static let goldenName = "handbook_transformed_0725_0814.csv.gz"

  func run() throws {
    let pipelines = try [("book", "handbook.yaml"), ("ratios", "handbook-ratios.yaml")].map {
      (name: $0, file: $1, pipeline: try Pipeline(path: "\(models)/\($1)"))
    }
    let driftFile = "handbook-drift.yaml"
    let drifting = try Pipeline(path: "\(models)/\(driftFile)")
    var results = Results()
    results.features = try goldenFeatures(for: pipelines[0].pipeline)

    note("making the stream")
    let histories = try results.time("stream") {
      try stream(.none).histories(for: pipelines.map(\.pipeline))
    }
    for (entry, history) in zip(pipelines, histories) {
      note("replaying with \(entry.file)")
      var hooks = Replay.Hooks()
      if entry.name == "book", let features = results.features {
        hooks.scored = { features.compare($0) }
      }
      let replay = try results.time(entry.name) {
        try TestReplay(entry.pipeline, history, hooks: hooks)
      }
      results.tables.append(
        (entry.name, entry.file, BookProtocol.figures.map { replay.figure($0.name) }))
    }
    if let features = results.features {
      features.finish()
      for difference in features.differences.prefix(5) { note(difference.description) }
    }

    let policies: [LearningPolicy] = [.online, .weekly, .frozen]
    results.driftFile = driftFile
    note("making the stream with drift")
    let history = try results.time("drift_stream") {
      try stream(.cardTesting).histories(for: [drifting])[0]
    }
    note("replaying it with \(driftFile)")
    let replay = try results.time("drift") {
      try TestReplay(
        drifting, history, policies: policies.filter { $0 != .online })
    }
    for policy in policies {
      let figure = replay.figure(.areaUnderROC, policy: policy)
      results.drift.append((policy, figure.first, figure.later))
    }
    try print(results)
  }

  private func stream(_ drift: HandbookDrift) throws -> StreamFile {
    try StreamFile(customers: customers, terminals: terminals, drift: drift)
  }

  /// The authors' features; nil where nobody named their file and it is not where data sets are.
  private func goldenFeatures(for pipeline: Pipeline) throws -> GoldenFeatures? {
    let folder = getenv("WEIR_DATASETS").map { String(cString: $0) } ?? "datasets"
    let path = golden ?? "\(folder)/\(Self.goldenName)"
    guard golden != nil || access(path, F_OK) == 0 else {
      note("no \(path): features are not compared; name the file with --golden")
      return nil
    }
    return try GoldenFeatures(path: path, names: pipeline.plan.names)
  }

  private func print(_ results: Results) throws {
    let output = try GzipOutput(path: "-")
    let bytes = json ? results.json.encode(pretty: true) : Array(results.text.utf8)
    try output.write(bytes + [0x0a])
    try output.close()
  }

  /// Tells on standard error what goes on.
  private func note(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
