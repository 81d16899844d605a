/// Settings of ``KMeans``.
public struct KMeansOptions: LearnerOptions {
  /// Number of clusters, k.
  public var clusters: Int
  /// Age in examples at which an example counts half.
  public var halfLife: Double
  /// Examples that are kept for the start; until then the model is clustered afresh from all of them
  /// each time their number has doubled.
  public var startSize: Int
  /// k-means++ starts tried on the kept examples, of which the tightest is taken.
  public var starts: Int
  /// Lloyd iterations after each start.
  public var startIterations: Int
  /// A cluster is dying when its share of the weight falls below this share of the average cluster.
  public var minimumShare: Double
  /// How strongly the spread of each cluster is drawn to that of all clusters together, in examples:
  /// a cluster of this weight counts half by its own spread. A cluster that has gathered outliers is
  /// wide, and by its own spread alone would excuse them.
  public var spreadPrior: Double
  /// Half-life of the running means and variances, in examples.
  public var standardisationHalfLife: Double

  /// Settings, each with its default.
  public init(
    clusters: Int = 8,
    halfLife: Double = 20_000,
    startSize: Int = 1_024,
    starts: Int = 8,
    startIterations: Int = 20,
    minimumShare: Double = 0.1,
    spreadPrior: Double = 10_000,
    standardisationHalfLife: Double = 1_000_000
  ) {
    self.clusters = clusters
    self.halfLife = halfLife
    self.startSize = startSize
    self.starts = starts
    self.startIterations = startIterations
    self.minimumShare = minimumShare
    self.spreadPrior = spreadPrior
    self.standardisationHalfLife = standardisationHalfLife
  }

  /// Throws ``InvalidOption`` for the first setting out of its range.
  public func validate() throws {
    try InvalidOption.require(
      (1...65_536).contains(clusters), "clusters", "1 to 65,536")
    try InvalidOption.require(
      halfLife > 0 && halfLife.isFinite, "halfLife", "a positive number of examples")
    try InvalidOption.require(
      (max(16, clusters)...1_048_576).contains(startSize), "startSize",
      "at least 16, at least the number of clusters, and at most 1,048,576")
    try InvalidOption.require((1...1_000).contains(starts), "starts", "1 to 1,000")
    try InvalidOption.require(
      (0...1_000).contains(startIterations), "startIterations", "0 to 1,000")
    try InvalidOption.require(
      minimumShare >= 0 && minimumShare < 0.5, "minimumShare", "0 or more and below 0.5")
    try InvalidOption.require(
      spreadPrior >= 0 && spreadPrior.isFinite, "spreadPrior", "0 or a positive number of examples")
    try InvalidOption.require(
      standardisationHalfLife > 0, "standardisationHalfLife", "a positive number of examples")
  }
}
