import Foundation
import Testing

/// A running TopicPeer.
final class Peer {
  let processID: pid_t
  private let output: UnsafeMutablePointer<FILE>
  private var isReaped = false

  /// Starts the executable that lies beside the tests, or the one WEIR_TOPIC_PEER names.
  init(_ arguments: String...) throws {
    let path =
      try ProcessInfo.processInfo.environment["WEIR_TOPIC_PEER"]
      ?? URL(
        fileURLWithPath: FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      ).deletingLastPathComponent().appendingPathComponent("TopicPeer").path
    try #require(
      access(path, X_OK) == 0, "no TopicPeer at \(path); set WEIR_TOPIC_PEER to its path")

    var ends: [Int32] = [0, 0]
    // Close-on-exec, lest a peer started later hold this one's output open.
    #expect(pipe(&ends) == 0)
    for end in ends { #expect(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    defer { words.forEach { free($0) } }
    words.append(nil)
    var processID: pid_t = 0
    let result = posix_spawn(&processID, path, &actions, nil, words, environ)
    close(ends[1])
    try #require(result == 0, "cannot start \(path)")
    self.processID = processID
    output = fdopen(ends[0], "r")
  }

  deinit {
    if !isReaped {
      kill(processID, SIGKILL)
      waitpid(processID, nil, 0)
    }
    fclose(output)
  }

  /// The next line it says; nil at the end.
  func line() -> String? {
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    let count = getline(&line, &capacity, output)
    guard count > 0, let line else { return nil }
    return String(cString: line).trimmingCharacters(in: .newlines)
  }

  /// All it has yet to say.
  func lines() -> [String] {
    var lines: [String] = []
    while let line = line() { lines.append(line) }
    return lines
  }

  /// Waits for its end; returns the status as of `waitpid`: 0 for exit 0, 9 for killed.
  func wait() -> Int32 {
    var status: Int32 = 0
    waitpid(processID, &status, 0)
    isReaped = true
    return status
  }

  func killNow() { kill(processID, SIGKILL) }
}
