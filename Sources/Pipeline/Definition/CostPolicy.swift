/// What decisions cost, in whatever unit the pipeline's people count in.
public struct CostPolicy: Sendable, Equatable {
  /// Of an alert, right or wrong.
  public var alert: Double
  /// Of a positive that was not flagged.
  public var missed: Amount
  /// What a positive that was flagged saves.
  public var caught: Amount

  /// The same for every event, or a number field of the event.
  public enum Amount: Sendable, Equatable {
    case number(Double)
    case field(String)
  }
}
