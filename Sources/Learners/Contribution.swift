/// What one feature added to the score of one event.
public struct Contribution: Sendable, Equatable {
  /// Column of the feature.
  public var feature: Int
  /// Share of the model's additive quantity; positive makes the event more suspicious. The unit is
  /// the model's and is documented where the model implements
  /// ``ModelParameters/contributions(row:of:)``.
  public var contribution: Double
  /// The value of the feature that the model holds for usual, in the feature's own unit.
  public var typical: Double

  /// A contribution of a feature.
  public init(feature: Int, contribution: Double, typical: Double) {
    self.feature = feature
    self.contribution = contribution
    self.typical = typical
  }
}
