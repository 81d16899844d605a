import ArgumentParser
import Features
import Files
import ModelLog
import Pipeline

struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Which model version did what.",
    discussion: "Versions are written pipeline/model@version, for instance card-fraud/fraud@42.",
    subcommands: [List.self, Show.self, Diff.self])
}

extension ModelReference: ExpressibleByArgument {
  /// Reads a reference from the command line; nil, and so wrong usage, if it is none.
  public init?(argument: String) { self.init(argument) }
}

extension Models {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The versions that were published, oldest first.")

    @Argument(help: "Only this pipeline, or only this model: card-fraud or card-fraud/fraud.")
    var name: String?
    @Option(help: "Only the last so many of each model.") var last: Int?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      let parts = name?.split(separator: "/", maxSplits: 1).map(String.init) ?? []
      // Only what is printed is kept: parameters may be large.
      var updates: [Listed] = []
      var refused: [String] = []
      try ModelHistory(log: topics.openForReading()).forEach(pipeline: parts.first) { result in
        switch result {
        case .success(let update):
          guard parts.count < 2 || update.header.model == parts[1] else { return }
          updates.append(Listed(update))
        case .failure(let error): refused.append(error.description)
        }
      }
      if let name, updates.isEmpty {
        throw ModelHistory.NotFound(description: "there is no version of '\(name)' on the topics")
      }
      if let last { updates = newest(last, of: updates) }
      for reason in refused { printError("warning: \(reason)\n") }
      if json {
        printBytes(JSONValue.array(updates.map(\.json)).encode(pretty: true) + [0x0a])
      } else {
        var table = TextTable([
          .left("version"), .left("kind"), .left("type"), .left("published"), .right("examples"),
          .left("through"), .right("AUROC"), .right("AP"), .right("log loss"),
          .right("threshold"), .right("bytes"), .left("digest"),
        ])
        for update in updates { table.add(update.row) }
        printLine(table.text)
      }
    }

    private func newest(_ count: Int, of updates: [Listed]) -> [Listed] {
      var left: [String: Int] = [:]
      return Array(
        updates.reversed().filter { update in
          let key = "\(update.header.pipeline)/\(update.header.model)"
          left[key, default: count] -= 1
          return left[key]! >= 0
        }.reversed())
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The parameters of a version, named by feature.")

    @Argument(help: "pipeline/model@version, or pipeline/model for the newest.")
    var version: ModelReference
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      let model = try ModelHistory(log: topics.openForReading()).version(version)
      let header = model.header
      if json {
        let parameters = model.namedParameters.map { parameter in
          JSONValue.object([
            ("group", .string(parameter.group)), ("feature", .string(parameter.feature)),
            ("value", JSONValue(parameter.value)),
          ])
        }
        let document = JSONValue.object(
          header.json + [
            ("digest", .string(model.digest.description)), ("parameters", .array(parameters)),
          ])
        printBytes(document.encode(pretty: true) + [0x0a])
        return
      }
      printLine("\(header.name)  \(header.kind.rawValue)")
      printLine("  published   \(EventTime.text(header.time)), epoch \(header.epoch)")
      printLine(
        "  trained on  \(header.examples.grouped) rows, through \(EventTime.text(header.eventTime))"
      )
      for position in header.positions {
        printLine("  position    \(position.topic) \(position.offset)")
      }
      printLine("  threshold   \(header.threshold.map { "\($0)" } ?? "none")")
      printLine("  digest      \(model.digest)")
      printLine("  pipeline    \(header.fingerprint)")
      var table = TextTable([.left(""), .left("feature"), .right("value")])
      var group = ""
      for parameter in model.namedParameters {
        table.add([
          parameter.group == group ? "" : parameter.group, parameter.feature,
          significant(parameter.value),
        ])
        group = parameter.group
      }
      printLine(table.text)
    }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Which parameters moved between two versions, and by how much.")

    @Argument(help: "The version to start from.") var from: ModelReference
    @Argument(help: "The version to compare with.") var to: ModelReference
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      let history = ModelHistory(log: try topics.openForReading())
      let difference = try ModelDifference(history.version(from), history.version(to))
      if json {
        printBytes(difference.json.encode(pretty: true) + [0x0a])
        return
      }
      printLine("\(difference.from.header.name) → \(difference.to.header.name)")
      printLine(
        "  \(difference.moved.count) of \(difference.parameterCount) parameters moved, "
          + "\(difference.changedParts) of \(difference.partCount) parts changed")
      var table = TextTable([
        .left(""), .left("feature"), .right("from"), .right("to"), .right("change"),
      ])
      for move in difference.moved {
        table.add([
          move.group, move.feature, move.from.map(significant) ?? "–",
          move.to.map(significant) ?? "–", significant(move.change),
        ])
      }
      printLine(table.text)
    }
  }
}

