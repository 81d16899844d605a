/// What was decided about an event.
public enum DecisionOutcome: UInt8, Sendable, CaseIterable {
  /// No decision was made, because nothing that decides had parameters yet.
  case none = 0
  /// The event was let through.
  case pass = 1
  /// The event was flagged.
  case alert = 2
}
