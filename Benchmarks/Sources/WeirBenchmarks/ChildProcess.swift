import Glibc

/// A program that was started, and what it writes to standard output.
struct ChildProcess {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let name: String
  private let process: pid_t
  private let output: Int32

  /// Starts a program, looked up on PATH unless its name has a slash. Its standard error goes to
  /// ours, or nowhere if `quiet`.
  init(_ arguments: [String], quiet: Bool = false) throws(Failure) {
    name = arguments.joined(separator: " ")
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failure(description: "no pipe: \(errno)") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    if quiet {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    }
    var strings: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for string in strings { free(string) } }
    var process: pid_t = 0
    let error = posix_spawnp(&process, strings[0]!, &actions, nil, &strings, environ)
    close(ends[1])
    guard error == 0 else {
      close(ends[0])
      throw Failure(description: "\(arguments[0]): \(String(cString: strerror(error)))")
    }
    self.process = process
    output = ends[0]
  }

  /// Asks the program to end.
  func terminate() { kill(process, SIGTERM) }

  /// Reads the program's output until it ends, and returns it.
  /// - Throws: `Failure` unless it exits with 0.
  @discardableResult
  func wait() throws(Failure) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(output, &buffer, buffer.count)
      if count > 0 {
        bytes += buffer[..<count]
      } else if count == 0 || errno != EINTR {
        break
      }
    }
    close(output)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw Failure(description: "\(name): lost") }
    }
    guard status == 0 else { throw Failure(description: "\(name): ended with status \(status)") }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Runs a program to its end and returns its output.
  @discardableResult
  static func run(_ arguments: [String], quiet: Bool = false) throws(Failure) -> String {
    try ChildProcess(arguments, quiet: quiet).wait()
  }
}
