import Files

/// What a ``Detector`` found.
public struct Detection: Sendable {
  /// One a row, from 0 to 1, higher is more unusual; NaN for a row that came before the first
  /// model.
  public internal(set) var scores: [Float]
  /// The rows of the highest scores, explained, the highest first.
  public internal(set) var top: [UnusualRow] = []

  /// Rows that have a score.
  public var scored: Int { scores.count { !$0.isNaN } }
}

/// A row, and what was unusual about it.
public struct UnusualRow: Sendable {
  /// Counted from 0.
  public let row: Int
  /// From 0 to 1.
  public let score: Float
  /// What each column that is learnt from added to the score, the largest first.
  public let reasons: [ColumnContribution]
}

/// What a column added to the score of a row.
public struct ColumnContribution: Sendable {
  /// Its position in the table.
  public let column: Int
  /// In the model's own unit, see `ModelParameters.contributions(row:of:)`.
  public let contribution: Double
  /// Share of all columns' contributions that are positive; 0 for one that is not.
  public let share: Double
  /// The row's value.
  public let value: JSONValue
  /// What the model holds for usual; of categories the most frequent one of the table.
  public let typical: JSONValue
}
