import Glibc
import LinearAlgebra

/// Streaming logistic regression of second order.
///
/// Several experts keep exponentially decayed normal equations of iteratively reweighted least
/// squares (McCullagh and Nelder, "Generalized Linear Models", 1989, section 2.5; with forgetting
/// that is recursive least squares on the working response) and differ only in how fast they forget.
/// Each is judged by its log loss on every batch before it learns that batch, and the published
/// model is their average in log-odds with weights exponential in the recent loss (Vovk,
/// "Aggregating strategies", 1990). An average in log-odds of linear models is a linear model: a
/// score is one dot product.
public struct LogisticRegression: Learner, Sendable {
  /// What the learner yields.
  public typealias Parameters = LogisticParameters
  /// Settings of the learner.
  public typealias Options = LogisticRegressionOptions

  /// Labels are needed.
  public static let isSupervised = true

  static let stateVersion: UInt16 = 1

  /// Settings.
  public let options: LogisticRegressionOptions
  /// Rows learned so far.
  public internal(set) var examples: UInt64
  var moments: RunningMoments
  /// The units of the experts' equations. They follow the moments in steps, see
  /// ``rebaseIfDue()``.
  var standardisation: Standardisation
  /// Number of examples at which the units were last set.
  var rebasedAt: UInt64
  var experts: [LogisticExpert]
  private let ridge: [Double]
  private var batch: LogisticBatch

  /// A learner that has seen nothing. It needs no random numbers, so the seed makes no difference.
  public init(featureCount: Int, options: LogisticRegressionOptions = .init(), seed: UInt64 = 0) {
    precondition(featureCount >= 0, "a model needs a non-negative number of features")
    self.options = options
    examples = 0
    moments = RunningMoments(
      featureCount: featureCount, halfLife: options.standardisationHalfLife)
    standardisation = moments.standardisation(limit: options.clip)
    rebasedAt = 0
    experts = options.halfLives.map {
      LogisticExpert(halfLife: $0, featureCount: featureCount)
    }
    ridge =
      [Double](repeating: options.ridge, count: featureCount) + [options.interceptRidge]
    batch = LogisticBatch(featureCount: featureCount, capacity: 256)
  }

  /// Solves without a finite solution since the start, over all experts; each left its expert with
  /// the coefficients it had.
  public var failedSolves: UInt64 {
    experts.reduce(0) { $0 &+ $1.failures }
  }

  /// Share of each expert in the published model, in the order of the half-lives.
  public var shares: [Double] {
    let best = experts.map(\.loss).min() ?? 0
    let raw = experts.map { exp(-options.mixingRate * ($0.loss - best)) }
    let total = raw.reduce(0, +)
    return raw.map { $0 / total }
  }

  /// Learns one mini-batch of labelled events, see ``Learner/learn(_:labels:weights:)``. Labels
  /// above one half count as 1, others as 0.
  public mutating func learn(_ features: Matrix, labels: [Double], weights: [Double] = []) {
    let rows = features.rows
    precondition(features.columns == standardisation.featureCount, "shapes do not fit")
    precondition(labels.count >= rows, "a label is missing")
    precondition(weights.isEmpty || weights.count >= rows, "a weight is missing")
    guard rows > 0 else { return }
    if batch.standardised.stride < rows {
      batch = LogisticBatch(featureCount: features.columns, capacity: rows)
    }
    let total = batch.load(labels: labels, weights: weights, rows: rows, options: options)
    guard total > 0 else { return }
    moments.add(features, weights: weights)
    examples += UInt64(rows)
    rebaseIfDue()
    batch.standardise(features, by: standardisation)
    let forgetting = exponentialDecay(Double(rows), halfLife: options.mixingHalfLife)
    for index in experts.indices {
      batch.standardised.multiply(experts[index].coefficients, into: &batch.logOdds)
      var loss = 0.0
      for row in 0..<rows {
        let logOdds = batch.logOdds[row]
        loss += batch.weights[row] * (softplus(logOdds) - batch.labels[row] * logOdds)
      }
      experts[index].loss = forgetting * experts[index].loss + loss
      experts[index].learn(&batch, options: options, ridge: ridge)
    }
  }

  /// The mixture of the experts, or nil before the first example.
  public func makeParameters() -> LogisticParameters? {
    guard examples > 0 else { return nil }
    let features = standardisation.featureCount
    var mixed = [Double](repeating: 0, count: features + 1)
    for (expert, share) in zip(experts, shares) {
      for index in mixed.indices { mixed[index] += share * expert.coefficients[index] }
    }
    let intercept = mixed.removeLast()
    return LogisticParameters(
      standardisation: standardisation, weights: mixed, intercept: intercept)
  }

  /// Moves the units of the equations to the present moments each time the number of examples has
  /// doubled, later every 65,536 examples. Following every batch would cost as much as learning and
  /// change nothing that can be seen.
  private mutating func rebaseIfDue() {
    guard examples >= rebasedAt + min(max(rebasedAt, 1), 65_536) else { return }
    let next = moments.standardisation(limit: options.clip)
    for index in experts.indices { experts[index].rebase(from: standardisation, to: next) }
    standardisation = next
    rebasedAt = examples
  }
}
