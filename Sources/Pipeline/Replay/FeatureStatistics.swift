import Features
import Glibc
import LinearAlgebra

/// How the features of a replay were distributed, and how far they moved from week to week.
///
/// A feature's values are counted a week in 513 fixed bins: zero, and for either sign four bins to
/// an octave from 2⁻³² to 2³². Of a column of hashes, whose numbers have no order, they are no
/// category and 512 groups of categories; it has no mean and no deviation.
public struct FeatureStatistics: Sendable {
  /// The most weeks counted; those of a stray date come and go without a trace.
  private static let mostWeeks = 520
  private static let perSign = 256
  private static let bins = 2 * perSign + 1
  /// The exponent and the first two bits of the mantissa of 2⁻³².
  private static let lowest = (127 - 32) << 2

  private let features: Int
  /// The first of the columns of hashes, which come last.
  private let firstHashed: Int
  private var events = 0.0
  private var means: [Double]
  private var squares: [Double]
  /// Days until the windows of the features are full.
  private let filling: Int
  /// The Mondays of the weeks seen, in the order of their slots, and the days seen of each, a bit a
  /// day.
  private var mondays: [Int] = []
  private var days: [UInt8] = []
  private var slots: [Int: Int] = [:]
  /// Counts by slot, feature and bin.
  private var counts: [UInt32] = []

  /// Statistics of no events.
  /// - Parameters:
  ///   - hashed: how many of the last features hold hashes of categories.
  ///   - filling: how far back features look, ms.
  init(features: Int, hashed: Int, filling: Int64) {
    self.features = features
    firstHashed = features - hashed
    self.filling = Int((filling + 86_399_999) / 86_400_000)
    means = Array(repeating: 0, count: features)
    squares = means
  }

  /// Adds a block's events.
  mutating func add(_ matrix: Matrix, times: [Int64]) {
    let rows = matrix.rows
    guard rows > 0 else { return }
    for feature in 0..<features {
      // Chan, Golub and LeVeque's update by blocks (1979).
      let start = feature * matrix.stride
      var sum = 0.0
      for row in 0..<rows { sum += matrix.values[start + row] }
      let mean = sum / Double(rows)
      var square = 0.0
      for row in 0..<rows {
        let distance = matrix.values[start + row] - mean
        square += distance * distance
      }
      let total = events + Double(rows)
      let shift = mean - means[feature]
      means[feature] += shift * Double(rows) / total
      squares[feature] += square + shift * shift * events * Double(rows) / total
    }
    events += Double(rows)
    var first = 0
    while first < rows {
      let day = EventTime.day(times[first])
      var end = first + 1
      while end < rows && EventTime.day(times[end]) == day { end += 1 }
      if let slot = slot(of: day) {
        for feature in 0..<features {
          let base = (slot * features + feature) * Self.bins
          let isHashed = feature >= firstHashed
          for row in first..<end {
            let value = matrix.values[feature * matrix.stride + row]
            counts[base + (isHashed ? Self.group(value) : Self.bin(value))] += 1
          }
        }
      }
      first = end
    }
  }

  /// Where a day's week is counted; nil if there are too many weeks.
  private mutating func slot(of day: Int) -> Int? {
    let monday = Self.monday(day)
    if let known = slots[monday] {
      days[known] |= 1 << UInt8(day - monday)
      return known
    }
    guard mondays.count < Self.mostWeeks else { return nil }
    slots[monday] = mondays.count
    mondays.append(monday)
    days.append(1 << UInt8(day - monday))
    counts.append(contentsOf: repeatElement(0, count: features * Self.bins))
    return mondays.count - 1
  }

  private static func monday(_ day: Int) -> Int {
    let shifted = (day + 3) % 7
    return day - (shifted < 0 ? shifted + 7 : shifted)
  }

  @inline(__always)
  private static func bin(_ value: Double) -> Int {
    let bits = Int(Float(value).magnitude.bitPattern >> 21) - lowest
    guard bits >= 0 else { return perSign }
    let place = min(bits, perSign - 1)
    return value > 0 ? perSign + 1 + place : perSign - 1 - place
  }

  private static func group(_ hash: Double) -> Int {
    hash >= 0 ? 1 + Int(hash) % (2 * perSign) : 0
  }

  // MARK: Results

  /// The mean of a feature over all events; nil without events, and for a column of hashes.
  public func mean(_ feature: Int) -> Double? {
    events > 0 && feature < firstHashed ? means[feature] : nil
  }

  /// The standard deviation of a feature over all events; nil without events, and for a column of
  /// hashes.
  public func deviation(_ feature: Int) -> Double? {
    events > 0 && feature < firstHashed ? (squares[feature] / events).squareRoot() : nil
  }

  /// The population stability index of a feature, week by week, against the first four weeks:
  /// Σ (q − p) ln(q/p) over up to ten bins that hold about as much of the first weeks each, counts
  /// raised by one half. 0.1 is usually called small, 0.25 large.
  ///
  /// Only weeks with events on all seven days count: weekdays and weekends differ. Weeks in which the
  /// features' windows fill come before the first four, if there are any behind them.
  /// - Returns: all weeks in order; an index is nil where there is none.
  public func drift(_ feature: Int) -> [(monday: Int, index: Double?)] {
    let order = mondays.indices.sorted { mondays[$0] < mondays[$1] }
    let whole = order.filter { days[$0] == 0b111_1111 }
    let full = (order.first.map { mondays[$0] } ?? 0) + filling
    let filled = whole.filter { mondays[$0] >= full }
    let compared = Set(filled.isEmpty ? whole : filled)
    func histogram(_ slot: Int) -> ArraySlice<UInt32> {
      let base = (slot * features + feature) * Self.bins
      return counts[base..<base + Self.bins]
    }
    var reference = [Double](repeating: 0, count: Self.bins)
    for slot in order.filter(compared.contains).prefix(4) {
      for (bin, count) in histogram(slot).enumerated() { reference[bin] += Double(count) }
    }
    let total = reference.reduce(0, +)
    var groups: [Int] = []
    var group = 0
    var before = 0.0
    for bin in reference.indices {
      group = max(group, min(9, Int(10 * before / max(total, 1))))
      groups.append(group)
      before += reference[bin]
    }
    func shares(_ counts: some Sequence<Double>) -> [Double] {
      var sums = [Double](repeating: 0.5, count: group + 1)
      for (bin, count) in counts.enumerated() { sums[groups[bin]] += count }
      let total = sums.reduce(0, +)
      return sums.map { $0 / total }
    }
    let usual = shares(reference)
    return order.map { slot in
      guard compared.contains(slot) else { return (mondays[slot], nil) }
      let now = shares(histogram(slot).lazy.map { Double($0) })
      let index = zip(usual, now).reduce(0) { $0 + ($1.1 - $1.0) * log($1.1 / $1.0) }
      return (mondays[slot], index)
    }
  }
}
