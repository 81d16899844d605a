import CLMDB
import CLinux
import Glibc

/// Says in one line that a data file is damaged if its damage ends the process.
enum MapGuard {
  /// Watches the map of the data file in a folder; returns what to pass to `remove(_:)`.
  static func add(folder: String) -> Int32 {
    guard let file = realpath(folder + "/data.mdb", nil) else { return -1 }
    defer { free(file) }
    let path = String(cString: file)
    guard let map = map(of: path) else { return -1 }
    return weir_guard_map(map.baseAddress!, map.count, message(path))
  }

  static func remove(_ number: Int32) { weir_unguard_map(number) }

  /// Has LMDB say the same when it notices by itself, instead of what its assertion looks like.
  static func watchAssertions(of environment: OpaquePointer) {
    mdb_env_set_assert(environment) { environment, _ in
      var folder: UnsafePointer<CChar>?
      mdb_env_get_path(environment, &folder)
      let text = MapGuard.message((folder.map { String(cString: $0) } ?? "") + "/data.mdb")
      _ = write(STDERR_FILENO, text, text.utf8.count)
      _exit(1)
    }
  }

  private static func message(_ path: String) -> String {
    "weir: the data file \(path) is damaged; stop what uses it and run `weir topics verify`\n"
  }

  /// Where a file is mapped, which LMDB does not tell.
  private static func map(of path: String) -> UnsafeRawBufferPointer? {
    guard let file = fopen("/proc/self/maps", "re") else { return nil }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let line {
      // start-end permissions offset device inode path
      let fields = String(cString: line).dropLast().split(separator: " ", maxSplits: 5)
      guard fields.count == 6, fields[5].drop(while: { $0 == " " }) == path else { continue }
      let ends = fields[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
      guard ends.count == 2, let start = UnsafeRawPointer(bitPattern: ends[0]) else { continue }
      return UnsafeRawBufferPointer(start: start, count: Int(ends[1] - ends[0]))
    }
    return nil
  }
}
