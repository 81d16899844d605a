/// What a column of a table was taken for.
public struct ColumnGuess: Sendable {
  /// What its values are.
  public enum Kind: String, Sendable {
    /// Numbers.
    case number
    /// `true` and `false`, or `yes` and `no`.
    case boolean
    /// Texts that come again and again.
    case category
    /// Times of ISO 8601.
    case time
    /// Texts that are no categories.
    case text
    /// Nothing: every value is missing.
    case empty
    /// Unknown: the column was left out by name.
    case unread
  }

  /// What is done with it.
  public enum Use: String, Sendable {
    /// It is learnt from.
    case learnt
    /// It holds the labels.
    case label
    /// Nothing.
    case ignored
  }

  /// The column's name.
  public let name: String
  /// What its values are.
  public let kind: Kind
  /// What is done with it.
  public let use: Use
  /// Rows without a value.
  public let missing: Int
  /// Why it is used as it is; empty where nothing is to be said.
  public let reason: String
}
