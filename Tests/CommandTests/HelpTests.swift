import Foundation
import Testing

/// The help of every command as it is committed in Help. Set WEIR_RECORD_HELP to record it anew.
@Suite struct HelpTests {
  private static let isRecording = ProcessInfo.processInfo.environment["WEIR_RECORD_HELP"] != nil

  @Test(arguments: [
    [], ["train"], ["score"], ["replay"], ["compare"], ["detect"], ["pipeline"],
    ["pipeline", "check"],
    ["models"], ["models", "list"],
    ["models", "show"],
    ["models", "diff"], ["models", "history"], ["models", "at"], ["models", "verify"],
    ["models", "export"], ["produce"], ["generate"], ["generate", "handbook"], ["topics"],
    ["topics", "list"], ["topics", "read"], ["topics", "verify"], ["topics", "repair"],
    ["topics", "compact"], ["topics", "backup"], ["topics", "retain"], ["dead-letters"],
    ["dead-letters", "list"], ["dead-letters", "show"], ["dead-letters", "replay"],
    ["dead-letters", "drop"],
  ])
  func helpIsAsCommitted(_ command: [String]) throws {
    let run = try Command(command + ["--help"])
    #expect(run.wait() == 0)
    #expect(run.errors.isEmpty)
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Help")
      .appendingPathComponent((["weir"] + command).joined(separator: "-") + ".txt")
    if Self.isRecording { try run.output.write(to: file, atomically: false, encoding: .utf8) }
    #expect(try run.output == String(contentsOf: file, encoding: .utf8))
  }

  @Test func versionIsPrinted() throws {
    let version = try weir("--version")
    #expect(version.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
  }

  @Test func withoutACommandHelpIsPrinted() throws {
    #expect(try weir() == weir("--help"))
  }
}
