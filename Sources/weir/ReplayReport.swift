import Evaluation
import Features
import Pipeline

/// What a replay came to, for people and for scripts.
struct ReplayReport {
  let replay: Replay
  let figures: ReplayFigures
  /// Of replay and figures together.
  let seconds: Double
  let peakMemory: Int?
  /// Rows of the history that were no events.
  let refused: UInt64
  let input: String
  /// Remarks that it was given.
  let notes: [String]

  /// Computes the figures.
  /// - Parameter started: when the replay began, on the clock of `monotonicSeconds`. The figures
  ///   count towards its time.
  init(_ replay: Replay, history: HistoryReader, notes: [String], started: Double) {
    self.replay = replay
    self.notes = notes
    figures = replay.figures()
    seconds = monotonicSeconds() - started
    peakMemory = weir.peakMemory()
    refused = history.refused
    // The name alone: where a file lies says nothing about it.
    input = history.path.split(separator: "/").last.map(String.init) ?? history.path
  }

  /// Of all events, labelled or not.
  var alertsPerDay: Double? {
    replay.dayCount > 0 ? Double(replay.alerts) / Double(replay.dayCount) : nil
  }

  /// Test windows without a labelled event.
  var emptyTests: [TestWindow] {
    figures.tests.filter { $0.columns.allSatisfy { $0.events + $0.unscored == 0 } }.map(\.window)
  }

  var rate: Double { Double(replay.events) / max(seconds, 1e-9) }

  var modelNames: [String] { replay.pipeline.models.map(\.name) }

  /// The columns of the baselines.
  var baselineColumns: [(name: String, column: Int)] {
    replay.baselines.enumerated().map { ($1, modelNames.count + $0) }
  }

  /// All policies with their models' first column, `online` first.
  var policyColumns: [(policy: LearningPolicy, first: Int)] {
    let first = modelNames.count + replay.baselines.count
    return [(.online, 0)]
      + replay.options.policies.enumerated().map { ($1, first + $0 * modelNames.count) }
  }
}
