/// Settings of ``IsolationForest``.
public struct IsolationForestOptions: LearnerOptions {
  /// Number of trees.
  public var trees: Int
  /// Rows that each random tree is grown on, ψ; those by gain are grown on half of them.
  public var sampleSize: Int
  /// Share of the trees whose splits are chosen by gain, the others being random.
  public var gainShare: Double
  /// How far beyond the rows of a node a random threshold may lie, as a share of their range. With 0
  /// here and for ``gainShare`` it is the forest of Liu, Ting and Zhou.
  public var margin: Double
  /// Rows in the reservoir that samples are drawn from.
  public var reservoirSize: Int
  /// Examples after which half of the rows in the reservoir have been replaced by newer ones. It
  /// cannot be shorter than it takes if every new row replaces one, 0.69 times ``reservoirSize``.
  public var halfLife: Double
  /// Rows after which the oldest tree is replaced, once the reservoir is full.
  public var replaceEvery: Int

  /// Settings, each with its default.
  public init(
    trees: Int = 100, sampleSize: Int = 256, gainShare: Double = 0.5, margin: Double = 0.1,
    reservoirSize: Int = 4_096, halfLife: Double = 10_000, replaceEvery: Int = 128
  ) {
    self.trees = trees
    self.sampleSize = sampleSize
    self.gainShare = gainShare
    self.margin = margin
    self.reservoirSize = reservoirSize
    self.halfLife = halfLife
    self.replaceEvery = replaceEvery
  }

  /// Throws ``InvalidOption`` for the first setting out of its range.
  public func validate() throws {
    try InvalidOption.require((1...10_000).contains(trees), "trees", "1 to 10,000")
    try InvalidOption.require(
      (2...65_536).contains(sampleSize), "sampleSize", "2 to 65,536 rows")
    try InvalidOption.require((0...1).contains(gainShare), "gainShare", "0 to 1")
    try InvalidOption.require((0...1).contains(margin), "margin", "0 to 1")
    try InvalidOption.require(
      (sampleSize...1_048_576).contains(reservoirSize), "reservoirSize",
      "at least the sample size and at most 1,048,576 rows")
    try InvalidOption.require(
      halfLife > 0 && halfLife.isFinite, "halfLife", "a number of examples above 0")
    try InvalidOption.require(replaceEvery >= 1, "replaceEvery", "at least 1 row")
  }
}
