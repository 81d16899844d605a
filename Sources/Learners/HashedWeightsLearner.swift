import Glibc
import LinearAlgebra
import StateCoding

/// Learns ``HashedWeights``, a row at a time, on top of the log-odds of the other features.
///
/// Every weight has a normal prior around 0 and a posterior whose precision is the curvature of the
/// log loss that was met under it: a Newton step by the diagonal, shortened by what the columns of a
/// row share (the extended Kalman filter of a logistic observation with independent weights). That
/// forgets exponentially, and a proximal L1 penalty keeps weights at exactly 0, as in FTRL-Proximal
/// (McMahan et al., "Ad click prediction: a view from the trenches", 2013), whose rates, by the
/// square root of the squared gradients, take much longer to believe the first positives of a rare
/// category.
struct HashedWeightsLearner: Sendable {
  let options: HashedWeightsOptions
  /// An entry's precision times its weight, and the curvature it has met. Both grow with ``growth``,
  /// so that forgetting costs nothing.
  private var entries: [SIMD2<Double>]
  /// What one example weighs now; one half of it one half-life ago.
  private var growth = 1.0
  /// Steps that were shortened.
  private(set) var boundedSteps: UInt64 = 0

  /// Beyond this growth the entries are scaled down.
  private static let largestGrowth = 0x1p64

  init(options: HashedWeightsOptions) {
    self.options = options
    entries = [SIMD2<Double>](repeating: .zero, count: 1 << options.bits)
  }

  /// The weights as learned so far, times a factor.
  func makeWeights(slope: Double) -> HashedWeights {
    HashedWeights(columns: options.columns, table: entries.map { Float(slope * weight($0)) })
  }

  /// A soft threshold, over the precision.
  @inline(__always)
  private func weight(_ entry: SIMD2<Double>) -> Double {
    let beyond = abs(entry.x) - options.l1 * growth
    guard beyond > 0 else { return 0 }
    return (entry.x > 0 ? beyond : -beyond) / (options.ridge * growth + entry.y)
  }

  /// Sets the offsets of a batch.
  /// - Parameters:
  ///   - features: columns of which the last ones are hashed.
  ///   - range: rows of `features` that the batch holds.
  func load(_ features: Matrix, rows range: Range<Int>, into batch: inout LogisticBatch) {
    batch.offsets.removeAll(keepingCapacity: true)
    batch.offsets.append(contentsOf: repeatElement(0, count: range.count))
    for column in features.columns - options.columns..<features.columns {
      let start = column * features.stride
      for (row, source) in range.enumerated() {
        guard
          let entry = HashedWeights.entry(of: features.values[start + source], in: entries.count)
        else { continue }
        batch.offsets[row] += weight(entries[entry])
      }
    }
  }

  /// Learns the rows that a batch holds, which has their log-odds and offsets.
  mutating func learn(_ batch: LogisticBatch, _ features: Matrix, rows range: Range<Int>) {
    grow(range.count)
    let columns = options.columns
    let first = (features.columns - columns) * features.stride
    withUnsafeTemporaryAllocation(of: Int.self, capacity: columns) { found in
      for (row, source) in range.enumerated() where batch.weights[row] > 0 {
        var count = 0
        for column in 0..<columns {
          let value = features.values[first + column * features.stride + source]
          guard let entry = HashedWeights.entry(of: value, in: entries.count) else { continue }
          found[count] = entry
          count += 1
        }
        learn(
          found[..<count], logOdds: batch.mixed[row] - batch.offsets[row], label: batch.labels[row],
          weight: batch.weights[row])
      }
    }
  }

  /// Learns one row.
  @inline(__always)
  private mutating func learn(
    _ found: Slice<UnsafeMutableBufferPointer<Int>>, logOdds: Double, label: Double, weight: Double
  ) {
    let ridge = options.ridge * growth
    var sum = logOdds
    var variance = 0.0
    for index in found {
      let entry = entries[index]
      sum += self.weight(entry)
      variance += growth / (ridge + entry.y)
    }
    let curvature = weight * LogisticBatch.curvature(sum, label: label, floor: 0)
    let residual = weight * (label - logistic(sum)) / (1 + curvature * variance)
    for index in found {
      var entry = entries[index]
      let before = ridge + entry.y
      var step = residual * growth / before
      if abs(step) > LogisticMixture.longestStep {
        step = step > 0 ? LogisticMixture.longestStep : -LogisticMixture.longestStep
        boundedSteps &+= 1
      }
      entry.x += curvature * growth * self.weight(entry)
      entry.y += curvature * growth
      entry.x += step * (ridge + entry.y)
      // What exceeds the largest curvature is the past's.
      let excess = (ridge + options.largestCurvature * growth) / (ridge + entry.y)
      if excess < 1 {
        entry.x *= excess
        entry.y = options.largestCurvature * growth
      }
      entries[index] = entry
    }
  }

  private mutating func grow(_ rows: Int) {
    growth *= exp2(min(Double(rows) / options.halfLife, 64))
    guard growth > Self.largestGrowth else { return }
    for index in entries.indices { entries[index] /= growth }
    growth = 1
  }
}

extension HashedWeightsLearner {
  /// Writes the entries that have met anything.
  func write(to writer: inout StateWriter) {
    let used = entries.indices.filter { entries[$0] != .zero }
    writer.write(UInt32(options.columns))
    writer.write(UInt32(options.bits))
    writer.write(growth)
    writer.write(boundedSteps)
    writer.write(used.map { UInt32($0) })
    writer.write(used.map { entries[$0].x })
    writer.write(used.map { entries[$0].y })
  }

  init(from reader: inout StateReader, options: HashedWeightsOptions) throws(StateError) {
    self.init(options: options)
    guard try reader.read(UInt32.self) == options.columns,
      try reader.read(UInt32.self) == options.bits
    else { throw .mismatch("table of hashed weights") }
    growth = try reader.readFinite()
    guard growth >= 1, growth <= Self.largestGrowth else { throw .invalid("growth") }
    boundedSteps = try reader.read()
    let used = try reader.readArray(of: UInt32.self)
    let sums = try reader.readFinites(count: used.count)
    let curvatures = try reader.readFinites(count: used.count)
    var previous = -1
    for (place, index) in used.enumerated() {
      guard index < entries.count, Int(index) > previous, curvatures[place] >= 0,
        abs(sums[place]) <= 1e60, curvatures[place] <= 1e60
      else { throw .invalid("hashed weight") }
      previous = Int(index)
      entries[Int(index)] = SIMD2(sums[place], curvatures[place])
    }
  }
}
