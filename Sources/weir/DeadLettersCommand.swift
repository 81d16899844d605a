import ArgumentParser
import Features
import Files
import Pipeline
import Topics

struct DeadLettersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters", abstract: "What was refused, why, and putting it back.",
    discussion: """
      Events and labels that cannot be read become dead letters: their bytes, the reason, where they \
      stood and when. Once the cause is mended, 'replay' puts them back on their topic; each is \
      replayed once at most.
      """,
    subcommands: [List.self, Show.self, Replay.self, Drop.self])
}

extension DeadLetters.Reference: ExpressibleByArgument {
  /// Reads a reference from the command line; nil, and so wrong usage, if it is none.
  public init?(argument: String) { self.init(argument) }
}

/// Which dead letters a command is about.
struct DeadLetterOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "These only, as 'list' names them: scorer-card-fraud/17.", valueName: "dead-letter"))
  var letters: [DeadLetters.Reference] = []
  @Option(help: "Only those refused from this topic: events or labels.") var topic: String?
  @Option(help: "Only this kind, for instance missing-field.") var kind: String?
  @Option(help: "Only those that this role refused, for instance scorer-card-fraud.")
  var role: String?
  @Option(help: "Only those refused at this time or later: 2018-04-01T12:00:00Z.")
  var since: String?
  @Option(help: "Only those refused before this time.") var until: String?

  var isEmpty: Bool {
    letters.isEmpty && [topic, kind, role, since, until].allSatisfy { $0 == nil }
  }

  func filter(status: DeadLetters.Status?) throws -> DeadLetters.Filter {
    var filter = DeadLetters.Filter()
    filter.references = letters.isEmpty ? nil : Set(letters)
    filter.topic = topic
    filter.kind = kind
    filter.role = role
    filter.since = try since.map { try time($0, "--since") }
    filter.until = try until.map { try time($0, "--until") }
    filter.status = status
    return filter
  }

  private func time(_ text: String, _ flag: String) throws -> Int64 {
    guard let time = Array(text.utf8).withUnsafeBytes({ EventTime.parse($0) }) else {
      throw ValidationError("\(flag) is a time such as 2018-04-01T12:00:00Z")
    }
    return time
  }

  /// The dead letters meant that nobody has settled yet.
  func waiting(in letters: DeadLetters) throws -> [DeadLetters.Found] {
    var found: [DeadLetters.Found] = []
    try letters.forEach(filter(status: .waiting), damage: warn) {
      found.append($0)
      return true
    }
    return found
  }

  /// Those asked for by name must all have been found.
  func check(_ found: [DeadLetters.Found]) throws {
    let missing = Set(letters).subtracting(found.map(\.reference))
    guard let first = missing.sorted(by: { $0.description < $1.description }).first else { return }
    throw DeadLetterNotFound(
      description: "there is no dead letter \(first), or it is replayed or dropped already")
  }
}

private func warn(_ damage: TopicError) { printError("warning: \(damage)\n") }

struct DeadLetterNotFound: Error, CustomStringConvertible {
  let description: String
}

extension DeadLettersCommand {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Dead letters with their reason, oldest first.")

    @OptionGroup var which: DeadLetterOptions
    @Flag(help: "Those replayed or dropped as well.") var all = false
    @Option(help: "The most to print.") var limit: Int?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func validate() throws {
      guard limit ?? 0 >= 0 else { throw ValidationError("--limit is a number of dead letters") }
    }

    func run() throws {
      let letters = DeadLetters(log: try topics.openForReading())
      var left = limit ?? .max
      var found: [DeadLetters.Found] = []
      try letters.forEach(which.filter(status: all ? nil : .waiting), damage: warn) { letter in
        guard left > 0 else { return false }
        left -= 1
        found.append(letter)
        return left > 0
      }
      if json {
        printBytes(JSONValue.array(found.map(\.json)).encode(pretty: true) + [0x0a])
        return
      }
      var table = TextTable([
        .left("dead letter"), .left("refused"), .left("from"), .left("kind"), .left("reason"),
        .right("bytes"), .left("status"),
      ])
      for letter in found {
        table.add([
          letter.reference.description, String(EventTime.text(letter.letter.time).prefix(19)),
          letter.letter.source.description, letter.letter.kind, letter.letter.reason,
          letter.letter.value.count.grouped, letter.status.word,
        ])
      }
      printLine(table.text)
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One dead letter whole, with its bytes.")

    @Argument(help: "As 'list' names it: scorer-card-fraud/17.") var letter: DeadLetters.Reference
    @Flag(help: "Print its bytes and nothing else.") var raw = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var topics: TopicOptions

    func validate() throws {
      guard !(raw && json) else { throw ValidationError("--raw and --json exclude each other") }
    }

    func run() throws {
      var filter = DeadLetters.Filter()
      filter.references = [letter]
      var found: DeadLetters.Found?
      try DeadLetters(log: topics.openForReading()).forEach(filter) {
        found = $0
        return false
      }
      guard let found else {
        throw DeadLetterNotFound(description: "there is no dead letter \(letter)")
      }
      if raw { return printBytes(found.letter.value) }
      if json { return printBytes(found.json.encode(pretty: true) + [0x0a]) }
      printLine("\(found.reference)  \(found.status.word)")
      printLine("  refused  \(EventTime.text(found.letter.time)), \(found.letter.kind)")
      printLine("  reason   \(found.letter.reason)")
      printLine("  from     \(found.letter.source)")
      printLine("  bytes    \(found.letter.value.count.grouped)")
      printLine(String(decoding: found.letter.value, as: UTF8.self))
    }
  }

  struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Puts waiting dead letters back on the topics they came from.",
      discussion: """
        They are named, chosen by the options, or --all; unless named, those stay that replaying \
        cannot help: duplicates, and rows of files. A scorer that is told of an event a second time \
        does not score it again, so an event has one decision in the end.
        """)

    @OptionGroup var which: DeadLetterOptions
    @Flag(help: "All that wait.") var all = false
    @Option(
      help: ArgumentHelp(
        "Put the content of this file instead of the bytes of the one dead letter named.",
        valueName: "file"))
    var value: String?
    @OptionGroup var topics: TopicOptions
    @OptionGroup var durability: DurabilityOptions

    func validate() throws {
      try checkChoice(which, all)
      if value != nil, which.letters.count != 1 {
        throw ValidationError("--value goes with one dead letter by name")
      }
    }

    func run() throws {
      let value = try value.map(contents)
      let letters = DeadLetters(log: try topics.openForWriting(durability))
      let found = try which.waiting(in: letters)
      try which.check(found)
      let chosen = which.letters.isEmpty ? found.filter(\.isReplayable) : found
      let replayed = try letters.replay(chosen, value: value)
      let left = found.count - chosen.count
      printLine("\(replayed.count.grouped) replayed" + (left > 0 ? ", \(left.grouped) left" : ""))
    }

    private func contents(of path: String) throws -> [UInt8] {
      var lines = LineReader(try GzipInput(path: path))
      var bytes: [UInt8] = []
      while let line = try lines.next({ Array($0) }) {
        if !bytes.isEmpty { bytes.append(0x0a) }
        bytes += line
      }
      return bytes
    }
  }

  struct Drop: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Marks waiting dead letters as settled without replaying them.",
      discussion: "Their bytes stay on the topic; 'list --all' still shows them.")

    @OptionGroup var which: DeadLetterOptions
    @Flag(help: "All that wait.") var all = false
    @OptionGroup var topics: TopicOptions
    @OptionGroup var durability: DurabilityOptions

    func validate() throws { try checkChoice(which, all) }

    func run() throws {
      let letters = DeadLetters(log: try topics.openForWriting(durability))
      let found = try which.waiting(in: letters)
      try which.check(found)
      printLine("\(try letters.drop(found).count.grouped) dropped")
    }
  }

  /// Nobody settles everything by leaving out a word.
  private static func checkChoice(_ which: DeadLetterOptions, _ all: Bool) throws {
    guard which.isEmpty == all else {
      throw ValidationError("name dead letters, choose them by options, or say --all")
    }
  }
}

extension DeadLetters.Found {
  var json: JSONValue {
    let place: [(String, JSONValue)] =
      switch letter.source {
      case .record(let partition, let offset):
        [
          ("topic", .string(partition.topic)), ("partition", JSONValue(partition.partition)),
          ("offset", JSONValue(offset)),
        ]
      case .row(let row, let file): [("file", .string(file)), ("row", JSONValue(row))]
      }
    let value: (String, JSONValue) =
      if let text = String(validating: letter.value, as: UTF8.self) {
        ("value", .string(text))
      } else {
        ("value_base64", .string(base64))
      }
    return .object(
      [
        ("dead_letter", .string(reference.description)), ("role", .string(reference.role.name)),
        ("status", .string(status.word)),
      ] + place + [
        ("time", .string(EventTime.text(letter.time))), ("kind", .string(letter.kind)),
        ("reason", .string(letter.reason)), value,
      ])
  }

  private var base64: String {
    var text: [UInt8] = []
    letter.value.withUnsafeBytes { text.append(base64: $0) }
    return String(decoding: text, as: UTF8.self)
  }
}
