import Glibc
import LinearAlgebra
import StateCoding

/// A weighted sample of all rows so far that stands for them in a clustering, with exponential
/// forgetting.
///
/// Rows are drawn without replacement by priority sampling (Duffield, Lund and Thorup, "Priority
/// sampling for estimation of arbitrary subset sums", 2007), each with an importance: 1, plus its
/// squared distance from the nearest centre over the average one, plus the average weight of a
/// cluster over that of its own. The last two are the sensitivity by which a coreset for k-means is
/// drawn (Feldman and Langberg, "A unified framework for approximating and clustering data", 2011).
/// So few far points, and small clusters, are there that a uniform sample would miss. What a row
/// stands for is right on average, but for what centres and draws have to do with each other. Forgetting
/// takes the same factor from all priorities, so it is enough to give later rows a larger one.
///
/// Where there is no more room, the quarter of lowest priority goes at once, rather than one row for
/// each that comes.
struct Coreset: Sendable {
  /// No row is more important than this.
  private static let largestImportance = 1e4
  /// Logarithms stay far below it: it is an age of 2^60 rows at a half-life of one.
  private static let largestLogarithm = 1e18

  let featureCount: Int
  /// There are fewer rows than this.
  let capacity: Int
  private let halfLife: Double
  /// Row-major.
  private(set) var values: [Double] = []
  private var members: [Member] = []
  /// Logarithm of the highest priority of a row that is not here; minus infinity while all are.
  private var threshold = -Double.infinity
  /// Rows seen.
  private var age = 0.0

  /// A row's place in the sample. Logarithms, as later rows count exponentially more.
  private struct Member {
    /// Of the weight, undiminished by age.
    var weight: Double
    /// Of the weight times the importance.
    var size: Double
    /// Of that over a random number.
    var priority: Double
  }

  init(featureCount: Int, capacity: Int, halfLife: Double) {
    self.featureCount = featureCount
    self.capacity = capacity
    self.halfLife = halfLife
  }

  var count: Int { members.count }

  /// Logarithm of what a row of weight 1 counts now, where the first counted 1.
  private var now: Double { age / halfLife * M_LN2 }

  /// Offers rows of a block, all of the same age.
  ///
  /// - Parameters:
  ///   - weights: One a row of `range`; those of weight 0 are passed over.
  ///   - importance: 1 or more for each row, by its position in `range`.
  mutating func offer(
    _ features: Matrix, rows range: Range<Int>, weights: [Float], random: inout RandomSource,
    importance: (Int) -> Double
  ) {
    age += Double(range.count)
    // Below this, of the random number over weight and importance, a row's priority is above the
    // threshold.
    var bound = exp(now - threshold)
    var taken: [Int] = []
    taken.reserveCapacity(range.count)
    for (position, row) in range.enumerated() where weights[position] > 0 {
      let size = Double(weights[position]) * min(importance(position), Self.largestImportance)
      let draw = 1 - random.uniform()
      guard draw < size * bound else { continue }
      let weight = Double(weights[position])
      let logSize = log(size) + now
      members.append(
        Member(
          weight: (weight == 1 ? 0 : log(weight)) + now, size: logSize,
          priority: logSize - log(draw)))
      taken.append(row)
      if members.count >= capacity {
        append(features, taken)
        taken.removeAll(keepingCapacity: true)
        thin()
        bound = exp(now - threshold)
      }
    }
    append(features, taken)
  }

  /// Appends the values of rows, feature by feature as they lie.
  private mutating func append(_ features: Matrix, _ rows: [Int]) {
    // Memory that is not used costs nothing; to move into larger memory again and again does.
    if values.isEmpty { values.reserveCapacity(capacity * featureCount) }
    let start = values.count
    values.append(contentsOf: repeatElement(0, count: rows.count * featureCount))
    values.withUnsafeMutableBufferPointer { values in
      features.values.withUnsafeBufferPointer { source in
        for feature in 0..<featureCount {
          let column = UnsafeBufferPointer(
            rebasing: source[feature * features.stride..<feature * features.stride + features.rows])
          var place = start + feature
          for row in rows {
            values[place] = column[row]
            place &+= featureCount
          }
        }
      }
    }
  }

  /// Drops the quarter of lowest priority.
  private mutating func thin() {
    var priorities = members.map(\.priority)
    let lowest = select(priorities.count / 4, from: &priorities)
    threshold = max(threshold, lowest)
    var row = 0
    while row < members.count {
      guard members[row].priority <= lowest else {
        row += 1
        continue
      }
      let last = members.removeLast()
      if row < members.count {
        members[row] = last
        values.withUnsafeMutableBufferPointer { values in
          let base = values.baseAddress! + row * featureCount
          base.update(from: values.baseAddress! + members.count * featureCount, count: featureCount)
        }
      }
    }
    values.removeLast(values.count - members.count * featureCount)
  }

  /// Writes the rows in standardised units. Returns how many rows each stands for now.
  func standardise(_ units: Standardisation, into rows: inout StandardisedRows) -> [Float] {
    rows.standardise(rowMajor: values, count: count, units)
    // What weighs next to nothing must not leave a product of weights without digits.
    return members.map {
      let weight = Float(exp($0.weight - now + max(0, threshold - $0.size)))
      return weight < 1e-20 ? 0 : weight
    }
  }
}

extension Coreset {
  func write(to writer: inout StateWriter) {
    writer.write(age)
    writer.write(threshold.isFinite ? threshold : 0)
    writer.write(threshold.isFinite)
    writer.write(members.map(\.weight))
    writer.write(members.map(\.size))
    writer.write(members.map(\.priority))
    writer.write(values)
  }

  init(
    from reader: inout StateReader, featureCount: Int, capacity: Int, halfLife: Double
  ) throws(StateError) {
    self.init(featureCount: featureCount, capacity: capacity, halfLife: halfLife)
    age = try reader.readFinite()
    let bound = try reader.readFinite()
    if try reader.readBool() { threshold = bound }
    let weights = try reader.readFinites()
    let sizes = try reader.readFinites(count: weights.count)
    let priorities = try reader.readFinites(count: weights.count)
    guard age >= 0, now <= Self.largestLogarithm, abs(bound) <= 2 * Self.largestLogarithm,
      weights.count < capacity
    else { throw .invalid("sample") }
    // Rows enter by the priority itself, which may round to another side than its logarithm.
    let lowest = threshold - 1e-6 * (1 + abs(threshold))
    for ((weight, size), priority) in zip(zip(weights, sizes), priorities) {
      // The logarithm of a weight is bounded by that of the largest one and the age; a priority is
      // at least the size, and above the threshold.
      guard weight <= now + log(largestExampleWeight) + 1, weight <= size + 1e-6 * (1 + abs(size)),
        size <= weight + log(Self.largestImportance) + 1, size <= priority,
        priority <= size + 40, priority >= lowest
      else { throw .invalid("sampled row") }
      members.append(Member(weight: weight, size: size, priority: priority))
    }
    values = try reader.readFinites(count: weights.count * featureCount)
  }
}
