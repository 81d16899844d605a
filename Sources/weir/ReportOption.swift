import ArgumentParser
import Files
import Reports

/// Where a page for people goes.
struct ReportOption: ParsableArguments {
  @Option(
    help: ArgumentHelp("Write a page for people, one HTML file; .gz too.", valueName: "file"))
  var report: String?

  func validate() throws {
    guard report != "-" else { throw ValidationError("--report takes a file, not '-'") }
  }

  /// The file, opened before the work: one that cannot be written is found out then.
  func open() throws -> GzipOutput? { try report.map { try GzipOutput(path: $0) } }
}

/// The page about a replay.
/// - Parameter document: as `--json` writes it.
func replayPage(of document: JSONValue) -> [UInt8] { ReplayPage(document).bytes }
