import StateCoding

extension IsolationForest {
  /// Restores a learner from ``encodeState()``.
  ///
  /// - Throws: ``StateError`` or ``InvalidOption``.
  public init(
    featureCount: Int, options: IsolationForestOptions = .init(), state: [UInt8]
  ) throws {
    try options.validate()
    self.init(featureCount: featureCount, options: options, seed: 0)
    var reader = StateReader(state)
    examples = try StateHeader.readExamples(
      from: &reader, kind: .isolationForest, version: Self.stateVersion,
      featureCount: featureCount)
    guard try reader.read(UInt32.self) == options.trees,
      try reader.read(UInt32.self) == options.sampleSize,
      try reader.read(UInt32.self) == options.reservoirSize,
      try reader.readDouble() == options.gainShare,
      try reader.readDouble() == options.margin
    else { throw StateError.mismatch("way of growing trees") }
    random = try reader.readRandomSource()
    nextSerial = try reader.read()
    nextSize = try reader.readCount(limit: options.reservoirSize)
    sinceReplacement = try reader.readCount(limit: Int.max / 2)
    oldest = try reader.readCount(limit: options.trees - 1)
    reservoirCount = try reader.readCount(limit: options.reservoirSize)
    reservoir = try reader.readArray(of: UInt32.self, count: reservoirCount * featureCount)
      .map(Float.init(bitPattern:))
    guard !reservoir.contains(where: \.isInfinite) else { throw StateError.invalid("kept row") }
    let treeCount = try reader.readCount(limit: options.trees)
    // Serials number all trees ever grown: fewer than this many even at a tree an example.
    guard nextSerial <= StateHeader.mostExamples, treeCount == 0 || treeCount == options.trees,
      treeCount > 0 || reservoirCount < options.reservoirSize
    else { throw StateError.invalid("number of trees") }
    for _ in 0..<treeCount {
      let tree = try IsolationTree(from: &reader, featureCount: featureCount)
      guard tree.serial < nextSerial else { throw StateError.invalid("serial of a tree") }
      trees.append(tree)
    }
    try reader.finish()
  }

  /// Everything that further learning depends on, little-endian and versioned.
  public func encodeState() -> [UInt8] {
    var writer = StateWriter()
    writer.reserve(4 * reservoir.count + trees.reduce(1_024) { $0 + $1.stateSize })
    StateHeader(
      kind: .isolationForest, version: Self.stateVersion, featureCount: featureCount,
      examples: examples
    ).write(to: &writer)
    writer.write(UInt32(options.trees))
    writer.write(UInt32(options.sampleSize))
    writer.write(UInt32(options.reservoirSize))
    writer.write(options.gainShare)
    writer.write(options.margin)
    writer.write(random)
    writer.write(nextSerial)
    writer.write(UInt64(nextSize))
    writer.write(UInt64(sinceReplacement))
    writer.write(UInt64(oldest))
    writer.write(UInt64(reservoirCount))
    writer.write(reservoir.map(\.bitPattern))
    writer.write(UInt64(trees.count))
    for tree in trees { tree.write(to: &writer) }
    return writer.bytes
  }
}

extension IsolationTree {
  /// About as many bytes as ``write(to:)`` writes.
  fileprivate var stateSize: Int { 64 + 8 * featureCount + 20 * nodeCount }

  fileprivate func write(to writer: inout StateWriter) {
    writer.write(serial)
    writer.write(UInt32(sampleSize))
    writer.write(typical)
    writer.write(features)
    writer.write(thresholds.map(\.bitPattern))
    writer.write(children)
    writer.write(values)
  }

  fileprivate convenience init(from reader: inout StateReader, featureCount: Int) throws {
    let serial = try reader.read(UInt64.self)
    let sampleSize = Int(try reader.read(UInt32.self))
    let typical = try reader.readFinites(count: featureCount)
    let features = try reader.readArray(of: UInt32.self)
    let thresholds = try reader.readArray(of: UInt32.self).map(Float.init(bitPattern:))
    let children = try reader.readArray(of: UInt32.self)
    let values = try reader.readFinites()
    do {
      try self.init(
        serial: serial, sampleSize: sampleSize, typical: typical, features: features,
        thresholds: thresholds, children: children, values: values)
    } catch {
      throw StateError.invalid("tree: \(error)")
    }
  }
}
