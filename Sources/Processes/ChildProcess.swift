import Glibc

/// A process that did not start or did not end as it should; the text says which and how.
public struct ProcessFailure: Error, CustomStringConvertible {
  /// What happened, with the last lines that the process logged.
  public let description: String

  /// A failure in a sentence.
  public init(_ description: String) { self.description = description }
}

/// A program that runs as a process of its own and logs to a file. Used by one thread at a time.
public final class ChildProcess {
  /// How a process ended.
  public enum Ending: Equatable, Sendable {
    /// By itself, with this status.
    case status(Int32)
    /// By a signal.
    case signal(Int32)
  }

  /// What messages call it.
  public let name: String
  /// The process's number.
  public let number: pid_t
  /// Where its standard output and standard error go, behind what is there.
  public let logFile: String

  private let logStart: Int
  private var ended: Ending?

  /// Starts a program; its standard input is empty and its signals are as after a login, whatever
  /// this process ignores.
  /// - Parameters:
  ///   - name: what messages call it.
  ///   - program: the path of the executable.
  ///   - arguments: without the program's name.
  ///   - logFile: created if need be; a second process writes behind what the first one logged.
  public init(
    _ name: String, program: String, _ arguments: [String], logFile: String
  ) throws(ProcessFailure) {
    guard access(program, X_OK) == 0 else {
      throw ProcessFailure(
        "there is no program \(program); build it with: swift build -c release")
    }
    self.name = name
    self.logFile = logFile
    var status = stat()
    logStart = stat(logFile, &status) == 0 ? Int(status.st_size) : 0

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, logFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var number: pid_t = 0
    let error = posix_spawn(&number, program, &actions, &attributes, &words, environ)
    guard error == 0 else {
      throw ProcessFailure("\(program) does not start: \(String(cString: strerror(error)))")
    }
    self.number = number
  }

  /// A program that the build puts beside the running one.
  public static func beside(_ name: String) -> String {
    var path = [UInt8](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &path, path.count)
    let own = String(decoding: path.prefix(max(0, count)), as: UTF8.self)
    return (own.lastIndex(of: "/").map { String(own[...$0]) } ?? "./") + name
  }

  /// How it ended; nil while it runs.
  public var ending: Ending? {
    if ended == nil { collect(WNOHANG) }
    return ended
  }

  /// Whether it has not ended yet.
  public var isRunning: Bool { ending == nil }

  /// Waits for its end.
  @discardableResult
  public func wait() -> Ending {
    while ended == nil { collect(0) }
    return ended!
  }

  private func collect(_ options: Int32) {
    var raw: Int32 = 0
    guard waitpid(number, &raw, options) == number else { return }
    ended = raw & 0x7f == 0 ? .status((raw >> 8) & 0xff) : .signal(raw & 0x7f)
  }

  /// Ends it at once, without a chance to tidy up: kill -9.
  public func kill() {
    guard isRunning else { return }
    Glibc.kill(number, SIGKILL)
    wait()
  }

  /// Asks it to finish what it has begun; does not wait.
  public func terminate() { if isRunning { Glibc.kill(number, SIGTERM) } }

  /// Asks it to finish what it has begun and waits for it.
  /// - Throws: `ProcessFailure` if it ends in any way but well.
  public func stop() throws(ProcessFailure) {
    terminate()
    wait()
    try checkExit()
  }

  /// - Throws: `ProcessFailure` with the last lines of its log if it ended in any way but well.
  public func checkExit() throws(ProcessFailure) {
    switch ending {
    case nil, .status(0): return
    case .status(let status): throw failure("ended with status \(status)")
    case .signal(let signal): throw failure("was ended by signal \(signal)")
    }
  }

  private func failure(_ how: String) -> ProcessFailure {
    ProcessFailure("the \(name) \(how):\n  \(log.suffix(8).joined(separator: "\n  "))")
  }

  /// The lines that it has logged since its start.
  public var log: [String] {
    let descriptor = open(logFile, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    lseek(descriptor, logStart, SEEK_SET)
    while true {
      let count = read(descriptor, &piece, piece.count)
      guard count > 0 else { break }
      bytes += piece[..<count]
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
