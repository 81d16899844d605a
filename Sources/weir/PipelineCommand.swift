import ArgumentParser
import Features
import Files
import Pipeline

struct PipelineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipeline", abstract: "Looks at a pipeline file.", subcommands: [Check.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Validates a pipeline file and says what it comes to.",
      discussion: """
        Every problem is named with its line. For features with windows, the memory an entity \
        takes is stated, and that of a million of them: tables may be half empty, so it is the most \
        they take.
        """)

    @Argument(help: ArgumentHelp("The pipeline file.", valueName: "file")) var file: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let pipeline = try Pipeline(path: file)
      if json {
        printBytes(pipeline.description.encode(pretty: true) + [0x0a])
      } else {
        printLine(pipeline.summary)
      }
    }
  }
}

extension WindowMemory.Cost {
  /// Events an entity may have in the examples of what memory comes to.
  fileprivate static let examples = [1, 10, 100]

  fileprivate func bytes(events: Int) -> Int { bytesPerEntity + events * bytesPerEvent }
}

extension Pipeline {
  fileprivate var summary: String {
    var lines = ["\(name): sound", "fingerprint \(fingerprint)", ""]
    lines.append("\(plan.count) features: " + plan.names.joined(separator: ", "))
    for model in models { lines.append("model \(model.name): \(model.learner.kind.rawValue)") }
    if let labels {
      lines.append(
        "labels come within \(DurationText.text(labels.delay)); "
          + "an event without one then is \(labels.unlabelled == .ignore ? "ignored" : "negative")")
    }
    guard !plan.windowCosts.isEmpty else { return lines.joined(separator: "\n") }
    lines += ["", "memory of windows, at the most:"]
    var table = TextTable(
      [.left("entity"), .right("bytes"), .right("and an event"), .left("kept for")]
        + WindowMemory.Cost.examples.map { .right("a million with \($0) each") })
    for cost in plan.windowCosts {
      table.add(
        [
          cost.entity.joined(separator: " + "), cost.bytesPerEntity.grouped,
          cost.bytesPerEvent.grouped, DurationText.text(cost.horizon),
        ]
          + WindowMemory.Cost.examples.map {
            "\((cost.bytes(events: $0) * 1_000_000 / (1 << 20)).grouped) MiB"
          })
    }
    lines.append(table.text)
    let most = plan.windowCosts[0].eventsPerEntity
    lines.append(
      "an entity keeps up to \(most.grouped) events; "
        + "of more than \(windows.entities.grouped) entities of a kind those seen longest ago go")
    return lines.joined(separator: "\n")
  }

  fileprivate var description: JSONValue {
    .object([
      ("pipeline", .string(name)), ("fingerprint", .string(fingerprint.description)),
      ("features", .array(plan.names.map { .string($0) })),
      (
        "models",
        .object(
          models.map {
            ($0.name, .object([("kind", .string($0.learner.kind.rawValue))]))
          })
      ),
      (
        "windows",
        .array(
          plan.windowCosts.map { cost in
            .object([
              ("entity", .array(cost.entity.map { .string($0) })),
              ("bytes_per_entity", JSONValue(cost.bytesPerEntity)),
              ("bytes_per_event", JSONValue(cost.bytesPerEvent)),
              ("kept_ms", JSONValue(cost.horizon)),
              ("events_per_entity", JSONValue(cost.eventsPerEntity)),
              ("entities", JSONValue(windows.entities)),
              (
                "a_million_entities",
                .array(
                  WindowMemory.Cost.examples.map {
                    .object([
                      ("events_each", JSONValue($0)),
                      ("bytes", JSONValue(cost.bytes(events: $0) * 1_000_000)),
                    ])
                  })
              ),
            ])
          })
      ),
    ])
  }
}
