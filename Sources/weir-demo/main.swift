import Foundation
import Pipeline
import Topics

// A reader that goes away (`scripts/demo | head`) ends the demo through a failed write, so that
// processes and files are cleaned up then too.
signal(SIGPIPE, SIG_IGN)

/// Runs the demo in a folder of its own and removes it, however the demo ends.
func runDemo() -> Int32 {
  let display = Display()
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("weir-demo-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
  defer { try? FileManager.default.removeItem(at: folder) }
  let stop = StopSignal()
  do {
    let log = try EmbeddedLog(
      folder: folder.appendingPathComponent("topics").path, access: .readWrite)
    let signals = stop.listen(to: [SIGINT, SIGTERM, SIGHUP], waking: log)
    defer { for source in signals { source.cancel() } }
    var demo = try Demo(folder: folder, stop: stop, log: log, display: display)
    try demo.run()
    return 0
  } catch is Interrupted {
    FileHandle.standardError.write(Data("\nStopped; processes and files are cleaned up.\n".utf8))
    return 130
  } catch {
    FileHandle.standardError.write(Data("\nThe demo failed: \(error)\n".utf8))
    return 1
  }
}

exit(runDemo())
