import ArgumentParser
import Features
import Files
import ModelLog
import Pipeline

struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Which model version did what.",
    discussion: "Versions are written pipeline/model@version, for instance card-fraud/fraud@42.",
    subcommands: [
      List.self, Show.self, Diff.self, History.self, At.self, Verify.self, Export.self,
    ])
}

extension ModelReference: ExpressibleByArgument {
  /// Reads a reference from the command line; nil, and so wrong usage, if it is none.
  public init?(argument: String) { self.init(argument) }
}

/// A pipeline, or one of its models, as commands take them: card-fraud or card-fraud/fraud.
struct ModelSelection: ExpressibleByArgument {
  let pipeline: String
  let model: String?

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }), !argument.contains("@") else {
      return nil
    }
    pipeline = parts[0]
    model = parts.count > 1 ? parts[1] : nil
  }

  var description: String { pipeline + (model.map { "/\($0)" } ?? "") }
}

extension Models {
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