extension ModelDifference {
  var json: JSONValue {
    .object([
      ("from", .string(from.header.name)), ("to", .string(to.header.name)),
      ("parameters", JSONValue(parameterCount)), ("parts", JSONValue(partCount)),
      ("changed_parts", JSONValue(changedParts)),
      (
        "moved",
        .array(
          moved.map {
            .object([
              ("group", .string($0.group)), ("feature", .string($0.feature)),
              ("from", JSONValue($0.from)), ("to", JSONValue($0.to)),
              ("change", JSONValue($0.change)),
            ])
          })
      ),
    ])
  }
}

/// A version as it is listed.
struct Listed {
  let header: ParameterUpdate.Header
  private let digest: Digest
  private let bytes: Int
  private let parts: Int
  private let changedParts: Int

  init(_ update: ParameterUpdate) {
    header = update.header
    digest = update.digest
    bytes = update.encode().count
    parts = update.partCount
    changedParts = update.changedParts
  }

  var json: JSONValue {
    .object(
      header.json + [
        ("digest", .string(digest.description)), ("bytes", JSONValue(bytes)),
        ("parts", JSONValue(parts)), ("changed_parts", JSONValue(changedParts)),
      ])
  }

  var row: [String] {
    [
      header.name, header.kind.rawValue, header.isSnapshot ? "snapshot" : "delta",
      String(EventTime.text(header.time).prefix(19)), header.examples.grouped,
      String(EventTime.text(header.eventTime).prefix(19)), figure(header.figures.auroc),
      figure(header.figures.averagePrecision), figure(header.figures.logLoss),
      figure(header.threshold.map(Double.init)), bytes.grouped, digest.short,
    ]
  }
}

extension ParameterUpdate.Header {
  var json: [(String, JSONValue)] {
    [
      ("name", .string(name)), ("pipeline", .string(pipeline)), ("model", .string(model)),
      ("kind", .string(kind.rawValue)), ("epoch", JSONValue(epoch)),
      ("version", JSONValue(version)), ("base_version", JSONValue(base)),
      ("snapshot", .bool(isSnapshot)), ("time", .string(EventTime.text(time))),
      ("event_time", .string(EventTime.text(eventTime))), ("examples", JSONValue(examples)),
      (
        "positions",
        .array(
          positions.map {
            .object([
              ("topic", .string($0.topic)), ("partition", JSONValue($0.partition)),
              ("offset", JSONValue($0.offset)),
            ])
          })
      ),
      ("threshold", JSONValue(threshold.map(Double.init))),
      ("fingerprint", .string(fingerprint.description)),
      (
        "figures",
        .object([
          ("labelled", JSONValue(figures.labelled)), ("positives", JSONValue(figures.positives)),
          ("auroc", JSONValue(figures.auroc)),
          ("average_precision", JSONValue(figures.averagePrecision)),
          ("log_loss", JSONValue(figures.logLoss)), ("brier", JSONValue(figures.brier)),
        ])
      ),
    ]
  }
}
