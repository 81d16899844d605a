/// Settings of ``LogisticRegression``.
public struct LogisticRegressionOptions: LearnerOptions {
  /// Half-lives of the experts, in examples: the age at which an example counts half.
  public var halfLives: [Double]
  /// What is added to the diagonal of the normal equations for every feature (an L2 penalty on the
  /// weights of standardised features, in units of one example with w = 1).
  public var ridge: Double
  /// The same for the intercept; small, since the intercept should follow the base rate freely.
  public var interceptRidge: Double
  /// Smallest p(1 − p) that an example is given, so that a confident mistake cannot throw a solution
  /// far out.
  public var weightFloor: Double
  /// Factor on the weight of examples with label 1.
  public var positiveWeight: Double
  /// Factor on the weight of examples with label 0.
  public var negativeWeight: Double
  /// Where standardised features are clipped. A rare feature of few values, such as a rate that is
  /// mostly 0, needs a wide limit to count in full; a heavy tail needs a narrow one.
  public var clip: Double
  /// How strongly the mixture prefers experts of lower recent loss: the factor on the discounted sum
  /// of log losses in the softmax.
  public var mixingRate: Double
  /// Half-life of that sum, in examples.
  public var mixingHalfLife: Double
  /// Half-life of the running means and variances, in examples.
  public var standardisationHalfLife: Double

  /// Settings, each with its default.
  public init(
    halfLives: [Double] = [30, 300, 3_000, 30_000, 300_000, 1_000_000],
    ridge: Double = 1,
    interceptRidge: Double = 0.01,
    weightFloor: Double = 0.01,
    positiveWeight: Double = 1,
    negativeWeight: Double = 1,
    clip: Double = Standardisation.usualLimit,
    mixingRate: Double = 0.05,
    mixingHalfLife: Double = 1_000,
    standardisationHalfLife: Double = 1_000_000
  ) {
    self.halfLives = halfLives
    self.ridge = ridge
    self.interceptRidge = interceptRidge
    self.weightFloor = weightFloor
    self.positiveWeight = positiveWeight
    self.negativeWeight = negativeWeight
    self.clip = clip
    self.mixingRate = mixingRate
    self.mixingHalfLife = mixingHalfLife
    self.standardisationHalfLife = standardisationHalfLife
  }

  /// Throws ``InvalidOption`` for the first setting out of its range.
  public func validate() throws {
    func positive(_ value: Double, _ option: String) throws {
      try InvalidOption.require(value > 0 && value.isFinite, option, "a positive number")
    }
    try InvalidOption.require(
      (1...64).contains(halfLives.count) && halfLives.allSatisfy { $0 > 0 && $0.isFinite },
      "halfLives", "1 to 64 positive numbers of examples")
    try positive(ridge, "ridge")
    try positive(interceptRidge, "interceptRidge")
    try InvalidOption.require(
      weightFloor > 0 && weightFloor <= 0.25, "weightFloor", "above 0 and at most 0.25")
    try InvalidOption.require(
      positiveWeight > 0 && positiveWeight <= 1e6, "positiveWeight", "above 0 and at most 1e6")
    try InvalidOption.require(
      negativeWeight > 0 && negativeWeight <= 1e6, "negativeWeight", "above 0 and at most 1e6")
    try InvalidOption.require(
      clip > 0 && clip <= Standardisation.largestLimit, "clip", "above 0 and at most 1e6")
    try InvalidOption.require(
      mixingRate >= 0 && mixingRate.isFinite, "mixingRate", "0 or a positive number")
    try positive(mixingHalfLife, "mixingHalfLife")
    try InvalidOption.require(
      standardisationHalfLife > 0, "standardisationHalfLife", "a positive number of examples")
  }
}
