import Foundation

@main
struct Main {
  private static let usage = """
    usage: scripts/bench [--filter NAME] [--runs N] [--peers] [--spark] [--json] [--list]
                         [--no-install]

      --filter NAME  only figures whose name contains NAME; may be given several times
      --runs N       runs of each after a warm-up, 5 or more unless you are trying things (default: 5)
      --peers        measure the programs in Benchmarks/peers beside the figures they know
      --spark        measure Spark too, which is a large download; implies --peers
      --json         print one JSON line a figure, as soon as it is known, instead of a table
      --list         name the figures


    """

  private static let benchmarks =
    FeatureBenchmarks.all + LearnerBenchmarks.all + TopicBenchmarks.all + ProgramBenchmarks.all

  private struct Arguments {
    var filters: [String] = []
    var runs = 5
    var peers = false
    var json = false
    var list = false

    /// Nil for wrong usage.
    init?(_ arguments: [String]) {
      var rest = arguments[...]
      while let argument = rest.popFirst() {
        switch argument {
        case "--filter":
          guard let name = rest.popFirst() else { return nil }
          filters.append(name)
        case "--runs":
          guard let runs = rest.popFirst().flatMap({ Int($0) }), runs > 0 else { return nil }
          self.runs = runs
        // What Spark needs is scripts/bench's to find.
        case "--peers", "--spark": peers = true
        case "--json": json = true
        case "--list": list = true
        default: return nil
        }
      }
    }

    func selects(_ benchmark: Benchmark) -> Bool {
      filters.isEmpty || filters.contains { benchmark.name.contains($0) }
    }
  }

  static func main() {
    guard let arguments = Arguments(Array(CommandLine.arguments.dropFirst())) else {
      Output.printError(usage)
      exit(64)
    }
    let selected = benchmarks.filter(arguments.selects)
    if arguments.list {
      for benchmark in selected { print("\(benchmark.name)\t\(benchmark.summary)") }
      return
    }
    guard !selected.isEmpty else {
      Output.printError("error: no figure has such a name; see --list\n")
      exit(64)
    }
    do {
      try run(selected, arguments)
    } catch {
      Output.printError("error: \(error)\n")
      exit(1)
    }
  }

  /// Runs from the top of the repository, where scripts/bench starts it.
  private static func run(_ benchmarks: [Benchmark], _ arguments: Arguments) throws {
    let repository = FileManager.default.currentDirectoryPath
    let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().path
    let weir = "\(programs)/weir"
    let scratch = try Scratch()
    defer { scratch.remove() }
    let harness = Harness(
      context: Context(scratch: scratch, weir: weir, repository: repository),
      machine: Machine(weir: weir, repository: repository),
      peers: arguments.peers ? try Peer.all(in: "\(repository)/Benchmarks/peers") : [],
      runs: arguments.runs)
    var table = FigureTable()
    for benchmark in benchmarks {
      let figures = try harness.measure(benchmark)
      table.add(figures)
      if arguments.json { figures.forEach(harness.printLine) }
    }
    guard !arguments.json else { return }
    Output.printError("\(harness.machine.description), median of \(arguments.runs) runs\n")
    Output.write(Array(table.text.utf8), to: STDOUT_FILENO)
  }
}
