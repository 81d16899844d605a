import ArgumentParser

@main
struct Weir: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weir",
    abstract: "Learns from an event stream and scores it at the same time.",
    discussion: """
      Results go to standard output, logs and progress to standard error.
      Exit status: 0 success, 1 failure, 64 wrong usage.
      """,
    version: "0.1.0",
    subcommands: [
      Train.self, Score.self, ReplayCommand.self, Compare.self, Detect.self, PipelineCommand.self,
      Models.self, Produce.self, Generate.self, TopicsCommand.self, DeadLettersCommand.self,
    ])
}
