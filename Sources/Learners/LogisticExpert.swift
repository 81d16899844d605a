import LinearAlgebra
import StateCoding

/// Decayed normal equations of one half-life, and their solution.
///
/// The intercept is the last coefficient.
struct LogisticExpert: Sendable {
  let halfLife: Double
  /// Decayed number of examples.
  private(set) var mass: Double
  /// Decayed sum of w · z zᵀ.
  private(set) var gram: SymmetricMatrix
  /// Decayed sum of w · z · (working response).
  private(set) var response: [Double]
  /// Solution of the equations.
  private(set) var coefficients: [Double]
  /// Discounted sum of log losses, each taken before its example was learned.
  var loss: Double
  /// Solves that had no finite solution, and left the coefficients as they were.
  private(set) var failures: UInt64

  init(halfLife: Double, featureCount: Int) {
    self.halfLife = halfLife
    mass = 0
    gram = SymmetricMatrix(order: featureCount + 1)
    response = [Double](repeating: 0, count: featureCount + 1)
    coefficients = response
    loss = 0
    failures = 0
  }

  /// Solutions with a larger coefficient are taken for failures.
  static let largestCoefficient = 1e6
  /// Share of all that is remembered from which a batch is linearised more than once.
  static let largeShare = 0.1

  /// One step of iteratively reweighted least squares: adds the batch, linearised at the present
  /// coefficients, to the decayed equations and solves them.
  ///
  /// - Parameter batch: Scratch space that holds the standardised batch and its log-odds under these
  ///   coefficients.
  mutating func learn(
    _ batch: inout LogisticBatch, options: LogisticRegressionOptions, ridge: [Double]
  ) {
    let rows = Double(batch.standardised.rows)
    let decay = exponentialDecay(rows, halfLife: halfLife)
    mass = decay * mass + rows
    // A batch that is much of all that is remembered moves the coefficients far, and is linearised
    // again where they went.
    let passes = rows > Self.largeShare * mass ? 3 : 1
    let past = passes > 1 ? (gram, response) : nil
    for pass in 0..<passes {
      if pass > 0, let past {
        (gram, response) = past
        batch.standardised.multiply(coefficients, into: &batch.logOdds)
      }
      step(&batch, options: options, ridge: ridge, decay: decay)
    }
  }

  private mutating func step(
    _ batch: inout LogisticBatch, options: LogisticRegressionOptions, ridge: [Double],
    decay: Double
  ) {
    for row in 0..<batch.standardised.rows {
      let p = logistic(batch.logOdds[row])
      let w = max(p * (1 - p), options.weightFloor) * batch.weights[row]
      batch.roots[row] = w.squareRoot()
      batch.targets[row] =
        w * batch.logOdds[row] + batch.weights[row] * (batch.labels[row] - p)
    }
    batch.scaleByRoots(columns: coefficients.count)
    gram.addGram(of: batch.scaled, decaying: decay)
    batch.standardised.multiplyTransposed(batch.targets, decaying: decay, into: &response)
    switch gram.solve(response, ridge: ridge, workspace: &batch.factor) {
    case .success(let solution) where solution.allSatisfy({ abs($0) <= Self.largestCoefficient }):
      coefficients = solution
    default:
      failures &+= 1
    }
  }

  /// Rewrites the equations and their solution for another standardisation, as if the past had been
  /// learned in the new units. Exact but for clipped values.
  mutating func rebase(from old: Standardisation, to new: Standardisation) {
    let features = old.featureCount
    // z' = ratio · z + shift for every feature.
    var ratio = [Double](repeating: 1, count: features + 1)
    var shift = [Double](repeating: 0, count: features + 1)
    for j in 0..<features {
      let step = new.clip((old.mean[j] - new.mean[j]) * new.scale[j])
      let quotient = new.scale[j] / old.scale[j]
      if old.scale[j] == 0 {
        // So far the feature was constant: it takes no part in the equations but as a shift.
        ratio[j] = 0
        shift[j] = step
      } else if quotient > 1e-3 && quotient < 1e3 {
        ratio[j] = quotient
        shift[j] = step
      } else {
        // Another unit altogether, in which the past says nothing.
        ratio[j] = 0
      }
    }
    let last = features
    let total = gram[last, last]
    for i in 0..<features {
      for j in 0...i {
        gram[i, j] =
          ratio[i] * ratio[j] * gram[i, j] + ratio[i] * shift[j] * gram[last, i]
          + shift[i] * ratio[j] * gram[last, j] + shift[i] * shift[j] * total
      }
    }
    for j in 0..<features {
      gram[last, j] = ratio[j] * gram[last, j] + shift[j] * total
      response[j] = ratio[j] * response[j] + shift[j] * response[last]
      coefficients[j] = ratio[j] > 0 ? coefficients[j] / ratio[j] : 0
      coefficients[last] -= coefficients[j] * shift[j]
    }
  }
}

extension LogisticExpert {
  func write(to writer: inout StateWriter) {
    writer.write(mass)
    writer.write(gram.values)
    writer.write(response)
    writer.write(coefficients)
    writer.write(loss)
    writer.write(failures)
  }

  init(
    from reader: inout StateReader, halfLife: Double, featureCount: Int
  ) throws(StateError) {
    let order = featureCount + 1
    self.halfLife = halfLife
    mass = try reader.readFinite()
    gram = SymmetricMatrix(order: order, values: try reader.readFinites(count: order * order))
    response = try reader.readFinites(count: order)
    coefficients = try reader.readFinites(count: order)
    loss = try reader.readFinite()
    failures = try reader.read()
  }
}
