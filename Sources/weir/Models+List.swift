import ArgumentParser
import Features
import Files
import ModelLog
import Pipeline
import Topics

extension Models {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The versions that were published, oldest first.",
      discussion: """
        With the updates that the trainer withheld, and what a scorer refused and why.
        """)

    @Argument(help: "Only this pipeline, or only this model: card-fraud or card-fraud/fraud.")
    var name: ModelSelection?
    @Option(help: "Only the last so many of each model.") var last: Int?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      var entries = try listed()
      if let name, entries.isEmpty {
        throw ModelHistory.NotFound(
          description: "there is no version of '\(name.description)' on the topics")
      }
      if let last { entries = newest(last, of: entries) }
      if json {
        printBytes(JSONValue.array(entries.map(\.json)).encode(pretty: true) + [0x0a])
        return
      }
      var table = TextTable([
        .left("version"), .left("kind"), .left("type"), .left("published"), .right("examples"),
        .left("through"), .right("AUROC"), .right("AP"), .right("log loss"),
        .right("threshold"), .right("bytes"), .left("digest"),
      ])
      for row in entries.compactMap(\.row) { table.add(row) }
      printLine(table.text)
      for line in entries.compactMap(\.line) { printLine(line) }
    }

    private func listed() throws -> [ListedRecord] {
      let log = try topics.openForReading()
      let history = ModelHistory(log: log)
      var entries: [ListedRecord] = []
      for pipeline in try history.pipelines() where name == nil || name?.pipeline == pipeline {
        // Only what is printed is kept: parameters may be large.
        var found: [ListedRecord] = []
        try history.forEach(pipeline: pipeline) { found.append(ListedRecord($0, of: pipeline)) }
        do {
          for refusal in try UpdateRefusals(log: log, pipeline: pipeline).entries {
            // By place: of two updates that claim to be the same version, one may be sound.
            if let place = found.firstIndex(where: { $0.offset == refusal.offset }) {
              found[place].refusal = refusal
            } else {
              found.append(ListedRecord(refusal, of: pipeline))
            }
          }
        } catch {
          printError("warning: what the scorer of '\(pipeline)' refused cannot be read: \(error)\n")
        }
        entries += found.filter { name?.model == nil || $0.model == nil || $0.model == name?.model }
      }
      return entries
    }

    /// The last versions of each model, and what else stands behind the first of them.
    private func newest(_ count: Int, of entries: [ListedRecord]) -> [ListedRecord] {
      var left: [String: Int] = [:]
      var first: [String: UInt64] = [:]
      let versions = Set(
        entries.indices.reversed().filter { index in
          guard let version = entries[index].version else { return false }
          let key = "\(version.header.pipeline)/\(version.header.model)"
          left[key, default: count] -= 1
          guard left[key]! >= 0 else { return false }
          let pipeline = entries[index].pipeline
          first[pipeline] = min(first[pipeline] ?? .max, entries[index].offset ?? .max)
          return true
        })
      return entries.indices.filter { index in
        versions.contains(index)
          || entries[index].version == nil
            && entries[index].offset ?? .max >= first[entries[index].pipeline] ?? 0
      }.map { entries[$0] }
    }
  }
}

/// A record on `models` as it is listed.
struct ListedRecord {
  enum Content {
    case version(Listed)
    case withheld(WithheldUpdate)
    /// No update: what it was to be, and what is wrong with it.
    case unreadable(UpdateError)
    /// Only the scorer speaks of it.
    case none
  }

  let pipeline: String
  let offset: UInt64?
  private let content: Content
  /// What a scorer said to it.
  var refusal: UpdateRefusal?

  init(_ record: ModelRecord, of pipeline: String) {
    self.pipeline = pipeline
    offset = record.offset
    content =
      switch record.content {
      case .update(let update): .version(Listed(update))
      case .withheld(let withheld): .withheld(withheld)
      case .refused(let error): .unreadable(error)
      }
  }

  init(_ refusal: UpdateRefusal, of pipeline: String) {
    self.pipeline = pipeline
    offset = refusal.offset
    content = .none
    self.refusal = refusal
  }

  var version: Listed? { if case .version(let version) = content { version } else { nil } }

