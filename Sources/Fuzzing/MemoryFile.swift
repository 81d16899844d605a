import Glibc

/// A file without a place on any disk, for readers that take a path.
final class MemoryFile {
  private let descriptor: Int32

  init() throws {
    // Removed at once: the open file is all there is of it.
    var template = Array("/dev/shm/weir-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Finding("no file in memory: \(errno)") }
    unlink(template)
  }

  deinit { close(descriptor) }

  var path: String { "/proc/self/fd/\(descriptor)" }

  func replace(with bytes: [UInt8]) throws {
    guard ftruncate(descriptor, 0) == 0,
      pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else { throw Finding("a file in memory cannot be written: \(errno)") }
  }
}
