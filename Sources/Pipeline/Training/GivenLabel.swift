import Features

/// A label as somebody gave it.
public struct GivenLabel: Sendable, Equatable {
  /// What the event turned out to be.
  public var label: Label
  /// When that became known, ms since 1970; the event is no younger. Of labels that contradict
  /// each other, the one given last counts.
  public var time: Int64
  /// Factor on the weight of the example in learning: above 0, up to ``largestWeight``.
  public var weight: Double
  /// Who gave it, if it says so.
  public var source: String?

  /// The largest weight that is accepted.
  public static let largestWeight = 1e6

  /// A label from its parts.
  public init(_ label: Label, time: Int64, weight: Double = 1, source: String? = nil) {
    self.label = label
    self.time = time
    self.weight = weight
    self.source = source
  }
}
