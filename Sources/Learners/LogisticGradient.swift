import Glibc
import StateCoding

/// First-order learning, a row at a time: SGD, AdaGrad or FTRL-Proximal, see
/// ``LogisticRegressionOptions/Optimizer``.
///
/// The intercept is the last coefficient, and is not penalised. When the units of the features change,
/// the weights are those of the new units: kept true to the old ones, a weight of the first rows would
/// grow with the deviation of a feature that moves ever farther, faster than single rows can take back.
struct LogisticGradient: Sendable {
  private let optimizer: LogisticRegressionOptions.Optimizer
  private let rate: Double
  private let l1: Double
  private let l2: Double
  private(set) var coefficients: [Double]
  /// Sums of squared gradients, of all optimizers but SGD.
  private var squares: [Double]
  /// FTRL-Proximal's sums of gradients, shifted by what the learning rate has changed since.
  private var sums: [Double]
  /// Steps that were shortened.
  private(set) var boundedSteps: UInt64 = 0

  /// Keeps AdaGrad's first step finite.
  static let smallestSquare = 1e-8
  /// What FTRL-Proximal's learning rates start from (β of its paper).
  static let beta = 1.0

  init(featureCount: Int, options: LogisticRegressionOptions) {
    optimizer = options.optimizer
    rate = options.learningRate ?? options.optimizer.usualLearningRate
    l1 = options.l1
    l2 = options.l2
    coefficients = [Double](repeating: 0, count: featureCount + 1)
    squares = coefficients
    sums = coefficients
  }

  /// Learns the rows that a batch holds, one after the other; leaves in the batch the log-odds that
  /// each had before.
  mutating func learn(_ batch: inout LogisticBatch) {
    let z = batch.standardised
    for row in 0..<batch.rows where batch.weights[row] > 0 {
      var logOdds = batch.offsets.isEmpty ? 0.0 : batch.offsets[row]
      for column in coefficients.indices {
        logOdds += coefficients[column] * z.values[column * z.stride + row]
      }
      batch.mixed[row] = logOdds
      let slope = batch.weights[row] * (logistic(logOdds) - batch.labels[row])
      for column in coefficients.indices {
        step(column, gradient: slope * z.values[column * z.stride + row])
      }
    }
  }

  private mutating func step(_ column: Int, gradient: Double) {
    let isIntercept = column == coefficients.count - 1
    switch optimizer {
    case .newton: preconditionFailure("a second-order method")
    case .sgd:
      move(column, gradient: gradient, rate: rate)
    case .adagrad:
      squares[column] += gradient * gradient
      move(
        column, gradient: gradient,
        rate: rate / (squares[column] + Self.smallestSquare).squareRoot())
    case .ftrl:
      let before = squares[column].squareRoot()
      squares[column] += gradient * gradient
      let after = squares[column].squareRoot()
      sums[column] += gradient - (after - before) / rate * coefficients[column]
      let beyond = abs(sums[column]) - (isIntercept ? 0 : l1)
      coefficients[column] =
        beyond <= 0
        ? 0
        : (sums[column] > 0 ? -beyond : beyond)
          / ((Self.beta + after) / rate + (isIntercept ? 0 : l2))
    }
  }

  /// A gradient step with the L2 penalty in the gradient, and the L1 penalty as a proximal step
  /// (Duchi and Singer, "Efficient online and batch learning using forward backward splitting",
  /// 2009).
  private mutating func move(_ column: Int, gradient: Double, rate: Double) {
    let isIntercept = column == coefficients.count - 1
    let penalised = isIntercept ? gradient : gradient + l2 * coefficients[column]
    var step = rate * penalised
    if abs(step) > LogisticMixture.longestStep {
      step = step > 0 ? LogisticMixture.longestStep : -LogisticMixture.longestStep
      boundedSteps &+= 1
    }
    let next = coefficients[column] - step
    let shrunk = isIntercept ? abs(next) : max(0, abs(next) - rate * l1)
    coefficients[column] = next < 0 ? -shrunk : shrunk
  }
}

extension LogisticGradient {
  func write(to writer: inout StateWriter) {
    writer.write(coefficients)
    writer.write(squares)
    writer.write(sums)
    writer.write(boundedSteps)
  }

  init(
    from reader: inout StateReader, featureCount: Int, options: LogisticRegressionOptions
  ) throws(StateError) {
    self.init(featureCount: featureCount, options: options)
    coefficients = try reader.readFinites(count: featureCount + 1)
    squares = try reader.readFinites(count: featureCount + 1)
    sums = try reader.readFinites(count: featureCount + 1)
    boundedSteps = try reader.read()
    guard squares.allSatisfy({ $0 >= 0 }) else { throw .invalid("sum of squares") }
  }
}
