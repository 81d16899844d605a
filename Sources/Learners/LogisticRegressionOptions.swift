/// Settings of ``LogisticRegression``.
public struct LogisticRegressionOptions: LearnerOptions {
  /// How weights are learned.
  public enum Optimizer: String, Sendable, CaseIterable {
    /// Second order, at several half-lives side by side: the settings from ``halfLives`` on are its.
    case newton
    /// FTRL-Proximal (McMahan et al., "Ad click prediction: a view from the trenches", 2013).
    case ftrl
    /// AdaGrad (Duchi, Hazan and Singer, "Adaptive subgradient methods", 2011).
    case adagrad
    /// Stochastic gradient descent with a constant learning rate.
    case sgd

    /// The learning rate where nothing else is asked for.
    public var usualLearningRate: Double {
      switch self {
      case .newton: 1
      case .ftrl, .adagrad: 0.1
      case .sgd: 0.01
      }
    }
  }

  /// How weights are learned.
  public var optimizer: Optimizer
  /// Learning rate of an optimizer of first order (α of FTRL-Proximal); nil for its usual one.
  public var learningRate: Double?
  /// Factor on the sum of absolute weights in the loss of an optimizer of first order: that of one
  /// example, for FTRL-Proximal that of all.
  public var l1: Double
  /// The same for half the sum of squared weights.
  public var l2: Double
  /// Half-lives of the experts, in examples: the age at which an example counts half.
  public var halfLives: [Double]
  /// What is added to the diagonal of the normal equations of the longest half-life for every
  /// feature (an L2 penalty on the weights of standardised features, in units of one example with
  /// w = 1).
  public var ridge: Double
  /// The same for the intercept; small, since the intercept should follow the base rate freely.
  public var interceptRidge: Double
  /// The same penalty on how far the weights of each other half-life are from those of the next
  /// longer one.
  public var pull: Double
  /// The same for the intercept.
  public var interceptPull: Double
  /// Smallest curvature that an example is given: less of it follows rare labels faster, more of it
  /// forgives mistakes where all was certain.
  public var curvatureFloor: Double
  /// Factor on the weight of examples with label 1.
  public var positiveWeight: Double
  /// Factor on the weight of examples with label 0.
  public var negativeWeight: Double
  /// What standardised features u are bent towards, z = u ÷ (1 + |u| ÷ clip): a heavy tail cannot
  /// outweigh the rest, and a rare feature of few values still counts where it lies far out.
  public var clip: Double
  /// How strongly the mixture prefers experts of lower loss: the factor on the log loss in the
  /// exponent of their shares.
  public var mixingRate: Double
  /// How much of all shares is spread evenly after each example, so that an expert that was bad for
  /// long can come back at once.
  public var switchingRate: Double
  /// Whether a slope and an intercept that follow the stream correct the mixture's log-odds.
  public var calibrates: Bool
  /// Half-life of the running means and variances, in examples.
  public var standardisationHalfLife: Double
  /// The columns of hashed categories, none by default, and how their weights are learned.
  public var hashed: HashedWeightsOptions

  /// Settings, each with its default.
  public init(
    optimizer: Optimizer = .newton,
    learningRate: Double? = nil,
    l1: Double = 0,
    l2: Double = 0,
    halfLives: [Double] = [10, 100, 1_000, 10_000, 100_000, 1_000_000],
    ridge: Double = 2,
    interceptRidge: Double = 0.1,
    pull: Double = 10,
    interceptPull: Double = 1,
    curvatureFloor: Double = 0.002,
    positiveWeight: Double = 1,
    negativeWeight: Double = 1,
    clip: Double = Self.usualClip,
    mixingRate: Double = 1,
    switchingRate: Double = 0.001,
    calibrates: Bool = true,
    standardisationHalfLife: Double = 1_000_000,
    hashed: HashedWeightsOptions = .init()
  ) {
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.l1 = l1
    self.l2 = l2
    self.halfLives = halfLives
    self.ridge = ridge
    self.interceptRidge = interceptRidge
    self.pull = pull
    self.interceptPull = interceptPull
    self.curvatureFloor = curvatureFloor
    self.positiveWeight = positiveWeight
    self.negativeWeight = negativeWeight
    self.clip = clip
    self.mixingRate = mixingRate
    self.switchingRate = switchingRate
    self.calibrates = calibrates
    self.standardisationHalfLife = standardisationHalfLife
    self.hashed = hashed
  }

  /// The default of ``clip``.
  public static let usualClip = 20.0

  /// Throws ``InvalidOption`` for the first setting out of its range.
  public func validate() throws {
    func positive(_ value: Double, _ option: String) throws {
      try InvalidOption.require(value > 0 && value.isFinite, option, "a positive number")
    }
    let isFirstOrder = optimizer != .newton
    if let learningRate {
      try InvalidOption.require(isFirstOrder, "learningRate", "left out with newton")
      try InvalidOption.require(
        learningRate >= 1e-6 && learningRate <= 100, "learningRate", "from 1e-6 to 100")
    }
    for (penalty, option) in [(l1, "l1"), (l2, "l2")] {
      try InvalidOption.require(
        penalty >= 0 && penalty <= 1e6 && (isFirstOrder || penalty == 0), option,
        isFirstOrder ? "from 0 to 1e6" : "left out with newton")
    }
    try InvalidOption.require(
      (1...64).contains(halfLives.count) && halfLives.allSatisfy { $0 > 0 && $0.isFinite },
      "halfLives", "1 to 64 positive numbers of examples")
    try positive(ridge, "ridge")
    try positive(interceptRidge, "interceptRidge")
    try positive(pull, "pull")
    try positive(interceptPull, "interceptPull")
    try InvalidOption.require(
      curvatureFloor > 0 && curvatureFloor <= 0.25, "curvatureFloor", "above 0 and at most 0.25")
    try InvalidOption.require(
      positiveWeight > 0 && positiveWeight <= 1e6, "positiveWeight", "above 0 and at most 1e6")
    try InvalidOption.require(
      negativeWeight > 0 && negativeWeight <= 1e6, "negativeWeight", "above 0 and at most 1e6")
    try InvalidOption.require(
      clip > 0 && clip <= Standardisation.largestLimit, "clip", "above 0 and at most 1e6")
    try InvalidOption.require(
      mixingRate >= 0 && mixingRate.isFinite, "mixingRate", "0 or a positive number")
    try InvalidOption.require(
      switchingRate >= 0 && switchingRate <= 0.5, "switchingRate", "from 0 to 0.5")
    try InvalidOption.require(
      standardisationHalfLife > 0, "standardisationHalfLife", "a positive number of examples")
    try hashed.validate()
  }
}
