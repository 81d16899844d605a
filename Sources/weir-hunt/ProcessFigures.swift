import Files
import Glibc

/// What the kernel knows of a running process; nil where it has ended.
struct ProcessFigures {
  /// Bytes of memory in use.
  let residentBytes: Int
  /// Of them, those that are the process's own: not files mapped into memory.
  let ownBytes: Int
  /// Seconds of processor time so far.
  let processorSeconds: Double
  let openFiles: Int

  init?(of process: pid_t) {
    guard let status = Self.read("/proc/\(process)/status"),
      let stat = Self.read("/proc/\(process)/stat"),
      let files = Self.count("/proc/\(process)/fd")
    else { return nil }
    func kilobytes(_ name: String) -> Int {
      let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
      return line?.split(separator: " ").compactMap { Int($0) }.first
        ?? line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
    }
    residentBytes = kilobytes("VmRSS:") * 1024
    ownBytes = kilobytes("RssAnon:") * 1024
    // Behind the name, which may contain spaces: field 3 is the state; 14 and 15 are the times.
    let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
    let ticks = fields.count > 13 ? (Double(fields[12]) ?? 0) + (Double(fields[13]) ?? 0) : 0
    processorSeconds = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    openFiles = files
  }

  private static func read(_ path: String) -> String? {
    guard let input = try? GzipInput(path: path) else { return nil }
    var lines = LineReader(input)
    var text = ""
    while let line = try? lines.next({ String(decoding: $0, as: UTF8.self) }) {
      text += line + "\n"
    }
    return text.isEmpty ? nil : text
  }

  private static func count(_ folder: String) -> Int? {
    guard let directory = opendir(folder) else { return nil }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count - 2
  }
}
