import StateCoding

extension KMeans {
  /// Restores a learner from ``encodeState()``.
  ///
  /// - Throws: ``StateError`` or ``InvalidOption``.
  public init(featureCount: Int, options: KMeansOptions = .init(), state: [UInt8]) throws {
    try options.validate()
    self.init(featureCount: featureCount, options: options, seed: 0)
    var reader = StateReader(state)
    examples = try StateHeader.readExamples(
      from: &reader, kind: .kMeans, version: Self.stateVersion, featureCount: featureCount)
    guard try reader.read(UInt32.self) == options.clusters else {
      throw StateError.mismatch("number of clusters")
    }
    random = try reader.readRandomSource()
    moments = try RunningMoments(
      from: &reader, featureCount: featureCount, halfLife: options.standardisationHalfLife)
    clusters = try ClusterStatistics(
      from: &reader, clusters: options.clusters, featureCount: featureCount)
    coreset = try Coreset(
      from: &reader, featureCount: featureCount, capacity: options.coresetSize,
      halfLife: options.halfLife)
    remembered = try reader.readFinite()
    unsearched = try reader.readFinite()
    strangeness = try reader.readFinite()
    inertia = try reader.readFinite()
    guard remembered >= 0, unsearched >= 0, strangeness >= 0,
      inertia == 0 || (1e-30...1e30).contains(inertia)
    else {
      throw StateError.invalid("weight")
    }
    try reader.finish()
  }

  /// Everything that further learning depends on, little-endian and versioned.
  public func encodeState() -> [UInt8] {
    var writer = StateWriter()
    StateHeader(
      kind: .kMeans, version: Self.stateVersion, featureCount: clusters.featureCount,
      examples: examples
    ).write(to: &writer)
    writer.write(UInt32(clusters.count))
    writer.write(random)
    moments.write(to: &writer)
    clusters.write(to: &writer)
    coreset.write(to: &writer)
    writer.write(remembered)
    writer.write(unsearched)
    writer.write(strangeness)
    writer.write(inertia)
    return writer.bytes
  }
}
