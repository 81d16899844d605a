/// Settings of ``KMeans``.
public struct KMeansOptions: LearnerOptions {
  /// Number of clusters, k.
  public var clusters: Int
  /// Age in examples at which an example counts half.
  public var halfLife: Double
  /// Examples kept for each cluster at most, as a sample of all from which the clusters are looked
  /// for anew; about three quarters of that at least, once there are as many. More find better clusters and
  /// take longer. No more than ``largestCoreset`` are kept for all clusters.
  public var coresetShare: Int
  /// How strongly the spread of each cluster is drawn to that of all clusters together, in examples:
  /// a cluster of this weight counts half by its own spread. A cluster that has gathered outliers is
  /// wide, and by its own spread alone would excuse them.
  public var spreadPrior: Double
  /// Half-life of the running means and variances, in examples.
  public var standardisationHalfLife: Double

  /// Most examples that are ever kept.
  public static let largestCoreset = 65_536

  /// Settings, each with its default.
  public init(
    clusters: Int = 8,
    halfLife: Double = 300_000,
    coresetShare: Int = 192,
    spreadPrior: Double = 10_000,
    standardisationHalfLife: Double = 1_000_000
  ) {
    self.clusters = clusters
    self.halfLife = halfLife
    self.coresetShare = coresetShare
    self.spreadPrior = spreadPrior
    self.standardisationHalfLife = standardisationHalfLife
  }

  /// Fewer than this are kept for all clusters together.
  public var coresetSize: Int {
    min(Self.largestCoreset, max(2 * clusters, coresetShare * clusters, 32))
  }

  /// Throws ``InvalidOption`` for the first setting out of its range.
  public func validate() throws {
    try InvalidOption.require(
      (1...1_000).contains(clusters), "clusters", "1 to 1,000")
    try InvalidOption.require(
      halfLife >= 1 && halfLife.isFinite, "halfLife", "1 example or more")
    try InvalidOption.require(
      (2...Self.largestCoreset).contains(coresetShare), "coresetShare", "2 to 65,536")
    try InvalidOption.require(
      spreadPrior >= 0 && spreadPrior.isFinite, "spreadPrior", "0 or a positive number of examples")
    try InvalidOption.require(
      standardisationHalfLife >= 1, "standardisationHalfLife", "1 example or more")
  }
}
