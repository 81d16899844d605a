import LinearAlgebra

/// An immutable model: what a scorer applies to events.
public protocol ModelParameters: Sendable {
  /// Family of the model.
  static var kind: ModelKind { get }

  /// Columns that a block of events must have at least; further ones are left out.
  var featureCount: Int { get }

  /// Writes one score a row.
  ///
  /// A score depends on its own row only, so the size of a block never changes it. Nothing but
  /// scratch is allocated.
  ///
  /// - Parameters:
  ///   - features: Events with at least ``featureCount`` columns.
  ///   - scores: Room for at least one score a row; the first `features.rows` are written. Scores
  ///     are in [0, 1], higher is more suspicious, and never NaN for finite features.
  func score(_ features: Matrix, into scores: inout [Float])

  /// Explains one row by one contribution a feature, in the order of the features. The
  /// contributions add up to a quantity that rises with the score.
  func contributions(row: Int, of features: Matrix) -> [Contribution]

  /// Whether every number is finite and within the range that scoring allows; parameters that are
  /// not must not be applied.
  var isFinite: Bool { get }

  /// The largest absolute number of the parameters in standardised units (log-odds or distances a
  /// standard deviation), by which exploding ones are told; 0 for a family that has no such numbers.
  var largestMagnitude: Double { get }
}
