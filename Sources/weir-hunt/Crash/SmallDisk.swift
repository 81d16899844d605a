import Glibc
import Processes

/// A file system in memory that is too small at first. Needs the rights of root.
final class SmallDisk {
  let path: String
  private(set) var megabytes: Int
  private let log: String

  /// Mounts it on a new folder.
  init(path: String, megabytes: Int, log: String) throws {
    self.path = path
    self.megabytes = megabytes
    self.log = log
    guard mkdir(path, 0o755) == 0 else { throw Failure("\(path): \(errno)") }
    try run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "weir-hunt", path])
  }

  deinit { try? run("/bin/umount", ["--lazy", path]) }

  /// Gives more space.
  func grow() throws {
    megabytes = megabytes * 3 / 2
    try run("/bin/mount", ["-o", "remount,size=\(megabytes)m", path])
  }

  /// Whether there is no room for much more than a commit.
  var isFull: Bool {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return false }
    return UInt64(status.f_bavail) * UInt64(status.f_bsize) < 4 << 20
  }

  private func run(_ program: String, _ arguments: [String]) throws {
    let process = try ChildProcess(program, program: program, arguments, logFile: log)
    process.wait()
    try process.checkExit()
  }
}
