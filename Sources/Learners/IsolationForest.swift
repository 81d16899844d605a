import Glibc
import LinearAlgebra

/// Streaming isolation forest.
///
/// Half of the trees, unless told otherwise, split at random as in the original isolation forest.
/// The others split by gain and are grown on half of the rows: what lies apart in few features
/// or in small clusters, random cuts hardly ever find.
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

  /// A forest grown on samples of all rows of a table, or nil if there are fewer than two.
  ///
  /// - Parameters:
  ///   - features: The rows.
  ///   - options: Settings that pass validation; those of the reservoir do not matter.
  ///   - seed: Seed of the random numbers.
  public static func fit(
    _ features: Matrix, options: IsolationForestOptions = .init(), seed: UInt64
  ) -> IsolationForestParameters? {
    guard features.rows > 1 else { return nil }
    var learner = IsolationForest(featureCount: features.columns, options: options, seed: seed)
    var rows = [Int32](0..<Int32(features.rows))
    var samples = (0..<options.trees).map { [Int32](learner.drawSample($0, &rows)) }
    // Only what was drawn is copied, in the table's order.
    var slots = [Int32](repeating: -1, count: features.rows)
    for sample in samples { for row in sample { slots[Int(row)] = 0 } }
    rows.removeAll(keepingCapacity: true)
    for row in slots.indices where slots[row] == 0 {
      slots[row] = Int32(rows.count)
      rows.append(Int32(row))
    }
    learner.keep(features, rows)
    for tree in samples.indices {
      for index in samples[tree].indices {
        samples[tree][index] = slots[Int(samples[tree][index])]
      }
    }
    learner.trees = samples.indices.map { learner.growTree($0, samples[$0][...]) }
    return learner.makeParameters()
  }

  /// Fills the reservoir with the rows of a table that have these numbers.
  private mutating func keep(_ features: Matrix, _ rows: [Int32]) {
    reservoirCount = rows.count
    reservoir = [Float](repeating: 0, count: rows.count * featureCount)
    reservoir.withUnsafeMutableBufferPointer { reservoir in
      features.values.withUnsafeBufferPointer { values in
        // So many rows at a time that they stay in the cache from feature to feature, and several
        // features, so that more of the table is on its way at once.
        let width = featureCount
        for start in stride(from: 0, to: rows.count, by: 256) {
          let end = min(start + 256, rows.count)
          var feature = 0
          while feature + 4 <= width {
            let first = feature * features.stride
            let second = first + features.stride
            let third = second + features.stride
            let fourth = third + features.stride
            for slot in start..<end {
              let row = Int(rows[slot])
              let target = slot &* width &+ feature
              reservoir[target] = Self.kept(values[first &+ row])
              reservoir[target &+ 1] = Self.kept(values[second &+ row])
              reservoir[target &+ 2] = Self.kept(values[third &+ row])
              reservoir[target &+ 3] = Self.kept(values[fourth &+ row])
            }
            feature += 4
          }
          while feature < width {
            let column = feature * features.stride
            for slot in start..<end {
              reservoir[slot &* width &+ feature] = Self.kept(values[column &+ Int(rows[slot])])
            }
            feature += 1
          }
        }
      }
    }
  }

  private mutating func take(_ features: Matrix, _ row: Int) {
    let step = features.stride
    if reservoirCount < options.reservoirSize {
      for feature in 0..<featureCount {
        reservoir.append(Self.kept(features.values[feature * step + row]))
      }
      reservoirCount += 1
      if reservoirCount >= nextSize {
        growAfresh()
        nextSize = min(2 * reservoirCount, options.reservoirSize)
      }
      return
    }
    // Until the half-life has passed, a sample of all rows: each is kept with the same probability.
    let share = max(log(2) / options.halfLife, 1 / Double(examples))
    if random.uniform() < share * Double(reservoirCount) {
      let slot = random.below(reservoirCount) * featureCount
      for feature in 0..<featureCount {
        reservoir[slot + feature] = Self.kept(features.values[feature * step + row])
      }
    }
    sinceReplacement += 1
    if sinceReplacement >= options.replaceEvery {
      var slots = allSlots()
      trees[oldest] = growTree(oldest, drawSample(oldest, &slots))
      oldest = (oldest + 1) % trees.count
      sinceReplacement = 0
    }
  }

  /// A value as trees compare it; none lies beyond all thresholds.
  private static func kept(_ value: Double) -> Float {
    let most = Float.greatestFiniteMagnitude
    let rounded = Float(value)
    let above = rounded < -most ? -most : rounded
    return above > most ? most : above
  }

  private mutating func growAfresh() {
    var slots = allSlots()
    trees = (0..<options.trees).map { growTree($0, drawSample($0, &slots)) }
    oldest = 0
  }

  private func allSlots() -> [Int32] { (0..<Int32(reservoirCount)).map { $0 } }

  /// Whether the tree of a place splits by gain; those that do are spread evenly over the places.
  private func isByGain(_ place: Int) -> Bool {
    let share = options.gainShare
    return (Double(place + 1) * share).rounded(.down) > (Double(place) * share).rounded(.down)
  }

  /// Draws the sample of the tree of a place.
  ///
  /// - Parameter slots: Numbers of all rows, in any order; it is changed.
  private mutating func drawSample(_ place: Int, _ slots: inout [Int32]) -> ArraySlice<Int32> {
    let wanted = isByGain(place) ? max(options.sampleSize / 2, 2) : options.sampleSize
    let rows = min(wanted, slots.count)
    for row in 0..<rows { slots.swapAt(row, row + random.below(slots.count - row)) }
    return slots[..<rows]
  }

  /// Grows the tree of a place on rows of the reservoir, in random order.
  private mutating func growTree(_ place: Int, _ slots: ArraySlice<Int32>) -> IsolationTree {
    var grower = IsolationTreeGrower(
      reservoir, slots: slots, featureCount: featureCount, margin: options.margin)
    let tree = grower.grow(serial: nextSerial, byGain: isByGain(place), random: &random)
    nextSerial += 1
    return tree
  }
}
