import ArgumentParser
import Features
import Files
import ModelLog
import Pipeline
import Topics

extension Models {
  struct History: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Which version scored what.",
      discussion: """
        A row for each stretch of events that one version of a model scored, from the topic \
        'scored'. Alerts are the decisions in the stretch, by whichever model decided.
        """)

    @Argument(help: "Only this pipeline, or only this model: card-fraud or card-fraud/fraud.")
    var name: ModelSelection?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      let log = try topics.openForReading()
      var objects: [JSONValue] = []
      var table = TextTable([
        .left("version"), .right("epoch"), .left("digest"), .left("first event"),
        .left("last event"), .right("events"), .right("alerts"), .right("offsets"),
      ])
      for pipeline in try servingPipelines(of: log, name) {
        let history = try ServingHistory(log: log, pipeline: pipeline)
        let stretches = try history.stretches { printError("warning: stepped over: \($0)\n") }
        for stretch in stretches where name?.model == nil || stretch.model == name?.model {
          objects.append(stretch.json(of: pipeline))
          table.add(stretch.row(of: pipeline))
        }
      }
      guard name == nil || !objects.isEmpty else { throw nothingScored(by: name) }
      if json {
        printBytes(JSONValue.array(objects).encode(pretty: true) + [0x0a])
      } else {
        printLine(table.text)
      }
    }
  }

  struct At: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Which version was served at a time.",
      discussion: """
        The version behind the last events at or before that event time, from the topic 'scored'.
        """)

    @Argument(help: "Only this pipeline, or only this model: card-fraud or card-fraud/fraud.")
    var name: ModelSelection?
    @Option(help: "The event time: 2018-04-01T12:00:00Z.") var time: String
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      guard let moment = Array(time.utf8).withUnsafeBytes({ EventTime.parse($0) }) else {
        throw ValidationError("--time is a time such as 2018-04-01T12:00:00Z")
      }
      let log = try topics.openForReading()
      var objects: [JSONValue] = []
      var table = TextTable([
        .left("version"), .right("epoch"), .left("published"), .right("examples"), .right("AUROC"),
        .right("AP"), .right("log loss"), .right("offset"), .left("digest"),
      ])
      for pipeline in try servingPipelines(of: log, name) {
        let served = try ServingHistory(log: log, pipeline: pipeline).served(at: moment)
          .filter { name?.model == nil || $0.model == name?.model }
        let headers = try headers(of: served, pipeline, log)
        for one in served {
          objects.append(one.json(of: pipeline, headers[one.model]))
          table.add(one.row(of: pipeline, headers[one.model]))
        }
      }
      guard name == nil || !objects.isEmpty else { throw nothingScored(by: name) }
      if json {
        printBytes(JSONValue.array(objects).encode(pretty: true) + [0x0a])
      } else {
        printLine(table.text)
      }
    }

    /// What the updates say of the versions, by model; not of those that retention has removed.
    private func headers(
      of served: [ServingHistory.Served], _ pipeline: String, _ log: any TopicLog
    ) throws -> [String: ParameterUpdate.Header] {
      let wanted = Dictionary(
        served.compactMap { one in one.version.map { (one.model, $0) } }, uniquingKeysWith: { $1 })
      var headers: [String: ParameterUpdate.Header] = [:]
      try ModelHistory(log: log).forEach(pipeline: pipeline) { record in
        guard case .update(let update) = record.content,
          let version = wanted[update.header.model], update.header.version == version.version,
          update.header.epoch == version.epoch, update.digest == version.digest
        else { return }
        headers[update.header.model] = update.header
      }
      return headers
    }
  }
}

private func servingPipelines(
  of log: any TopicLog, _ name: ModelSelection?
) throws -> [String] {
  try ServingHistory.pipelines(of: log).filter { name == nil || $0 == name?.pipeline }
}

private func nothingScored(by name: ModelSelection?) -> ModelHistory.NotFound {
  ModelHistory.NotFound(
    description: "nothing was scored by '\(name?.description ?? "")' on the topics")
}

extension ServingHistory.Stretch {
  fileprivate func json(of pipeline: String) -> JSONValue {
    .object([
      ("pipeline", .string(pipeline)), ("model", .string(model)),
      ("version", version.version > 0 ? JSONValue(version.version) : .null),
      ("epoch", version.version > 0 ? JSONValue(version.epoch) : .null),
      ("digest", JSONValue(version.digest?.description)),
      ("first_time", .string(EventTime.text(times.lowerBound))),
      ("last_time", .string(EventTime.text(times.upperBound))), ("events", JSONValue(events)),
      ("alerts", JSONValue(alerts)), ("first_offset", JSONValue(offsets.lowerBound)),
      ("last_offset", JSONValue(offsets.upperBound)),
    ])
  }

  fileprivate func row(of pipeline: String) -> [String] {
    let isScored = version.version > 0
    return [
      "\(pipeline)/\(model)" + (isScored ? "@\(version.version)" : " none"),
      isScored ? "\(version.epoch)" : "–", version.digest?.short ?? "–",
      String(EventTime.text(times.lowerBound).prefix(19)),
      String(EventTime.text(times.upperBound).prefix(19)), events.grouped, alerts.grouped,
      "\(offsets.lowerBound)–\(offsets.upperBound)",
    ]
  }
}

extension ServingHistory.Served {
  fileprivate func json(of pipeline: String, _ header: ParameterUpdate.Header?) -> JSONValue {
    .object([
      ("pipeline", .string(pipeline)), ("model", .string(model)),
      ("version", JSONValue(version?.version)), ("epoch", JSONValue(version?.epoch)),
      ("digest", JSONValue(version?.digest?.description)), ("offset", JSONValue(offset)),
      ("published", JSONValue(header.map { EventTime.text($0.time) })),
      ("examples", JSONValue(header?.examples)),
      ("figures", header?.figures.json ?? .null),
    ])
  }

  fileprivate func row(of pipeline: String, _ header: ParameterUpdate.Header?) -> [String] {
    [
      "\(pipeline)/\(model)" + (version.map { "@\($0.version)" } ?? " none"),
      version.map { "\($0.epoch)" } ?? "–",
      header.map { String(EventTime.text($0.time).prefix(19)) } ?? "–",
      header?.examples.grouped ?? "–", figure(header?.figures.auroc),
      figure(header?.figures.averagePrecision), figure(header?.figures.logLoss),
      offset.map { "\($0)" } ?? "–", version?.digest?.short ?? "–",
    ]
  }
}
