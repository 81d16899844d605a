/// What values a model's scores take, for ``StreamingFigures``.
public enum ScoreScale: UInt8, Sendable, CaseIterable {
  /// Probabilities of the positive class, which have a log loss and a Brier score.
  case probability = 0
  /// Scores in 0...1 that are no probabilities.
  case unitInterval = 1
  /// Scores from 0 up without a limit; s is binned as s / (1 + s), which keeps their order.
  case nonNegative = 2
}
