import Files
import Foundation

/// What stands behind the figures: the machine, and the versions of everything that matters.
struct Machine {
  /// Processor and number of cores.
  let description: String
  let versions: [(String, String)]

  init(weir: String, repository: String) {
    let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    var models: [String] = []
    for line in cpu.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      if parts.count == 2, parts[0] == "model name" { models.append(parts[1]) }
    }
    description = "\(models.first ?? "unknown processor"), \(models.count) cores"

    var versions: [(String, String)] = []
    func add(_ name: String, _ arguments: [String]) {
      guard let output = try? ChildProcess.run(arguments, quiet: true),
        let line = output.split(separator: "\n").first
      else { return }
      versions.append((name, line.trimmingCharacters(in: .whitespaces)))
    }
    add("weir", [weir, "--version"])
    add("commit", ["git", "-C", repository, "describe", "--always", "--dirty"])
    add("swift", ["swift", "--version"])
    add("kernel", ["uname", "-r"])
    for library in ["libopenblas-dev", "liblmdb-dev", "libsimdjson-dev", "zlib1g-dev"] {
      add(library, ["dpkg-query", "-W", "-f", "${Version}", library])
    }
    self.versions = versions
  }
}
