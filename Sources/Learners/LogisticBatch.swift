import LinearAlgebra

/// Space for one batch of ``LogisticRegression``, kept so that a batch allocates nothing.
struct LogisticBatch: Sendable {
  /// Standardised features, and a last column of ones.
  var standardised: Matrix
  /// The same, rows multiplied by ``roots``.
  var scaled: Matrix
  /// Square roots of the weights of the least-squares step.
  var roots: [Double]
  /// Weighted working responses.
  var targets: [Double]
  /// Log-odds under one expert.
  var logOdds: [Double]
  /// Labels.
  var labels: [Double]
  /// Example weights times class weights.
  var weights: [Double]
  /// Cholesky factor.
  var factor: [Double]

  init(featureCount: Int, capacity: Int) {
    standardised = Matrix(columns: featureCount + 1, capacity: capacity)
    scaled = standardised
    roots = [Double](repeating: 0, count: capacity)
    targets = roots
    logOdds = roots
    labels = roots
    weights = roots
    factor = [Double](repeating: 0, count: (featureCount + 1) * (featureCount + 1))
  }

  /// Takes the rows of a batch, without standardising them; returns the sum of the weights.
  mutating func load(
    labels newLabels: [Double], weights exampleWeights: [Double], rows: Int,
    options: LogisticRegressionOptions
  ) -> Double {
    var sum = 0.0
    for row in 0..<rows {
      let label = newLabels[row] > 0.5 ? 1.0 : 0.0
      labels[row] = label
      weights[row] =
        exampleWeight(exampleWeights, row)
        * (label > 0.5 ? options.positiveWeight : options.negativeWeight)
      sum += weights[row]
    }
    return sum
  }

  /// Fills ``standardised``.
  mutating func standardise(_ features: Matrix, by standardisation: Standardisation) {
    standardisation.standardise(features, into: &standardised)
    let start = features.columns * standardised.stride
    for row in 0..<features.rows { standardised.values[start + row] = 1 }
  }

  /// Fills ``scaled``.
  mutating func scaleByRoots(columns: Int) {
    let rows = standardised.rows
    scaled.resize(rows: rows)
    let step = standardised.stride
    standardised.values.withUnsafeBufferPointer { source in
      roots.withUnsafeBufferPointer { roots in
        scaled.values.withUnsafeMutableBufferPointer { target in
          for column in 0..<columns {
            let start = column * step
            for row in 0..<rows { target[start + row] = source[start + row] * roots[row] }
          }
        }
      }
    }
  }
}
