import Glibc

/// Files that are read and written at once.
public enum WholeFile {
  /// The bytes of a file.
  /// - Throws: `FileError` if it cannot be read or is longer than `limit` bytes.
  public static func read(_ path: String, limit: Int) throws -> [UInt8] {
    let input = try GzipInput(path: path)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try input.read(into: $0) }
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
      guard bytes.count <= limit else {
        throw FileError(path: path, reason: "is longer than \(limit) bytes")
      }
    }
  }

  /// Writes a file, or replaces it, so that under its name stands the old content or all of the new
  /// one, also after a crash.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    func failure() -> FileError {
      FileError(path: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
    }
    let temporary = "\(path).\(getpid()).partial"
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure() }
    do throws(FileError) {
      defer { close(file) }
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { throw failure() }
      }
      guard fsync(file) == 0 else { throw failure() }
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, path) == 0 else {
      let error = failure()
      unlink(temporary)
      throw error
    }
    // The new name must outlast a crash too. A folder that cannot be opened cannot be synced.
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) }
    let handle = open(folder ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard handle >= 0 else { return }
    fsync(handle)
    close(handle)
  }
}
