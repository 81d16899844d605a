import ArgumentParser
import Detection
import Files
import Learners

struct Detect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Finds the unusual rows of a table, for a first look without a pipeline.",
    discussion: """
      The model is fitted to all rows and scores them all, or, with --stream, learns row after \
      row and scores each before it is learnt. Scores are from 0 to 1, higher is more unusual. \
      The same table and seed give the same scores.

      What a column holds is guessed from its values, and said. Numbers are taken as they are, \
      true and false as 1 and 0, and of texts that come again and again how rare each is. Left \
      out are columns that have one value only, number the rows, or hold times or other texts, \
      and with --stream numbers that never fall; times, row numbers and those are learnt from, as \
      numbers, where --columns names them. Missing are: an empty field, NA, N/A, NaN, null, none \
      and ?. The forest takes a missing value for the usual one, k-means for the mean.

      The table is held in memory: up to 100 million values in up to 4,096 columns, about 20 bytes \
      a value.
      """)

  @Argument(
    help: "CSV with a header, or JSON lines of flat objects; .gz too, - for standard input.")
  var file: String
  @Option(help: "What learns.") var model = Detector.Model.isolationForest
  @Flag(help: "Score each row before it is learnt, in the order of the file.") var stream = false
  @Option(help: ArgumentHelp("Of the learner.", valueName: "number")) var seed: UInt64 = 0
  @Option(
    help: ArgumentHelp(
      """
      The column of labels, 1, true or yes for an anomaly: evaluates the scores; nothing is learnt \
      from it.
      """, valueName: "column"))
  var label: String?
  @Option(
    help: ArgumentHelp(
      "Learn from this column only; repeatable, and several between commas.", valueName: "column"))
  var columns: [String] = []
  @Option(
    help: ArgumentHelp(
      "Do not learn from this column; repeatable, and several between commas.",
      valueName: "column"))
  var ignore: [String] = []
  @Option(
    help: ArgumentHelp("Trees of the isolation forest (default: 100).", valueName: "count"))
  var trees: Int?
  @Option(help: ArgumentHelp("Clusters of k-means (default: 8).", valueName: "count"))
  var clusters: Int?
  @Option(
    help: ArgumentHelp("Show so many of the most unusual rows, and why.", valueName: "count"))
  var top = 10
  @Option(
    help: ArgumentHelp(
      "Write every row's number, from 1, and score as CSV; .gz too, - for standard output.",
      valueName: "file"))
  var out: String?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard (0...10_000).contains(top) else {
      throw ValidationError("--top must be a whole number from 0 to 10000")
    }
    if trees != nil, model != .isolationForest {
      throw ValidationError("--trees goes with --model isolation-forest")
    }
    if clusters != nil, model != .kMeans {
      throw ValidationError("--clusters goes with --model k-means")
    }
    if json, out == "-" {
      throw ValidationError("--json and --out both write standard output")
    }
    if let out, out != "-", file != "-", samePath(out, file) {
      throw ValidationError("--out would replace the table itself")
    }
    for name in names(columns) where names(ignore).contains(name) {
      throw ValidationError("--columns and --ignore both name '\(name)'")
    }
    if let label, names(columns).contains(label) {
      throw ValidationError("--columns names '\(label)', the column of the labels")
    }
    _ = try detector()
  }

  func run() throws {
    let started = monotonicSeconds()
    let detector = try detector()
    // Opened first: a file that cannot be written is found out before the work, not after it.
    let output = try out.map { try GzipOutput(path: $0) }
    var bar = ProgressBar("reading")
    let table = try Table(
      path: file,
      selection: ColumnSelection(only: names(columns), ignored: names(ignore), label: label)
    ) { bar.update(count: UInt64($0), unit: "rows", fraction: $1) }
    bar.finish()
    let labels = try table.labels()
    let features = try TableFeatures(table, isStream: stream)
    bar = ProgressBar("scoring")
    let progress = { (rows: Int) in
      bar.update(
        count: UInt64(rows), unit: "rows", fraction: Double(rows) / Double(table.rows))
    }
    let found =
      stream
      ? detector.testThenTrain(features, progress: progress)
      : detector.fit(features, progress: progress)
    bar.finish()
    guard let found else { throw FileError(path: table.path, reason: tooShort(table)) }
    if let output { try write(found.scores, to: output) }
    let report = DetectReport(
      detector: detector, isStream: stream, features: features, detection: found, labels: labels,
      started: started)
    if json {
      printBytes(report.json.encode(pretty: true) + [0x0a])
    } else if out == "-" {
      printError(report.text + "\n")
    } else {
      printLine(report.text)
    }
  }

  private func detector() throws -> Detector {
    var detector = Detector(model: model, seed: seed)
    detector.top = top
    if let trees { detector.forest.trees = trees }
    if let clusters { detector.clusters.clusters = clusters }
    do {
      try detector.forest.validate()
      try detector.clusters.validate()
    } catch let error as InvalidOption {
      throw ValidationError("--\(error)")
    }
    return detector
  }

  private func tooShort(_ table: Table) -> String {
    let least = stream ? Detector.firstBatch + 1 : model == .kMeans ? Detector.firstBatch : 2
    let what = stream ? "to be scored by a model of rows before" : "for \(model.rawValue)"
    return "has \(table.rows) row\(table.rows == 1 ? "" : "s"); "
      + "expected at least \(least) \(what)"
  }

  /// Names as they were given one by one or between commas.
  private func names(_ given: [String]) -> [String] {
    given.flatMap { $0.split(separator: ",").map(String.init) }
  }

  private func write(_ scores: [Float], to output: GzipOutput) throws {
    var lines = Array("row,score\n".utf8)
    for (row, score) in scores.enumerated() {
      lines.append(decimal: Int64(row + 1))
      lines.append(UInt8(ascii: ","))
      if !score.isNaN { lines.append(decimal: score) }
      lines.append(UInt8(ascii: "\n"))
      if lines.count > 1 << 16 {
        try output.write(lines)
        lines.removeAll(keepingCapacity: true)
      }
    }
    try output.write(lines)
    try output.close()
  }
}

extension Detector.Model: ExpressibleByArgument {}
