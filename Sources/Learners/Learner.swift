import LinearAlgebra
import StateCoding

/// Settings of a learner.
public protocol LearnerOptions: Sendable, Equatable {
  /// Throws ``InvalidOption`` for the first setting that makes no sense.
  func validate() throws
}

/// A streaming learner: takes mini-batches, yields parameters.
///
/// A learner is a value without clock, randomness of its own, or input and output: the same seed and
/// the same calls give the same parameters, bit for bit, on the same kind of machine.
public protocol Learner {
  /// What the learner yields.
  associatedtype Parameters: ModelParameters
  /// Settings.
  associatedtype Options: LearnerOptions

  /// Whether ``learn(_:labels:weights:)`` needs labels.
  static var isSupervised: Bool { get }

  /// A learner that has seen nothing.
  ///
  /// - Parameters:
  ///   - featureCount: Columns of every batch.
  ///   - options: Settings that pass ``LearnerOptions/validate()``.
  ///   - seed: Seed of the learner's own random numbers.
  init(featureCount: Int, options: Options, seed: UInt64)

  /// A learner as it was when ``encodeState()`` was called.
  ///
  /// - Throws: ``StateError`` for bytes that are damaged or belong to other settings, and
  ///   ``InvalidOption`` for settings that make no sense.
  init(featureCount: Int, options: Options, state: [UInt8]) throws

  /// Learns one mini-batch.
  ///
  /// - Parameters:
  ///   - features: Finite numbers, one row an event. An empty batch changes nothing.
  ///   - labels: 0 or 1, one a row, for a supervised learner; ignored otherwise.
  ///   - weights: Weight of each row, or empty where all are 1. A weight that is negative or not
  ///     finite counts as 0, as if the row were not there.
  mutating func learn(_ features: Matrix, labels: [Double], weights: [Double])

  /// The parameters as learned so far, or nil until there is enough to score with.
  func makeParameters() -> Parameters?

  /// Rows learned so far.
  var examples: UInt64 { get }

  /// Everything that further learning depends on, little-endian and versioned. A learner made from
  /// it behaves bit for bit like this one from then on.
  func encodeState() -> [UInt8]
}

/// Turns the weight of row `row` into one that is finite and not negative.
@inline(__always)
func exampleWeight(_ weights: [Double], _ row: Int) -> Double {
  guard !weights.isEmpty else { return 1 }
  let weight = weights[row]
  return weight > 0 && weight.isFinite ? min(weight, largestExampleWeight) : 0
}

/// Larger example weights count as this one, so that sums of them stay far from overflowing.
let largestExampleWeight = 1e9
