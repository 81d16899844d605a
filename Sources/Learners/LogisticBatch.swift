import Glibc
import LinearAlgebra

/// Space for the rows that ``LogisticRegression`` learns at a time, kept so that learning them
/// allocates nothing.
struct LogisticBatch: Sendable {
  /// Standardised features, and a last column of ones.
  var standardised: Matrix
  /// The same, rows multiplied by the square roots of ``curvatures``.
  private var scaled: Matrix
  /// Labels.
  private(set) var labels: [Double]
  /// Example weights times class weights.
  private(set) var weights: [Double]
  /// Whether all of ``weights`` are 1.
  private(set) var isUnweighted = true
  /// Log-odds of the rows' categories, which are added to those of the features; empty without
  /// hashed columns.
  var offsets: [Double] = []
  /// Log-odds, one column an expert.
  var logOdds: Matrix
  /// Log-odds of the experts' mixture.
  var mixed: [Double]
  /// Weights of the least-squares step, see ``setCurvatures(at:floor:)``.
  private(set) var curvatures: [Double]
  /// Weighted working responses, one column an expert.
  private var targets: Matrix
  /// Gram matrix of ``scaled``.
  private(set) var gram: SymmetricMatrix
  /// Products of ``standardised`` and ``targets``: one row an expert.
  private(set) var responses: Matrix
  /// Cholesky factor.
  var factor: [Double]

  init(featureCount: Int, experts: Int, capacity: Int) {
    standardised = Matrix(columns: featureCount + 1, capacity: capacity)
    scaled = standardised
    labels = [Double](repeating: 0, count: capacity)
    weights = labels
    logOdds = Matrix(columns: experts, capacity: capacity)
    mixed = labels
    curvatures = labels
    targets = logOdds
    gram = SymmetricMatrix(order: featureCount + 1)
    responses = Matrix(columns: featureCount + 1, capacity: experts)
    responses.resize(rows: experts)
    factor = [Double](repeating: 0, count: (featureCount + 1) * (featureCount + 1))
  }

  var rows: Int { standardised.rows }

  /// Takes some rows of a batch.
  mutating func load(
    _ features: Matrix, _ newLabels: [Double], _ exampleWeights: [Double], rows range: Range<Int>,
    standardisation: Standardisation, options: LogisticRegressionOptions
  ) {
    standardisation.standardise(features, rows: range, into: &standardised)
    let start = (standardised.columns - 1) * standardised.stride
    isUnweighted =
      exampleWeights.isEmpty && options.positiveWeight == 1 && options.negativeWeight == 1
    for (row, source) in range.enumerated() {
      standardised.values[start + row] = 1
      labels[row] = newLabels[source] > 0.5 ? 1 : 0
      weights[row] =
        exampleWeight(exampleWeights, source)
        * (labels[row] > 0.5 ? options.positiveWeight : options.negativeWeight)
    }
  }

  /// The curvature that an example of these log-odds is given in the least-squares step.
  ///
  /// That of the log loss, p(1 − p), where the example is on the side that was thought likelier.
  /// Where it is not, a confident mistake would have next to no curvature and throw the solution far
  /// out; it gets that of the quadratic that touches the log loss and lies above it everywhere
  /// (Jaakkola and Jordan, "Bayesian parameter estimation via variational methods", 2000), with
  /// which no example can ask for more than its log-odds mirrored.
  @inline(__always)
  static func curvature(_ logOdds: Double, label: Double, floor: Double) -> Double {
    let e = exp(-abs(logOdds))
    let inverse = 1 / (1 + e)
    guard (label > 0.5) != (logOdds > 0) else { return max(e * inverse * inverse, floor) }
    guard abs(logOdds) > 1e-4 else { return 0.25 }
    return max((inverse - 0.5) / abs(logOdds), floor)
  }

  /// Sets the curvatures to those at log-odds.
  mutating func setCurvatures(at logOdds: [Double], floor: Double) {
    for row in 0..<rows {
      curvatures[row] =
        weights[row] * Self.curvature(logOdds[row], label: labels[row], floor: floor)
    }
  }

  /// Sets ``gram``.
  mutating func makeGram() {
    scaled.resize(rows: rows)
    let rows = rows
    let step = standardised.stride
    standardised.values.withUnsafeBufferPointer { source in
      scaled.values.withUnsafeMutableBufferPointer { target in
        withUnsafeTemporaryAllocation(of: Double.self, capacity: rows) { roots in
          for row in 0..<rows { roots[row] = curvatures[row].squareRoot() }
          for column in 0..<standardised.columns {
            let place = column * step..<column * step + rows
            let source = UnsafeBufferPointer(rebasing: source[place])
            let target = UnsafeMutableBufferPointer(rebasing: target[place])
            for row in 0..<rows { target[row] = source[row] * roots[row] }
          }
        }
      }
    }
    gram.addGram(of: scaled, decaying: 0)
  }

  /// Sets ``responses``, and returns the log loss of each expert.
  mutating func makeResponses(losses: inout [Double]) {
    targets.resize(rows: rows)
    for expert in losses.indices { losses[expert] = linearise(expert) }
    targets.multiplyTransposed(standardised, into: &responses)
  }

  /// Writes an expert's working responses; returns its log loss.
  private mutating func linearise(_ expert: Int) -> Double {
    let rows = rows
    let start = expert * logOdds.stride
    return targets.values.withUnsafeMutableBufferPointer { targets in
      logOdds.values.withUnsafeBufferPointer { logOdds in
        var loss = 0.0
        // The sum of log(1 + e) is the logarithm of a product, which is taken before it overflows.
        var product = 1.0
        for row in 0..<rows {
          let x = logOdds[start + row]
          let e = exp(-abs(x))
          let inverse = 1 / (1 + e)
          let weight = weights[row]
          let own = offsets.isEmpty ? x : x - offsets[row]
          targets[start + row] =
            curvatures[row] * own + weight * (labels[row] - (x > 0 ? inverse : e * inverse))
          loss += weight * (max(x, 0) - labels[row] * x)
          if isUnweighted {
            product *= 1 + e
            if row & 511 == 511 {
              loss += log(product)
              product = 1
            }
          } else {
            loss += weight * log1p(e)
          }
        }
        return loss + log(product)
      }
    }
  }
}
