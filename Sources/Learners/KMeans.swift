import LinearAlgebra

/// Streaming k-means with exponential forgetting.
///
/// Each batch is assigned to the nearest centres, all clusters' weights are discounted, and every
/// centre moves to the discounted mean of its members (the decayed form of MacQueen, "Some methods
/// for classification and analysis of multivariate observations", 1967). That alone ends where it
/// happened to begin. So a weighted sample of all rows is kept, a coreset, and each time that what is
/// remembered has grown fourfold, at first, or by four times the sample, later, the clusters are
/// looked for anew in the sample, from where they are; sooner, where rows come to lie farther from
/// them. A cluster that has died, or that is missed less than another place is worth, moves there.
public struct KMeans: Learner, Sendable {
  /// What the learner yields.
  public typealias Parameters = KMeansParameters
  /// Settings of the learner.
  public typealias Options = KMeansOptions

  /// Labels are ignored.
  public static let isSupervised = false

  static let stateVersion: UInt16 = 3
  /// Examples before there is a first model.
  private static let firstSize = 16
  /// Examples that a cluster needs before it may exist, at first.
  private static let startShare = 8
  /// Standardised values count up to this: far enough for an outlier to be told from one farther
  /// out, and not so far that one is all that its cluster's centre follows.
  private static let limit = 100.0
  /// The clusters are looked for each time that what is remembered has grown by so many times
  /// itself,
  private static let largestGrowth = 3.0
  /// and at the latest after so many times the sample's rows,
  private static let searchEvery = 4.0
  /// or so many half-lives.
  private static let longestWait = 0.5
  /// Sooner where examples lie farther from the centres, by so many times the mean squared distance
  /// of the sample at the last search, which was nearer to them than others will be;
  private static let strangeDistance = 2.0
  /// each of which counts up to so many times.
  private static let largestStrangeness = 8.0
  /// Searches are thorough once so many times the sample's rows are remembered: earlier ones are
  /// soon overtaken by the next.
  private static let thoroughFrom = 8.0

