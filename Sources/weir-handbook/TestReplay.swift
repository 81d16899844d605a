import Evaluation
import Pipeline

/// A replay over the book's test weeks and its figures.
struct TestReplay {
  private let replay: Replay
  private let figures: ReplayFigures
  private let model: Int

  /// Runs the history to its end.
  init(
    _ pipeline: Pipeline, _ history: HistoryReader, policies: [LearningPolicy] = [],
    hooks: Replay.Hooks = .init()
  ) throws {
    guard let model = pipeline.modelIndex(BookProtocol.model) else {
      throw Failure("the pipeline '\(pipeline.name)' has no model '\(BookProtocol.model)'")
    }
    self.model = model
    var history = history
    replay = try Replay(pipeline: pipeline, options: BookProtocol.options(policies: policies))
    try replay.run(&history, hooks: hooks)
    if let refusal = history.firstRefusals.first {
      throw Failure(
        "the pipeline '\(pipeline.name)' refuses row \(refusal.row) of the stream: "
          + refusal.reason.description)
    }
    figures = replay.figures()
  }

  /// A figure over the test weeks.
  func figure(_ name: FigureName) -> TestSpread? { TestSpread(figures.tests, model, name) }

  /// A figure of the first test week under a policy, and of the later ones.
  func figure(
    _ name: FigureName, policy: LearningPolicy
  ) -> (first: TestSpread?, later: TestSpread?) {
    let column =
      policy == .online
      ? model : replay.table.index(ofModel: "\(policy.rawValue)/\(BookProtocol.model)")!
    return (
      TestSpread(figures.tests.prefix(1), column, name),
      TestSpread(figures.tests.dropFirst(), column, name)
    )
  }
}
