/// A column of predictions in an ``EvaluationTable``.
public struct ModelColumn: Sendable, Equatable {
  /// The model's or baseline's name.
  public let name: String
  /// Whether scores are probabilities of the positive class, so that log loss, Brier score and
  /// accuracy mean something. If not, only the order of the scores counts, higher being more
  /// suspicious.
  public let isProbability: Bool

  /// Describes a column.
  public init(name: String, isProbability: Bool) {
    self.name = name
    self.isProbability = isProbability
  }
}
