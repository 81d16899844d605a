import Foundation
import Topics

/// A `weir` command that runs as a process of its own.
final class ChildProcess {
  /// What the demo calls it.
  let name: String
  private let process = Process()
  private let logFile: URL

  /// Starts `weir` with `arguments`.
  /// - Parameters:
  ///   - folder: where what it logs is kept, for the case that it fails.
  ///   - log: woken when the process ends, so that nobody sleeps on while it is gone.
  init(_ name: String, _ arguments: [String], folder: URL, waking log: any TopicLog) throws {
    self.name = name
    logFile = folder.appendingPathComponent("\(name).log")
    // A second start writes behind what the first one logged.
    let descriptor = open(logFile.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure("\(logFile.path) cannot be written") }
    let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    process.executableURL = try Self.weir
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    process.terminationHandler = { _ in log.wake() }
    try process.run()
  }

  /// The program `weir`, which the build puts beside this one.
  private static var weir: URL {
    get throws {
      let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()
      let program = folder.appendingPathComponent("weir")
      guard FileManager.default.isExecutableFile(atPath: program.path) else {
        throw Failure("there is no program \(program.path); build it with: swift build -c release")
      }
      return program
    }
  }

  var number: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// Ends it at once, without a chance to tidy up: kill -9.
  func kill() {
    guard process.isRunning else { return }
    Foundation.kill(number, SIGKILL)
    process.waitUntilExit()
  }

  /// Asks it to finish what it has begun and waits for it.
  func stop() throws {
    process.terminate()
    process.waitUntilExit()
    try checkExit()
  }

  /// - Throws: `Failure` with the last lines of its log if it ended in any way but well.
  func checkExit() throws {
    guard !process.isRunning, process.terminationStatus != 0 || process.terminationReason != .exit
    else { return }
    let log = (try? String(contentsOf: logFile, encoding: .utf8)) ?? ""
    let end = log.split(separator: "\n").suffix(8).joined(separator: "\n  ")
    let how = process.terminationReason == .exit ? "ended with status" : "was ended by signal"
    throw Failure("the \(name) \(how) \(process.terminationStatus):\n  \(end)")
  }
}
