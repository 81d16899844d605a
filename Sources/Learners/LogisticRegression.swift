import LinearAlgebra

/// Streaming logistic regression of second order.
///
/// Several experts keep exponentially decayed normal equations of iteratively reweighted least
/// squares (McCullagh and Nelder, "Generalized Linear Models", 1989, section 2.5; with forgetting
/// that is recursive least squares on the working response) and differ only in how fast they forget.
/// Each is drawn to the one that forgets more slowly, the slowest to zero, so that a short memory has
/// to learn only what changed. They share the curvature of the log loss, taken where their mixture
/// is, and so one Gram matrix a batch.
///
/// Each expert is judged by its log loss on rows before it learns them. The published model is their
/// average in log-odds with weights exponential in the loss (Vovk, "Aggregating strategies", 1990)
/// that are drawn back to equal ones at a fixed rate, calibrated by a slope and an intercept that
/// follow the stream as well. An average in log-odds of linear models is a linear model: a score is
/// one dot product.
///
/// Columns of hashed categories have a table of weights of their own, see ``HashedWeights``; their
/// number is ``HashedWeightsOptions/columns``, and they are the last ones of every batch. Experts and
/// table learn each on top of the other's log-odds, and the sum is what is calibrated.
///
/// Optimizers of first order are there for comparison, and for their penalties, see
/// ``LogisticRegressionOptions/Optimizer``.
public struct LogisticRegression: Learner, Sendable {
  /// What the learner yields.
  public typealias Parameters = LogisticParameters
  /// Settings of the learner.
  public typealias Options = LogisticRegressionOptions

  /// Labels are needed.
  public static let isSupervised = true

  static let stateVersion: UInt16 = 2

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
  /// Of the second-order optimizer; nil with another.
  var mixture: LogisticMixture?
  /// Of an optimizer of first order; nil with another.
  var gradient: LogisticGradient?
  /// Of the hashed columns; nil without any.
  var hashed: HashedWeightsLearner?
  private var batch: LogisticBatch

  /// A learner that has seen nothing. It needs no random numbers, so the seed makes no difference.
  ///
  /// - Parameter featureCount: columns of every batch, hashed ones included.
  public init(featureCount: Int, options: LogisticRegressionOptions = .init(), seed: UInt64 = 0) {
    let hashedCount = options.hashed.columns
    precondition(
      hashedCount >= 0 && featureCount >= hashedCount,
      "a model needs a non-negative number of features")
    let featureCount = featureCount - hashedCount
    if hashedCount > 0 { hashed = HashedWeightsLearner(options: options.hashed) }
    self.options = options
    examples = 0
    moments = RunningMoments(
      featureCount: featureCount, halfLife: options.standardisationHalfLife)
    standardisation = moments.standardisation(limit: options.clip, isSoft: true)
    rebasedAt = 0
    if options.optimizer == .newton {
      mixture = LogisticMixture(featureCount: featureCount, options: options)
    } else {
      gradient = LogisticGradient(featureCount: featureCount, options: options)
    }
    batch = LogisticBatch(
      featureCount: featureCount, experts: options.halfLives.count, capacity: 256)
  }

  /// Solves without a finite solution since the start, over all experts; each left its expert with
  /// the coefficients it had.
  public var failedSolves: UInt64 { mixture?.failedSolves ?? 0 }

  /// Steps since the start, over all experts, that would have been larger than is allowed, two
  /// log-odds a standard deviation, and were made that.
  public var boundedSteps: UInt64 {
    (mixture?.boundedSteps ?? gradient?.boundedSteps ?? 0) &+ (hashed?.boundedSteps ?? 0)
  }

  /// Columns that are no hashes.
  private var denseCount: Int { standardisation.featureCount }

  /// Share of each expert in the published model, in the order of the half-lives; empty with an
  /// optimizer of first order.
  public var shares: [Double] { mixture?.shares ?? [] }

  /// Learns one mini-batch of labelled events, see ``Learner/learn(_:labels:weights:)``. Labels
  /// above one half count as 1, others as 0.
  public mutating func learn(_ features: Matrix, labels: [Double], weights: [Double] = []) {
    let rows = features.rows
    precondition(
      features.columns == denseCount + options.hashed.columns, "shapes do not fit")
    precondition(labels.count >= rows, "a label is missing")
    precondition(weights.isEmpty || weights.count >= rows, "a weight is missing")
    guard (0..<rows).contains(where: { exampleWeight(weights, $0) > 0 }) else { return }
    if batch.standardised.stride < rows {
      batch = LogisticBatch(
        featureCount: denseCount, experts: options.halfLives.count, capacity: rows)
    }
    moments.add(features, weights: weights)
    rebaseIfDue(after: examples + UInt64(rows))
    var start = 0
    while start < rows {
      // Rows that are much of all that was learned so far move the coefficients far, and are better
      // learned a few at a time.
      let share =
        mixture == nil ? rows : max(1, Int(Double(examples) * Self.largestShare))
      let end = min(rows, start + share)
      batch.load(
        features, labels, weights, rows: start..<end, standardisation: standardisation,
        options: options)
      hashed?.load(features, rows: start..<end, into: &batch)
      mixture?.learn(&batch, examples: examples, options: options)
      gradient?.learn(&batch)
      hashed?.learn(batch, features, rows: start..<end)
      examples += UInt64(end - start)
      start = end
    }
  }

  /// What is learned at once is at most this share of what was learned before.
  static let largestShare = 0.03

  /// The mixture of the experts, or what a method of first order has learned; nil before the first
  /// example.
  public func makeParameters() -> LogisticParameters? {
    guard examples > 0, var mixed = mixture?.mixed ?? gradient?.coefficients else { return nil }
    let intercept = mixed.removeLast()
    return LogisticParameters(
      standardisation: standardisation, weights: mixed, intercept: intercept,
      hashed: hashed?.makeWeights(slope: mixture?.slope ?? 1))
  }

  /// Moves the units of the equations to the present moments each time the number of examples has
  /// grown by a quarter, later every 65,536 examples. Following every batch would cost as much as
  /// learning and change nothing that can be seen.
  private mutating func rebaseIfDue(after examples: UInt64) {
    guard examples >= rebasedAt + min(max(rebasedAt / 4, 1), 65_536) else { return }
    let next = moments.standardisation(limit: options.clip, isSoft: true)
    mixture?.rebase(UnitChange(from: standardisation, to: next))
    standardisation = next
    rebasedAt = examples
  }
}
