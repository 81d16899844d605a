import Foundation
import Testing
import Topics

/// A running `weir`, or another of the project's programs. Its output goes to files, so that it never waits for a reader.
final class Command {
  let processID: pid_t
  private let folder: String
  private var status: Int32?

  /// Starts the executable that lies beside the tests, or, of `weir`, the one WEIR_EXECUTABLE names.
  /// - Parameters:
  ///   - program: its name.
  ///   - input: a descriptor that becomes its standard input; it has none otherwise.
  ///   - largestFile: no file may grow beyond so many bytes; the shell rounds down to whole blocks.
  init(
    _ arguments: [String], program: String = "weir", input: Int32? = nil, largestFile: Int? = nil
  ) throws {
    let named = ProcessInfo.processInfo.environment["WEIR_EXECUTABLE"]
    let executable =
      try (program == "weir" ? named : nil)
      ?? URL(
        fileURLWithPath: FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      ).deletingLastPathComponent().appendingPathComponent(program).path
    try #require(
      access(executable, X_OK) == 0,
      "no \(program) at \(executable); set WEIR_EXECUTABLE to its path")
    var path = executable
    var line = [executable] + arguments
    if let largestFile {
      // Without the signal ignored, the first write beyond the limit would kill.
      path = "/bin/sh"
      line =
        ["sh", "-c", "trap '' XFSZ; ulimit -f \(largestFile / 512); exec \"$@\"", "sh"] + line
    }
    folder = newFolder()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    let write = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 1, folder + "/output", write, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, folder + "/errors", write, 0o600)

    // Nothing of the caller's settings, and always the same width of help.
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("WEIR_") }
    environment["COLUMNS"] = "80"
    environment["OPENBLAS_NUM_THREADS"] = "1"
    var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (words + variables).forEach { free($0) } }
    var processID: pid_t = 0
    let result = posix_spawn(&processID, path, &actions, nil, &words, &variables)
    try #require(result == 0, "cannot start \(path)")
    self.processID = processID
  }

  deinit {
    if status == nil {
      kill(processID, SIGKILL)
      _ = wait()
    }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Waits for its end; returns its exit status, or minus the number of the signal that ended it.
  @discardableResult
  func wait() -> Int32 {
    if let status { return status }
    var raw: Int32 = 0
    while waitpid(processID, &raw, 0) < 0, errno == EINTR {}
    let result = raw & 0x7f == 0 ? (raw >> 8) & 0xff : -(raw & 0x7f)
    status = result
    return result
  }

  func send(_ signal: Int32) { kill(processID, signal) }

  /// Has it stand still until SIGCONT. Returns when it does.
  func stop() {
    send(SIGSTOP)
    var information = siginfo_t()
    while waitid(P_PID, id_t(processID), &information, WSTOPPED) < 0, errno == EINTR {}
  }

  /// What it wrote to standard output so far.
  var output: String { text("output") }
  /// What it wrote to standard error so far.
  var errors: String { text("errors") }

  private func text(_ name: String) -> String {
    String(
      decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
  }
}

/// Runs a command to its end, which has to be a success; gives its standard output.
@discardableResult
func weir(
  _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
) throws -> String {
  let command = try Command(arguments)
  let status = command.wait()
  #expect(status == 0, "\(arguments): \(command.errors)", sourceLocation: sourceLocation)
  return command.output
}

/// Parses what a command printed with `--json`.
func json(_ text: String) throws -> Any {
  try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
}

func objects(_ text: String) throws -> [[String: Any]] {
  try #require(try json(text) as? [[String: Any]])
}

func newFolder() -> String {
  FileManager.default.temporaryDirectory.path + "/command-test-\(UUID().uuidString)"
}

/// Runs `body` with the path of a new folder and removes it afterwards.
func withFolder<T>(_ body: (String) throws -> T) throws -> T {
  let folder = newFolder()
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Waits on the log until `condition` holds; gives up after a minute without any change.
func wait(
  on log: any TopicLog, sourceLocation: SourceLocation = #_sourceLocation,
  until condition: () throws -> Bool
) throws {
  while true {
    let token = log.changeToken()
    if try condition() { return }
    try #require(
      log.waitForChange(since: token, timeoutMilliseconds: 60_000), "nothing happens on the log",
      sourceLocation: sourceLocation)
  }
}

/// A small stream of the handbook's transactions in pieces, and a pipeline for it.
struct Workplace {
  let folder: String
  let topics: String
  let pipeline: String
  let history: String
  /// The history in four files.
  let pieces: [String]
  let events: Int

  static let pipelineText = """
    pipeline: cards
    events:
      id: TRANSACTION_ID
      time: TX_DATETIME
      entities: [CUSTOMER_ID]
      fields:
        TX_AMOUNT: number
    label:
      field: TX_FRAUD
      delay: 1d
    features:
      - number: TX_AMOUNT
      - log: TX_AMOUNT
      - time: hour
    models:
      fraud:
        kind: logistic-regression
        batch: 32
      clusters:
        kind: k-means
        clusters: 3
        batch: 32
      outlier:
        kind: isolation-forest
        trees: 20
        sample_size: 32
        reservoir_size: 128
        replace_every: 16
        batch: 64
    decisions:
      by: [fraud, outlier]
      budget: 5 %
    publish:
      every: 100
      snapshot_every: 5

    """

  init(in folder: String, days: Int = 20) throws {
    self.folder = folder
    topics = folder + "/topics"
    pipeline = folder + "/cards.yaml"
    history = folder + "/history.csv"
    try Self.pipelineText.write(toFile: pipeline, atomically: false, encoding: .utf8)
    try weir(
      "generate", "handbook", "--customers", "60", "--terminals", "100", "--days", "\(days)",
      "--out",
      history)
    let lines = try String(contentsOfFile: history, encoding: .utf8).split(separator: "\n")
    let events = lines.count - 1
    try #require(events > 1000)
    self.events = events
    pieces = try (0..<4).map { piece in
      let rows = lines[(1 + events * piece / 4)..<(1 + events * (piece + 1) / 4)]
      let path = "\(folder)/piece-\(piece).csv"
      try ([lines[0]] + rows).joined(separator: "\n").write(
        toFile: path, atomically: false, encoding: .utf8)
      return path
    }
  }

  func produce(_ piece: Int) throws {
    try weir("produce", pieces[piece], "--pipeline", pipeline, "--topics", topics)
  }

  func start(_ service: String, _ more: String...) throws -> Command {
    try Command([service, "--pipeline", pipeline, "--topics", topics] + more)
  }

  func run(_ service: String) throws {
    try weir(service, "--pipeline", pipeline, "--topics", topics, "--until-end")
  }

  func openLog() throws -> EmbeddedLog { try EmbeddedLog(folder: topics, access: .readOnly) }

  /// Every event has one decision, and every model's versions rise by one.
  func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let decisions = try weir("topics", "read", "decisions", "--topics", topics)
      .split(separator: "\n").map { try json(String($0)) as? [String: Any] }
    let ids = decisions.compactMap { ($0?["event_id"] as? String).flatMap(Int.init) }
    #expect(ids == Array(0..<events), sourceLocation: sourceLocation)
    var versions: [String: Int] = [:]
    for version in try objects(weir("models", "list", "--json", "--topics", topics)) {
      let model = try #require(version["model"] as? String)
      let number = try #require(version["version"] as? Int)
      #expect(number == versions[model, default: 0] + 1, sourceLocation: sourceLocation)
      versions[model] = number
    }
    #expect(versions.count == 3, sourceLocation: sourceLocation)
  }
}

extension EmbeddedLog {
  /// Records on a topic.
  func count(_ topic: String) throws -> Int {
    try describe().filter { $0.partition.topic == topic }.reduce(0) { $0 + Int($1.recordCount) }
  }
}
