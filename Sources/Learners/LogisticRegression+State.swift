import StateCoding

extension LogisticRegression {
  /// Restores a learner from ``encodeState()``.
  ///
  /// - Throws: ``StateError`` or ``InvalidOption``.
  public init(
    featureCount: Int, options: LogisticRegressionOptions = .init(), state: [UInt8]
  ) throws {
    try options.validate()
    guard featureCount >= options.hashed.columns else {
      throw StateError.mismatch("number of features")
    }
    self.init(featureCount: featureCount, options: options)
    var reader = StateReader(state)
    examples = try StateHeader.readExamples(
      from: &reader, kind: .logisticRegression, version: Self.stateVersion,
      featureCount: featureCount)
    let featureCount = featureCount - options.hashed.columns
    guard try reader.readString() == options.optimizer.rawValue else {
      throw StateError.mismatch("optimizer")
    }
    guard try reader.readFinites() == options.halfLives else {
      throw StateError.mismatch("list of half-lives")
    }
    moments = try RunningMoments(
      from: &reader, featureCount: featureCount, halfLife: options.standardisationHalfLife)
    let mean = try reader.readFinites(count: featureCount)
    let scale = try reader.readFinites(count: featureCount)
    standardisation = Standardisation(mean: mean, scale: scale, limit: options.clip, isSoft: true)
    guard standardisation.isFinite else { throw StateError.invalid("standardisation") }
    rebasedAt = try reader.read()
    guard rebasedAt <= examples else { throw StateError.invalid("number of examples") }
    if mixture != nil {
      mixture = try LogisticMixture(
        from: &reader, featureCount: featureCount, options: options)
    } else {
      gradient = try LogisticGradient(
        from: &reader, featureCount: featureCount, options: options)
    }
    if hashed != nil {
      hashed = try HashedWeightsLearner(from: &reader, options: options.hashed)
    }
    try reader.finish()
  }

  /// Everything that further learning depends on, little-endian and versioned.
  public func encodeState() -> [UInt8] {
    let featureCount = standardisation.featureCount
    var writer = StateWriter()
    writer.reserve(options.halfLives.count * (featureCount + 3) * (featureCount + 1) * 8 + 256)
    StateHeader(
      kind: .logisticRegression, version: Self.stateVersion,
      featureCount: featureCount + options.hashed.columns, examples: examples
    ).write(to: &writer)
    writer.write(options.optimizer.rawValue)
    writer.write(options.halfLives)
    moments.write(to: &writer)
    writer.write(standardisation.mean)
    writer.write(standardisation.scale)
    writer.write(rebasedAt)
    mixture?.write(to: &writer)
    gradient?.write(to: &writer)
    hashed?.write(to: &writer)
    return writer.bytes
  }
}
