/// A baseline that knows nothing of the event: the share of positives among the labels known so
/// far.
///
/// Ask for ``probability`` when an event is scored and pass each label to ``learn(_:)`` when it
/// arrives, which the label delay puts later; so the baseline sees no more than a model does.
public struct BaseRateBaseline: Sendable, Equatable {
  /// Labels known so far.
  public private(set) var labels = 0
  /// Positives among them.
  public private(set) var positives = 0

  /// Makes a baseline without labels.
  public init() {}

  /// Takes a label that has arrived.
  public mutating func learn(_ label: Bool) {
    labels += 1
    if label { positives += 1 }
  }

  /// (positives + 1) / (labels + 2): Laplace's rule of succession, ½ before the first label.
  public var probability: Double { (Double(positives) + 1) / (Double(labels) + 2) }
}
