import LinearAlgebra

/// Streaming k-means with exponential forgetting.
///
/// The first examples are kept and clustered by k-means++ and Lloyd's iterations. From then on each
/// batch is assigned to the nearest centres, all clusters' weights are discounted, and every centre
/// moves to the discounted mean of its members (the decayed form of MacQueen, "Some methods for
/// classification and analysis of multivariate observations", 1967). A cluster that starves is
/// replaced by half of the one with the largest within-cluster scatter.
public struct KMeans: Learner, Sendable {
  /// What the learner yields.
  public typealias Parameters = KMeansParameters
  /// Settings of the learner.
  public typealias Options = KMeansOptions

  /// Labels are ignored.
  public static let isSupervised = false

  static let stateVersion: UInt16 = 1
  /// Examples before there is a first model.
  static let firstSize = 16
  /// Examples that a cluster needs before it may exist, in the start.
  static let startShare = 8

  /// Settings.
  public let options: KMeansOptions
  /// Rows learned so far.
  public internal(set) var examples: UInt64
  var moments: RunningMoments
  var clusters: ClusterStatistics
  var random: RandomSource
  /// Kept rows and their weights, until the start is over.
  var kept: KeptRows?
  private var standardised: Matrix
  private var assignment: ClusterAssignment

  /// A learner that has seen nothing.
  ///
  /// - Parameters:
  ///   - featureCount: Columns of every batch.
  ///   - options: Settings that pass validation.
  ///   - seed: Seed of the random numbers.
  public init(featureCount: Int, options: KMeansOptions = .init(), seed: UInt64) {
    precondition(featureCount >= 0, "a model needs a non-negative number of features")
    self.options = options
    examples = 0
    moments = RunningMoments(
      featureCount: featureCount, halfLife: options.standardisationHalfLife)
    clusters = ClusterStatistics(clusters: options.clusters, featureCount: featureCount)
    random = RandomSource(seed: seed)
    kept = KeptRows(featureCount: featureCount, nextSize: Self.firstSize)
    standardised = Matrix(columns: featureCount, capacity: 256)
    assignment = ClusterAssignment(
      clusters: options.clusters, featureCount: featureCount, capacity: 256)
  }

  /// Learns one mini-batch, see ``Learner/learn(_:labels:weights:)``.
  public mutating func learn(_ features: Matrix, labels: [Double] = [], weights: [Double] = []) {
    let rows = features.rows
    precondition(features.columns == clusters.featureCount, "shapes do not fit")
    precondition(weights.isEmpty || weights.count >= rows, "a weight is missing")
    guard rows > 0, (0..<rows).contains(where: { exampleWeight(weights, $0) > 0 }) else { return }
    examples += UInt64(rows)
    moments.add(features, weights: weights)
    if kept == nil {
      follow(features, weights)
    } else {
      kept?.append(features, weights)
      startIfDue()
    }
  }

  /// The clusters as learned so far, or nil before the first 16 examples.
  public func makeParameters() -> KMeansParameters? {
    let used = clusters.weights.indices.filter { clusters.weights[$0] > 0 }
    guard !used.isEmpty else { return nil }
    let units = moments.standardisation()
    let features = clusters.featureCount
    let total = used.reduce(0) { $0 + clusters.weights[$1] }
    let scatters = used.map { clusters.scatter(of: $0, in: units) }
    let prior = options.spreadPrior
    let average = scatters.reduce(0, +) / total
    var centres: [Double] = []
    var spreads: [Double] = []
    for (cluster, scatter) in zip(used, scatters) {
      centres += clusters.centres[cluster * features..<(cluster + 1) * features]
      let square = (scatter + prior * average) / (clusters.weights[cluster] + prior)
      spreads.append(max(square.squareRoot(), KMeansParameters.smallestSpread))
    }
    return KMeansParameters(
      standardisation: units, centres: centres, spreads: spreads,
      weights: used.map { clusters.weights[$0] / total })
  }

  /// Learns a batch once there are clusters.
  private mutating func follow(_ features: Matrix, _ weights: [Double]) {
    let rows = features.rows
    let units = moments.standardisation()
    if assignment.capacity < rows {
      standardised = Matrix(columns: features.columns, capacity: rows)
      assignment = ClusterAssignment(
        clusters: clusters.count, featureCount: features.columns, capacity: rows)
    }
    units.standardise(features, into: &standardised)
    for cluster in 0..<clusters.count {
      for feature in 0..<features.columns {
        assignment.centres[cluster, feature] = units.standardise(
          clusters.centres[cluster * features.columns + feature], feature: feature)
      }
    }
    let masses = clusters.weights
    assignment.assign(standardised) { masses[$0] > 0 }
    clusters.decay(by: exponentialDecay(Double(rows), halfLife: options.halfLife))
    for row in 0..<rows {
      let weight = exampleWeight(weights, row)
      guard weight > 0 else { continue }
      clusters.add(features, row: row, weight: weight, to: assignment.nearest[row])
    }
    replaceStarved(units)
  }

  /// Replaces the lightest cluster if it is dying, one a batch.
  private mutating func replaceStarved(_ units: Standardisation) {
    let total = clusters.weights.reduce(0, +)
    let lightest = clusters.weights.indices.min { clusters.weights[$0] < clusters.weights[$1] }
    guard let lightest,
      clusters.weights[lightest] < options.minimumShare * total / Double(clusters.count)
    else { return }
    var donor = lightest
    var largest = 0.0
    for cluster in 0..<clusters.count where cluster != lightest && clusters.weights[cluster] > 0 {
      let scatter = clusters.scatter(of: cluster, in: units)
      if scatter > largest {
        largest = scatter
        donor = cluster
      }
    }
    // Without any scatter there are fewer distinct points than clusters: nothing to split.
    guard donor != lightest else { return }
    clusters.split(donor, into: lightest, random: &random)
  }

  /// Clusters the kept rows afresh each time their number has doubled; lets go of them once there
  /// are enough.
  private mutating func startIfDue() {
    guard let rows = kept, rows.count >= rows.nextSize || rows.count >= options.startSize else {
      return
    }
    let block = rows.matrix()
    let units = moments.standardisation()
    var standardised = Matrix(columns: block.columns, capacity: block.rows)
    units.standardise(block, into: &standardised)
    let nearest = KMeansStart.cluster(
      standardised, weights: rows.weights,
      clusters: min(options.clusters, max(1, rows.count / Self.startShare)),
      starts: options.starts, iterations: options.startIterations, random: &random)
    clusters = ClusterStatistics(
      clusters: options.clusters, featureCount: clusters.featureCount)
    for row in 0..<block.rows {
      clusters.add(block, row: row, weight: rows.weights[row], to: nearest[row])
    }
    if rows.count >= options.startSize {
      kept = nil
    } else {
      kept?.nextSize = 2 * rows.count
    }
  }
}
