/// A baseline that predicts the class of the newest known label, strong where classes come in runs.
///
/// Ask for ``probability`` when an event is scored and pass each label to ``learn(_:)`` when it
/// arrives, as with ``BaseRateBaseline``.
public struct LastClassBaseline: Sendable, Equatable {
  /// The class predicted: that of the newest label; nil before the first.
  public private(set) var predictedClass: Bool?
  /// How many labels in a row, up to the newest, were of that class.
  public private(set) var runLength = 0

  /// Makes a baseline without labels.
  public init() {}

  /// Takes a label that has arrived.
  public mutating func learn(_ label: Bool) {
    runLength = label == predictedClass ? runLength + 1 : 1
    predictedClass = label
  }

  /// The probability of the positive class: Laplace's rule of succession over the current run,
  /// (run + 1) / (run + 2) for its class; ½ before the first label.
  ///
  /// It lies on the predicted class's side of ½ always, so that ``Figures/accuracy`` is the
  /// accuracy of predicting the last class.
  public var probability: Double {
    let ofClass = (Double(runLength) + 1) / (Double(runLength) + 2)
    return predictedClass == false ? 1 - ofClass : ofClass
  }
}
