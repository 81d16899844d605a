import ArgumentParser

@main
struct WeirHunt: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weir-hunt",
    abstract: "Looks for what could be lost, doubled, served wrongly or slow.",
    discussion: """
      Starts the program `weir` that lies beside it, as processes on a folder of topics, and does \
      to them what months in service do. Exit status: 0 everything held, 1 something did not, \
      64 wrong usage.
      """,
    subcommands: [
      CrashTest.self, LatencyTest.self, Soak.self, Fuzz.self, Emit.self, FuzzWorker.self,
    ])
}
