import ArgumentParser
import Features
import Files
import Learners
import ModelLog
import Pipeline
import Topics

struct TopicsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics", abstract: "What is on the topics.",
    subcommands: [
      List.self, Read.self, Verify.self, Repair.self, Compact.self, Backup.self, Retain.self,
    ])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Topics with who writes them, their records, times and sizes.")

    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func run() throws {
      let descriptions = try topics.openForReading().describe()
      if json {
        let list = descriptions.map { topic in
          JSONValue.object([
            ("topic", .string(topic.partition.topic)),
            ("partition", JSONValue(topic.partition.partition)),
            ("role", .string(topic.role.name)), ("records", JSONValue(topic.recordCount)),
            ("start_offset", JSONValue(topic.startOffset)),
            ("end_offset", JSONValue(topic.endOffset)),
            ("first_time", JSONValue(topic.firstTimestamp.map(EventTime.text))),
            ("last_time", JSONValue(topic.lastTimestamp.map(EventTime.text))),
            ("bytes", JSONValue(topic.bytes)),
          ])
        }
        printBytes(JSONValue.array(list).encode(pretty: true) + [0x0a])
        return
      }
      var table = TextTable([
        .left("topic"), .left("written by"), .right("records"), .right("offsets"),
        .left("first time"), .left("last time"), .right("bytes"),
      ])
      for topic in descriptions {
        table.add([
          topic.partition.topic, topic.role.name, topic.recordCount.grouped,
          "\(topic.startOffset)–\(topic.endOffset)",
          topic.firstTimestamp.map { String(EventTime.text($0).prefix(19)) } ?? "–",
          topic.lastTimestamp.map { String(EventTime.text($0).prefix(19)) } ?? "–",
          topic.bytes.grouped,
        ])
      }
      printLine(table.text)
    }
  }

  struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the records of a topic, one JSON object a line.",
      discussion: """
        Events, labels, decisions and dead letters are printed as they are; scored blocks as one \
        object an event; parameter updates as their description.
        """)

    @Argument(help: "events, labels, scored, decisions, models or dead-letters.")
    var topic: String
    @Option(help: "Offset of the first record.") var from: UInt64?
    @Option(help: "Start at the first record of this time or later: 2018-04-01T12:00:00Z.")
    var since: String?
    @Option(help: "The most records to print.") var limit: Int?
    @Flag(help: "Go on as records come.") var follow = false
    @Flag(help: "Print offset, time and key around each record.") var envelope = false
    @OptionGroup var topics: TopicOptions

    func validate() throws {
      guard from == nil || since == nil else {
        throw ValidationError("--from and --since exclude each other")
      }
      guard limit ?? 0 >= 0 else { throw ValidationError("--limit is a number of records") }
    }

    func run() throws {
      let log = try topics.openForReading()
      let stop = StopSignal()
      let signals = follow ? stop.listen(waking: log) : []
      defer { signals.forEach { $0.cancel() } }
      guard PipelineTopics.names.contains(topic) else {
        throw ValidationError(
          "there is no topic '\(topic)'" + nearestName(to: topic, in: PipelineTopics.names)
            + " (topics are \(PipelineTopics.names.joined(separator: ", ")))")
      }
      var printer = RecordPrinter(topic: topic, envelope: envelope, left: limit ?? .max)
      // By role: several pipelines may write a topic of this name, each its own.
      var readers: [(role: WriterRole, reader: any TopicReader, position: UInt64)] = []
      while !stop.isRequested {
        let token = log.changeToken()
        for found in try log.describe()
        where found.partition.topic == topic && !readers.contains(where: { $0.role == found.role })
        {
          let reader = try log.reader(found.partition, of: found.role)
          readers.append((found.role, reader, try start(of: reader)))
        }
        for index in readers.indices {
          readers[index].position = try readers[index].reader.read(
            from: readers[index].position, limit: .max
          ) {
            guard printer.left > 0 else { return false }
            try printer.print($0)
            return printer.left > 0 && !stop.isRequested
          }
        }
        guard follow, printer.left > 0 else { break }
        printer.flush()
        _ = log.waitForChange(since: token, timeoutMilliseconds: 1000)
      }
      printer.flush()
    }

    private func start(of reader: any TopicReader) throws -> UInt64 {
      if let from {
        let end = try reader.endOffset()
        return try min(max(from, reader.startOffset()), end)
      }
      guard let since else { return try reader.startOffset() }
      guard let time = Array(since.utf8).withUnsafeBytes({ EventTime.parse($0) }) else {
        throw ValidationError("--since is a time such as 2018-04-01T12:00:00Z")
      }
      return try reader.offset(atOrAfter: time) ?? reader.endOffset()
    }
  }
}

/// Prints records as JSON lines.
private struct RecordPrinter {
  let topic: String
  let envelope: Bool
  /// Records still to be printed.
  private(set) var left: Int
  private var assembler = UpdateAssembler()
  private var line: [UInt8] = []
  private var pending: [UInt8] = []

  init(topic: String, envelope: Bool, left: Int) {
    self.topic = topic
    self.envelope = envelope
    self.left = left
  }

  mutating func print(_ record: RecordView) throws {
    line.removeAll(keepingCapacity: true)
    if envelope {
      line.append("{\"offset\":")
      line.append(decimal: Int64(record.offset))
      line.append(",\"time\":\"")
      EventTime.append(record.timestamp, to: &line)
      line.append("\",\"key\":")
      if let key = record.key { line.append(jsonString: key) } else { line.append("null") }
      line.append(",\"value\":")
    }
    let start = line.count
    switch topic {
    case PipelineTopics.scored.topic: appendScored(try ScoredBlock(bytes: [UInt8](record.value)))
    case PipelineTopics.models.topic:
      do {
        switch try assembler.take(record.value) {
        case .incomplete: return
        case .update(let update):
          line += JSONValue.object(Listed(update).json).encode(pretty: false)
        case .withheld(let withheld):
          line += JSONValue.object(withheld.members).encode(pretty: false)
        }
      } catch let error as UpdateError { line += error.json.encode(pretty: false) }
    default: line.append(contentsOf: record.value)
    }
    guard line.count > start else { return }
    if envelope { line.append(UInt8(ascii: "}")) }
    line.append(UInt8(ascii: "\n"))
    pending += line
    if pending.count >= 1 << 16 { flush() }
    left -= 1
  }

  /// Hands what was printed to whoever reads it.
  mutating func flush() {
    printBytes(pending)
    pending.removeAll(keepingCapacity: true)
  }

  private mutating func appendScored(_ block: ScoredBlock) {
    if envelope { line.append(UInt8(ascii: "[")) }
    for row in 0..<block.rows {
      if row > 0 { line.append(envelope ? UInt8(ascii: ",") : UInt8(ascii: "\n")) }
      let id = String(decoding: block.id(row), as: UTF8.self)
      let object = JSONValue.object([
        ("event_id", .string(id)), ("time", .string(EventTime.text(block.time(row)))),
        ("features", .array((0..<block.features).map { JSONValue(block.feature($0, row: row)) })),
        (
          "scores",
          .array(
            block.versions.indices.map {
              JSONValue(Double(block.score(model: $0, row: row)))
            })
        ),
        ("versions", .array(block.versions.map { JSONValue($0.version) })),
        ("outcome", .string("\(block.outcome(row))")),
      ])
      line += object.encode(pretty: false)
    }
    if envelope { line.append(UInt8(ascii: "]")) }
  }
}
