import ArgumentParser
import Files
import ModelLog
import Pipeline

extension Models {
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Rebuilds every version from the topic and compares its digest.",
      discussion: """
        Checks that versions follow each other without a gap or a reuse, too. Versions before the \
        first snapshot that is kept cannot be rebuilt, which is no error. Exit status 1 if \
        anything is bad.
        """)

    @Argument(help: "Only this pipeline, model or version: card-fraud/fraud@42.")
    var name: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      var (pipeline, model, version) = (String?.none, String?.none, UInt64?.none)
      if let name {
        if let reference = ModelReference(name) {
          (pipeline, model, version) = (reference.pipeline, reference.model, reference.version)
        } else if let selection = ModelSelection(argument: name) {
          (pipeline, model) = (selection.pipeline, selection.model)
        } else {
          throw ValidationError(
            "'\(name)' is no pipeline, pipeline/model or pipeline/model@version")
        }
      }
      let result = try ModelVerification(
        log: topics.openForReading(), pipeline: pipeline, model: model, version: version)
      if json {
        printBytes(result.json.encode(pretty: true) + [0x0a])
      } else {
        var table = TextTable([
          .left("model"), .right("versions"), .right("rebuilt"), .right("not rebuildable"),
          .right("doubled"), .right("withheld"),
        ])
        for model in result.models {
          table.add([
            "\(model.pipeline)/\(model.model)",
            "\(model.versions.lowerBound)–\(model.versions.upperBound)", model.rebuilt.grouped,
            model.notRebuildable.grouped, model.doubled.grouped, model.withheld.grouped,
          ])
        }
        printLine(table.text)
        for bad in result.bad {
          printLine(
            "bad: \(bad.pipeline) offset \(bad.offset): \(bad.error.code.rawValue): \(bad.error)")
        }
        printLine("\(result.bad.count) bad")
      }
      if !result.bad.isEmpty { throw ExitCode(1) }
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes one version as a file of its own.",
      discussion: "'weir replay --models FILE' scores with it.")

    @Argument(help: "pipeline/model@version, or pipeline/model for the newest.")
    var version: ModelReference
    @Option(help: ArgumentHelp("The file to write; replaced if it exists.", valueName: "file"))
    var out: String
    @OptionGroup var topics: TopicOptions

    func run() throws {
      let model = try ModelHistory(log: topics.openForReading()).version(version)
      let bytes = ModelFile.encode(model)
      try WholeFile.write(bytes, to: out)
      printLine("\(model.header.name)  \(model.digest)  \(bytes.count.grouped) bytes")
    }
  }
}

extension ModelVerification {
  fileprivate var json: JSONValue {
    .object([
      (
        "models",
        .array(
          models.map {
            .object([
              ("pipeline", .string($0.pipeline)), ("model", .string($0.model)),
              ("first_version", JSONValue($0.versions.lowerBound)),
              ("last_version", JSONValue($0.versions.upperBound)),
              ("rebuilt", JSONValue($0.rebuilt)),
              ("not_rebuildable", JSONValue($0.notRebuildable)),
              ("doubled", JSONValue($0.doubled)), ("withheld", JSONValue($0.withheld)),
            ])
          })
      ),
      (
        "bad",
        .array(
          bad.map {
            .object([
              ("pipeline", .string($0.pipeline)), ("model", JSONValue($0.error.subject?.model)),
              ("version", JSONValue($0.error.subject?.version)), ("offset", JSONValue($0.offset)),
              ("code", .string($0.error.code.rawValue)), ("reason", .string($0.error.description)),
            ])
          })
      ),
    ])
  }
}
