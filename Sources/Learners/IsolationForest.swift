import LinearAlgebra

/// Streaming isolation forest.
///
/// Trees are grown on samples, drawn without replacement, of a reservoir that prefers recent rows
/// (Aggarwal, "On biased reservoir sampling in the presence of stream evolution", 2006). While it
/// fills, the whole forest is grown afresh each time the number of rows has doubled; once it is
/// full, one tree at a time is replaced, the oldest first. Rows are taken one by one, so it makes no
/// difference how they are cut into batches.
public struct IsolationForest: Learner, Sendable {
  /// What the learner yields.
  public typealias Parameters = IsolationForestParameters
  /// Settings of the learner.
  public typealias Options = IsolationForestOptions

  /// Labels are ignored.
  public static let isSupervised = false

  static let stateVersion: UInt16 = 2
  /// Rows before there is a first forest.
  static let firstSize = 16

  /// Settings.
  public let options: IsolationForestOptions
  /// Rows learned so far.
  public internal(set) var examples: UInt64
  let featureCount: Int
  var random: RandomSource
  /// Kept rows, row-major. A missing value is NaN, none is infinite.
  var reservoir: [Float]
  /// Number of kept rows.
  var reservoirCount: Int
  /// The forest; the oldest tree is at ``oldest``.
  var trees: [IsolationTree]
  var oldest: Int
  var nextSerial: UInt64
  /// Rows in the reservoir at which the forest is grown afresh, while it fills.
  var nextSize: Int
  /// Rows since a tree was replaced, once it is full.
  var sinceReplacement: Int

  /// A learner that has seen nothing.
  ///
  /// - Parameters:
  ///   - featureCount: Columns of every batch.
  ///   - options: Settings that pass validation.
  ///   - seed: Seed of the random numbers.
  public init(featureCount: Int, options: IsolationForestOptions = .init(), seed: UInt64) {
    precondition(featureCount >= 0, "a model needs a non-negative number of features")
    self.options = options
    self.featureCount = featureCount
    examples = 0
    random = RandomSource(seed: seed)
    reservoir = []
    reservoirCount = 0
    trees = []
    oldest = 0
    nextSerial = 1
    nextSize = min(Self.firstSize, options.reservoirSize)
    sinceReplacement = 0
  }

  /// Learns a batch. A row of weight 1 or more is taken as one row, a lighter one with a probability
  /// equal to its weight.
  public mutating func learn(_ features: Matrix, labels: [Double] = [], weights: [Double] = []) {
    precondition(features.columns == featureCount, "shapes do not fit")
    precondition(weights.isEmpty || weights.count >= features.rows, "a weight is missing")
    for row in 0..<features.rows {
      examples += 1
      let weight = exampleWeight(weights, row)
      guard weight >= 1 || (weight > 0 && random.uniform() < weight) else { continue }
      take(features, row)
    }
  }

  /// The forest as grown so far, or nil before the first 16 rows.
  public func makeParameters() -> IsolationForestParameters? {
    guard !trees.isEmpty else { return nil }
    return try? IsolationForestParameters(sampleSize: options.sampleSize, trees: trees)
  }

  private mutating func take(_ features: Matrix, _ row: Int) {
    let step = features.stride
    if reservoirCount < options.reservoirSize {
      for feature in 0..<featureCount {
        reservoir.append(Self.kept(features.values[feature * step + row]))
      }
      reservoirCount += 1
      if reservoirCount >= nextSize {
        trees = (0..<options.trees).map { _ in growTree() }
        oldest = 0
        nextSize = min(2 * reservoirCount, options.reservoirSize)
      }
      return
    }
    let slot = random.below(reservoirCount) * featureCount
    reservoir.withUnsafeMutableBufferPointer { reservoir in
      features.values.withUnsafeBufferPointer { values in
        for feature in 0..<featureCount {
          reservoir[slot + feature] = Self.kept(values[feature * step + row])
        }
      }
    }
    sinceReplacement += 1
    if sinceReplacement >= options.replaceEvery {
      trees[oldest] = growTree()
      oldest = (oldest + 1) % trees.count
      sinceReplacement = 0
    }
  }

  /// A value as trees compare it; none lies beyond all thresholds.
  private static func kept(_ value: Double) -> Float {
    let rounded = Float(value)
    guard rounded.isInfinite else { return rounded }
    return value < 0 ? -.greatestFiniteMagnitude : .greatestFiniteMagnitude
  }

  /// Grows one tree on a sample of the reservoir.
  private mutating func growTree() -> IsolationTree {
    let rows = min(options.sampleSize, reservoirCount)
    var slots = [Int32](unsafeUninitializedCapacity: reservoirCount) { buffer, count in
      for index in 0..<reservoirCount { buffer[index] = Int32(index) }
      count = reservoirCount
    }
    var sample = [Float](repeating: 0, count: rows * featureCount)
    for row in 0..<rows {
      slots.swapAt(row, row + random.below(reservoirCount - row))
      let start = Int(slots[row]) * featureCount
      for feature in 0..<featureCount {
        sample[feature * rows + row] = reservoir[start + feature]
      }
    }
    var grower = IsolationTreeGrower(sample: sample, rows: rows, featureCount: featureCount)
    let tree = grower.grow(serial: nextSerial, random: &random)
    nextSerial += 1
    return tree
  }
}
