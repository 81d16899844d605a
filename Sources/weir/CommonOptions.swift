import ArgumentParser
import Features
import Glibc
import Logging
import Pipeline
import Topics

/// Where the topics are.
struct TopicOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of the topics (default: WEIR_TOPICS, or ./weir-data).", valueName: "folder"))
  var topics: String?

  private var folder: String {
    get throws {
      let folder = topics ?? environment("WEIR_TOPICS") ?? "./weir-data"
      guard !folder.contains("://") else {
        throw ValidationError("--topics takes a folder, not '\(folder)'")
      }
      return folder
    }
  }

  /// Opens the topics for writing; the folder is made if need be.
  func openForWriting(_ durability: DurabilityOptions) throws -> EmbeddedLog {
    try EmbeddedLog(folder: folder, access: .readWrite, durability: durability.value)
  }

  /// The topics to be looked after.
  func maintenance() throws -> TopicMaintenance { try TopicMaintenance(folder: folder) }

  /// Opens the topics for looking at them.
  func openForReading() throws -> EmbeddedLog {
    try EmbeddedLog(folder: folder, access: .readOnly)
  }
}

/// What a commit waits for.
struct DurabilityOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What a commit waits for (default: WEIR_DURABILITY, or none).",
      discussion: """
        none: nothing. A process crash loses nothing; a system crash or a power cut loses the last \
        seconds, and may damage the file of a role that wrote then.
        batch: its data. A process crash loses nothing; a system crash or a power cut loses at \
        most the last commit of each role, and the files stay sound.
        always: all of it. Neither a process crash, nor a system crash, nor a power cut loses \
        anything.
        """, valueName: "none|batch|always"))
  var durability: String?

  var value: Durability {
    get throws {
      let name = durability ?? environment("WEIR_DURABILITY") ?? Durability.none.rawValue
      guard let value = Durability(rawValue: name) else {
        throw ValidationError("--durability is none, batch or always, not '\(name)'")
      }
      return value
    }
  }

  func validate() throws { _ = try value }
}

extension EmbeddedLog {
  /// Applies the folder's retention to what a command writes.
  func keeper(_ logger: Logger) -> TopicKeeper {
    TopicKeeper(
      RetentionKeeper(folder: folder, now: currentTime), logger: logger, now: currentTime)
  }
}

/// Which pipeline.
struct PipelineOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The pipeline file.", valueName: "file"))
  var pipeline: String

  func load() throws -> Pipeline { try Pipeline(path: pipeline) }
}

/// What is logged.
struct LogOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "trace, debug, info, notice, warning, error or critical (default: WEIR_LOG_LEVEL, or info).",
      valueName: "level"))
  var logLevel: String?

  func logger(_ label: String) throws -> Logger {
    let name = logLevel ?? environment("WEIR_LOG_LEVEL") ?? "info"
    guard let level = Logger.Level(rawValue: name) else {
      throw ValidationError("there is no log level '\(name)'")
    }
    var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = level
    return logger
  }
}

func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// The time of day, ms since 1970.
@Sendable func currentTime() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// An event time of the command line, ms since 1970.
func eventTime(_ text: String) throws -> Int64 {
  guard let time = Array(text.utf8).withUnsafeBytes({ EventTime.parse($0) }) else {
    throw ValidationError("'\(text)' is no time such as 2018-04-01 or 2018-04-01T12:00:00Z")
  }
  return time
}

/// Seconds on a clock that only goes forward.
func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Writes text to standard error.
func printError(_ text: String) { writeAll(Array(text.utf8), to: STDERR_FILENO) }

/// Writes bytes to standard output. Ends the program if that fails: quietly when nobody reads it
/// any more.
func printBytes(_ bytes: [UInt8]) {
  guard !writeAll(bytes, to: STDOUT_FILENO) else { return }
  let reason = errno
  guard reason != EPIPE else { exit(0) }
  printError("Error: standard output: \(String(cString: strerror(reason)))\n")
  exit(1)
}

/// Writes a line of text to standard output, likewise.
func printLine(_ text: String) { printBytes(Array((text + "\n").utf8)) }

@discardableResult
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if errno != EINTR {
      return false
    }
  }
  return true
}
