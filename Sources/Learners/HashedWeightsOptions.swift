/// How ``LogisticRegression`` learns the weights of hashed columns, see ``HashedWeights``.
public struct HashedWeightsOptions: Sendable, Equatable {
  /// How many of a batch's last columns hold hashes of categories. It is a property of the columns,
  /// not a setting: whoever makes them says it.
  public var columns: Int
  /// The table has 2 to the power of it entries, which all hashed columns share.
  public var bits: Int
  /// Half-life of what an entry has learned, in examples: an entry that is not met any more returns
  /// to 0.
  public var halfLife: Double
  /// L2 penalty on the weights, in units of one example with p (1 − p) = 1: the precision of their
  /// prior in log-odds.
  public var ridge: Double
  /// L1 penalty, in units of residuals: an entry whose residuals add up to less keeps a weight of 0.
  /// So categories that were met rarely, and never as a positive, take no room in an update.
  public var l1: Double
  /// Curvature beyond which an entry learns no more slowly, so that the weight of a frequent category
  /// still follows the stream: about as many positives are remembered.
  public var largestCurvature: Double

  /// The most that ``bits`` can be, and the number of bits of a hash in a column.
  public static let largestBits = 20

  /// Settings, each with its default.
  public init(
    columns: Int = 0, bits: Int = 18, halfLife: Double = 100_000, ridge: Double = 0.5,
    l1: Double = 0.05, largestCurvature: Double = 30
  ) {
    self.columns = columns
    self.bits = bits
    self.halfLife = halfLife
    self.ridge = ridge
    self.l1 = l1
    self.largestCurvature = largestCurvature
  }

  /// Throws ``InvalidOption`` for the first setting out of its range.
  func validate() throws {
    try InvalidOption.require(columns >= 0, "hashedColumns", "0 or more")
    try InvalidOption.require(
      (1...Self.largestBits).contains(bits), "hashBits", "from 1 to \(Self.largestBits)")
    try InvalidOption.require(
      halfLife >= 1 && halfLife.isFinite, "hashHalfLife", "at least 1 example")
    try InvalidOption.require(ridge >= 1e-3 && ridge <= 1e6, "hashRidge", "from 0.001 to 1e6")
    try InvalidOption.require(l1 >= 0 && l1 <= 1e6, "hashL1", "from 0 to 1e6")
    try InvalidOption.require(
      largestCurvature > 0 && largestCurvature <= 1e9, "largestCurvature", "above 0, up to 1e9")
  }
}