  /// Settings.
  public let options: KMeansOptions
  /// Rows learned so far.
  public internal(set) var examples: UInt64
  var moments: RunningMoments
  var clusters: ClusterStatistics
  var random: RandomSource
  var coreset: Coreset
  /// Discounted weight of the examples before the last search.
  var remembered: Double
  /// Discounted weight of the examples since.
  var unsearched: Double
  /// The same, but that each counts as often as its squared distance from the nearest centre is
  /// ``strangeDistance`` times that of the average example at the last search.
  var strangeness: Double
  /// Mean squared distance from the nearest centre at the last search, in standardised units.
  var inertia: Double
  private var standardised: StandardisedRows
  /// The sample's rows while clusters are looked for, kept because new memory would cost more than
  /// what is done with it.
  private var sample: StandardisedRows
  private var weights: [Float]
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
    coreset = Coreset(
      featureCount: featureCount, capacity: options.coresetSize, halfLife: options.halfLife)
    remembered = 0
    unsearched = 0
    strangeness = 0
    inertia = 0
    let block = ClusterAssignment.block
    standardised = StandardisedRows(featureCount: featureCount, capacity: block)
    sample = StandardisedRows(featureCount: featureCount, capacity: 0)
    weights = [Float](repeating: 1, count: block)
    assignment = ClusterAssignment(
      clusters: options.clusters, featureCount: featureCount, capacity: block)
  }

  /// Learns one mini-batch, see ``Learner/learn(_:labels:weights:)``.
  public mutating func learn(_ features: Matrix, labels: [Double] = [], weights: [Double] = []) {
    let rows = features.rows
    precondition(features.columns == clusters.featureCount, "shapes do not fit")
    precondition(weights.isEmpty || weights.count >= rows, "a weight is missing")
    guard rows > 0, (0..<rows).contains(where: { exampleWeight(weights, $0) > 0 }) else { return }
    examples += UInt64(rows)
    moments.add(features, weights: weights)
    for start in stride(from: 0, to: rows, by: ClusterAssignment.block) {
      let range = start..<min(start + ClusterAssignment.block, rows)
      for (place, row) in range.enumerated() {
        self.weights[place] = Float(exampleWeight(weights, row))
      }
      take(features, range)
      searchIfDue()
    }
  }

  /// The clusters as learned so far, or nil before the first 16 examples.
  public func makeParameters() -> KMeansParameters? {
    let used = clusters.weights.indices.filter { clusters.weights[$0] > 0 }
    guard !used.isEmpty else { return nil }
    let units = moments.standardisation(limit: Self.limit)
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

  /// Learns the rows whose weights stand in ``weights``.
  private mutating func take(_ features: Matrix, _ range: Range<Int>) {
    let decay = exponentialDecay(Double(range.count), halfLife: options.halfLife)
    remembered *= decay
    unsearched *= decay
    strangeness *= decay
    for place in 0..<range.count { unsearched += Double(weights[place]) }
    guard clusters.weights.contains(where: { $0 > 0 }) else {
      coreset.offer(features, rows: range, weights: weights, random: &random) { _ in 1 }
      return
    }
    let units = moments.standardisation(limit: Self.limit)
    standardised.standardise(features, rows: range, units)
    clusters.standardise(clusters.weights.indices, units, into: &assignment.centres)
    let masses = clusters.weights
    assignment.assign(
      standardised, weights: weights, withSecond: false, withSquares: true
    ) { masses[$0] > 0 }
    clusters.decay(by: decay)
    clusters.add(assignment, units: units)
    let distances = assignment.distances
    let nearest = assignment.nearest
    let unit = inertia > 0 ? 1 / inertia : 0
    let strange = unit / Self.strangeDistance
    var sum = 0.0
    for place in 0..<range.count {
      let times = min(Double(distances[place]) * strange, Self.largestStrangeness)
      sum += Double(weights[place]) * times
    }
    strangeness += sum
    let share = clusters.weights.reduce(0, +) / Double(masses.count { $0 > 0 })
    let rarity = clusters.weights.map { $0 > 0 ? share / $0 : 0 }
    coreset.offer(features, rows: range, weights: weights, random: &random) {
      1 + Double(distances[$0]) * unit + rarity[Int(nearest[$0])]
    }
  }

  /// Looks for the clusters in the sample, where that is due.
  private mutating func searchIfDue() {
    let due = min(
      Self.largestGrowth * remembered, Self.searchEvery * Double(coreset.capacity),
      Self.longestWait * options.halfLife)
    guard coreset.count >= Self.firstSize, max(unsearched, strangeness) >= due else { return }
    let units = moments.standardisation(limit: Self.limit)
    let used = clusters.weights.indices.filter { clusters.weights[$0] > 0 }
    var centres = FloatRows(columns: clusters.featureCount, capacity: used.count)
    clusters.standardise(used, units, into: &centres)
    if sample.capacity < coreset.count {
      sample = StandardisedRows(featureCount: clusters.featureCount, capacity: coreset.capacity)
    }
    let weights = coreset.standardise(units, into: &sample)
    guard weights.contains(where: { $0 > 0 }) else { return }
    let found = ClusterSearch(
      sample, weights: weights, centres: centres,
      clusters: max(used.count, min(options.clusters, max(1, coreset.count / Self.startShare))),
      isThorough: remembered > Self.thoroughFrom * Double(coreset.capacity), random: &random)
    clusters = ClusterStatistics(
      clusters: options.clusters, featureCount: clusters.featureCount)
    for cluster in 0..<found.assignment.centres.rows {
      let start = cluster * found.assignment.centres.stride
      clusters.place(
        cluster, at: found.assignment.centres.values[start..<start + clusters.featureCount],
        units: units)
    }
    clusters.add(found.assignment, units: units)
    let mean = found.inertia / found.assignment.masses.reduce(0, +)
    // Where all rows lie on centres, what little is left says nothing.
    inertia = mean > 1e-30 ? mean : 0
    remembered += unsearched
    unsearched = 0
    strangeness = 0
  }
}
