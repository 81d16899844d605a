import Files
import Glibc
import Processes

/// Seconds on a clock that only goes forward, the same for all processes.
func monotonicSeconds() -> Double { Double(monotonicNanoseconds()) * 1e-9 }

/// Nanoseconds on the same clock.
func monotonicNanoseconds() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Writes a line to standard output at once: somebody may be watching.
func say(_ line: String) {
  print(line)
  fflush(nil)
}

/// Writes bytes to a new file.
func write(_ bytes: [UInt8], to path: String) throws {
  let output = try GzipOutput(path: path)
  try output.write(bytes)
  try output.close()
}

/// A folder of a tool's own.
struct Workplace {
  let path: String
  private let isTemporary: Bool

  /// Makes a folder: `path`, which must be empty if it exists, or a new one for temporary files.
  init(_ path: String?) throws {
    if let path {
      guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
        throw Failure("\(path): \(String(cString: strerror(errno)))")
      }
      self.path = path
      isTemporary = false
      return
    }
    let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(temporary)/weir-hunt-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Failure("no folder in \(temporary): \(String(cString: strerror(errno)))")
    }
    self.path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    isTemporary = true
  }

  /// Removes a temporary folder and what is in it; one that was named is kept.
  func remove() { if isTemporary { removeTree(path) } }
}