  /// Nil where it is not known.
  var model: String? {
    switch content {
    case .version(let version): version.header.model
    case .withheld(let withheld): withheld.model
    case .unreadable(let error): error.subject?.model
    case .none: refusal?.subject?.model
    }
  }

  private var subject: UpdateError.Subject? {
    if case .unreadable(let error) = content { error.subject } else { refusal?.subject }
  }

  // MARK: JSON

  var json: JSONValue {
    switch content {
    case .version(let version):
      return .object(version.json + (refusal.map { [("refused", $0.json)] } ?? []))
    case .withheld(let withheld):
      return .object(
        [
          ("pipeline", .string(withheld.pipeline)), ("model", .string(withheld.model)),
          ("version", .null), ("offset", JSONValue(offset)),
        ] + withheld.members)
    case .unreadable, .none:
      return .object([
        ("pipeline", .string(pipeline)), ("model", JSONValue(model)), ("version", .null),
        ("claimed_version", JSONValue(subject?.version)), ("offset", JSONValue(offset)),
        ("refused", refusedJSON),
      ])
    }
  }

  private var refusedJSON: JSONValue {
    if let refusal { return refusal.json }
    guard case .unreadable(let error) = content else { return .null }
    return .object([
      ("code", .string(error.code.rawValue)), ("reason", .string(error.description)),
      ("time", .null), ("healed_by", .null), ("healed_time", .null),
    ])
  }

  // MARK: Text

  /// A row of the table, for a version or a withheld one.
  var row: [String]? {
    switch content {
    case .version(let version):
      var row = version.row
      if refusal != nil { row[2] = "refused" }
      return row
    case .withheld(let withheld):
      return [
        "\(withheld.pipeline)/\(withheld.model)", "–", "withheld",
        String(EventTime.text(withheld.time).prefix(19)), "–",
        String(EventTime.text(withheld.eventTime).prefix(19)), "–", "–", "–", "–", "–", "–",
      ]
    case .unreadable, .none: return nil
    }
  }

  /// A line below the table.
  var line: String? {
    if case .withheld(let withheld) = content {
      return "withheld: \(withheld.pipeline)/\(withheld.model) at offset \(offset ?? 0): "
        + "\(withheld.code.rawValue): \(withheld.reason); \(withheld.actionText)"
    }
    let place = offset.map { "at offset \($0)" } ?? "which never came"
    if let refusal {
      let healed = refusal.healedBy.map {
        "; healed by \($0) \(EventTime.text(refusal.healedTime ?? 0))"
      }
      let what = version?.header.name ?? subject?.description ?? pipeline
      return "refused: \(what) \(place), \(EventTime.text(refusal.time)): "
        + "\(refusal.code.rawValue): \(refusal.reason)"
        + (healed ?? "; older parameters are served on")
    }
    guard case .unreadable(let error) = content else { return nil }
    return
      "unreadable: \(subject?.description ?? pipeline) \(place): \(error.code.rawValue): \(error)"
  }
}

extension UpdateRefusal {
  /// As scripts read it.
  var json: JSONValue {
    .object([
      ("code", .string(code.rawValue)), ("reason", .string(reason)),
      ("time", .string(EventTime.text(time))), ("healed_by", JSONValue(healedBy)),
      ("healed_time", JSONValue(healedTime.map { EventTime.text($0) })),
    ])
  }
}

extension UpdateError {
  /// As scripts read it.
  var json: JSONValue {
    .object([
      (
        "refused",
        .object([
          ("code", .string(code.rawValue)), ("reason", .string(description)),
          ("subject", JSONValue(subject?.description)),
        ])
      )
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

  var json: [(String, JSONValue)] {
    header.json + [
      ("digest", .string(digest.description)), ("bytes", JSONValue(bytes)),
      ("parts", JSONValue(parts)), ("changed_parts", JSONValue(changedParts)),
    ]
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
      ("figures", figures.json),
    ]
  }
}

extension ParameterUpdate.Figures {
  /// As scripts read them.
  var json: JSONValue {
    .object([
      ("labelled", JSONValue(labelled)), ("positives", JSONValue(positives)),
      ("auroc", JSONValue(auroc)), ("average_precision", JSONValue(averagePrecision)),
      ("log_loss", JSONValue(logLoss)), ("brier", JSONValue(brier)),
    ])
  }
}
