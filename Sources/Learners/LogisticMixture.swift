import Glibc
import LinearAlgebra
import StateCoding

/// Second-order learning at several half-lives side by side, see ``LogisticRegression``.
struct LogisticMixture: Sendable {
  private var experts: [LogisticExpert]
  /// One row an expert, one column a coefficient.
  private var coefficients: Matrix
  /// Logarithms of the experts' shares.
  private var logShares: [Double]
  private var calibration = LogisticCalibration()
  /// Experts from the longest half-life to the shortest.
  private let order: [Int]
  /// Penalties of the longest half-life, and of the others.
  private let penalty: [Double]
  private let pull: [Double]
  private var losses: [Double]
  /// Solves without a finite solution, which left the coefficients as they were.
  private(set) var failedSolves: UInt64 = 0
  /// Solves whose step was shortened.
  private(set) var boundedSteps: UInt64 = 0

  /// Solutions with a larger coefficient are taken for failures.
  static let largestCoefficient = 1e6
  /// No coefficient moves by more than this at a time, in log-odds a standard deviation.
  static let longestStep = 2.0
  /// How many of the first rows are learned in several passes each.
  static let firstRows: UInt64 = 64
  static let firstPasses = 3

  init(featureCount: Int, options: LogisticRegressionOptions) {
    let count = options.halfLives.count
    experts = options.halfLives.map { LogisticExpert(halfLife: $0, featureCount: featureCount) }
    coefficients = Matrix(columns: featureCount + 1, capacity: count)
    coefficients.resize(rows: count)
    logShares = [Double](repeating: -log(Double(count)), count: count)
    order = options.halfLives.indices.sorted { options.halfLives[$0] > options.halfLives[$1] }
    penalty =
      [Double](repeating: options.ridge, count: featureCount) + [options.interceptRidge]
    pull = [Double](repeating: options.pull, count: featureCount) + [options.interceptPull]
    losses = [Double](repeating: 0, count: count)
  }

  /// Share of each expert.
  var shares: [Double] { logShares.map { exp($0) } }

  /// The calibration's factor on log-odds.
  var slope: Double { calibration.slope }

  /// The mixture, calibrated: weights, and the intercept as the last coefficient.
  var mixed: [Double] {
    var result = [Double](repeating: 0, count: coefficients.columns)
    for (expert, share) in shares.enumerated() {
      for column in result.indices {
        result[column] +=
          calibration.slope * share * coefficients.values[column * coefficients.stride + expert]
      }
    }
    result[result.count - 1] += calibration.intercept
    return result
  }

  /// Learns the rows that a batch holds.
  /// - Parameter examples: Rows learned before.
  mutating func learn(
    _ batch: inout LogisticBatch, examples: UInt64, options: LogisticRegressionOptions
  ) {
    predict(&batch)
    if options.calibrates { calibration.learn(batch) }
    batch.setCurvatures(at: batch.mixed, floor: options.curvatureFloor)
    batch.makeResponses(losses: &losses)
    share(rows: batch.rows, options)
    let past = examples < Self.firstRows ? experts : []
    batch.makeGram()
    for index in experts.indices { experts[index].add(batch, index: index) }
    solve(&batch)
    // The first rows move the coefficients far: they are linearised again where those went, and
    // each expert takes its own curvatures, being still alike.
    guard !past.isEmpty else { return }
    for _ in 1..<Self.firstPasses {
      predict(&batch)
      batch.setCurvatures(at: batch.mixed, floor: options.curvatureFloor)
      var ignored = losses
      batch.makeResponses(losses: &ignored)
      batch.makeGram()
      experts = past
      for index in experts.indices { experts[index].add(batch, index: index) }
      solve(&batch)
    }
  }

  /// The log-odds of the experts and of their mixture.
  private func predict(_ batch: inout LogisticBatch) {
    batch.standardised.multiply(transposed: coefficients, into: &batch.logOdds)
    let rows = batch.rows
    if !batch.offsets.isEmpty {
      for expert in experts.indices {
        let start = expert * batch.logOdds.stride
        for row in 0..<rows { batch.logOdds.values[start + row] += batch.offsets[row] }
      }
    }
    for row in 0..<rows { batch.mixed[row] = 0 }
    for (expert, share) in shares.enumerated() {
      let start = expert * batch.logOdds.stride
      for row in 0..<rows { batch.mixed[row] += share * batch.logOdds.values[start + row] }
    }
  }

  /// Moves the shares by the losses, and a little back to equal ones (Herbster and Warmuth,
  /// "Tracking the best expert", 1998).
  private mutating func share(rows: Int, _ options: LogisticRegressionOptions) {
    let moved = zip(logShares, losses).map { $0 - options.mixingRate * $1 }
    guard moved.allSatisfy(\.isFinite), let best = moved.max() else { return }
    let total = moved.reduce(0) { $0 + exp($1 - best) }
    let kept = pow(1 - options.switchingRate, Double(rows))
    for index in moved.indices {
      let share = kept * exp(moved[index] - best) / total + (1 - kept) / Double(moved.count)
      logShares[index] = log(max(share, .leastNormalMagnitude))
    }
  }

  private mutating func solve(_ batch: inout LogisticBatch) {
    // Each is drawn to the one that remembers longer, so that few rows need only tell what changed.
    var centre = [Double](repeating: 0, count: penalty.count)
    for (place, index) in order.enumerated() {
      let result = experts[index].solve(
        penalty: place == 0 ? penalty : pull, centre: centre, workspace: &batch.factor)
      var next = coefficients.row(index)
      if case .success(let solution) = result,
        solution.allSatisfy({ abs($0) <= Self.largestCoefficient })
      {
        let longest = zip(solution, next).reduce(0) { max($0, abs($1.0 - $1.1)) }
        if longest > Self.longestStep {
          boundedSteps &+= 1
          for column in next.indices {
            next[column] += (solution[column] - next[column]) * (Self.longestStep / longest)
          }
        } else {
          next = solution
        }
        set(next, of: index)
      } else {
        failedSolves &+= 1
      }
      centre = next
    }
  }

  private mutating func set(_ values: [Double], of expert: Int) {
    for (column, value) in values.enumerated() { coefficients[expert, column] = value }
  }

  /// Rewrites everything for other units.
  mutating func rebase(_ change: UnitChange) {
    for index in experts.indices {
      experts[index].rebase(change)
      var row = coefficients.row(index)
      change.apply(to: &row)
      set(row, of: index)
    }
  }
}

extension LogisticMixture {
  func write(to writer: inout StateWriter) {
    for (index, expert) in experts.enumerated() {
      expert.write(to: &writer)
      writer.write(coefficients.row(index))
    }
    writer.write(logShares)
    calibration.write(to: &writer)
    writer.write(failedSolves)
    writer.write(boundedSteps)
  }

  init(
    from reader: inout StateReader, featureCount: Int, options: LogisticRegressionOptions
  ) throws(StateError) {
    self.init(featureCount: featureCount, options: options)
    for index in experts.indices {
      experts[index] = try LogisticExpert(
        from: &reader, halfLife: options.halfLives[index], featureCount: featureCount)
      set(try reader.readFinites(count: featureCount + 1), of: index)
    }
    logShares = try reader.readFinites(count: experts.count)
    guard logShares.allSatisfy({ $0 <= 1e-9 }) else { throw .invalid("share of an expert") }
    calibration = try LogisticCalibration(from: &reader)
    failedSolves = try reader.read()
    boundedSteps = try reader.read()
  }
}
