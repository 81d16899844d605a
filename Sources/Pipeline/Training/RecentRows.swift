import Evaluation
import Glibc
import Learners
import LinearAlgebra
import StateCoding

/// A sample of the rows seen lately, from which thresholds are taken.
///
/// A threshold travels with the parameters it was made for, so that a swap does not move the alert
/// rate. It is therefore taken from scores by the new parameters: the sample is scored at each
/// publication and the threshold is its exact quantile. The sample spans about a week whatever the
/// rate of events: where they are few it is smaller, where they are many a row enters with a
/// chance only. A row that enters replaces a random one (Aggarwal, "On biased reservoir sampling in
/// the presence of stream evolution", VLDB 2006).
struct RecentRows {
  static let largestSize = 4096
  static let smallestSize = 256
  /// How far the sample and the rate of events look back.
  static let span: Int64 = 7 * 86_400_000

  private var rows: Matrix
  private var random: RandomSource
  /// Events and milliseconds, both discounted with a half-life of `span`, once an hour.
  private var events = 0.0
  private var elapsed = 0.0
  private var undiscounted: Int64 = 0
  private var latest: Int64?

  init(featureCount: Int, seed: UInt64) {
    rows = Matrix(columns: featureCount, capacity: Self.largestSize)
    random = RandomSource(seed: seed)
  }

  /// Takes a block's rows into account, one by one, so that it does not matter how events are cut
  /// into blocks.
  mutating func add(_ block: ScoredBlock) {
    for row in 0..<block.rows {
      follow(block.time(row))
      let expected = (eventsPerDay ?? 0) * Double(Self.span) / 86_400_000
      let size = Int(min(max(expected, Double(Self.smallestSize)), Double(Self.largestSize)))
      if rows.rows > size { rows.resize(rows: size) }
      let slot: Int
      if rows.rows < size {
        slot = rows.rows
        rows.resize(rows: slot + 1)
      } else {
        guard expected <= Double(size) || random.uniform() * expected < Double(size) else {
          continue
        }
        slot = random.below(size)
      }
      for column in 0..<rows.columns { rows[slot, column] = block.feature(column, row: row) }
    }
  }

  private mutating func follow(_ time: Int64) {
    let passed = max(0, time - (latest ?? time))
    latest = max(latest ?? time, time)
    events += 1
    elapsed += Double(passed)
    undiscounted += passed
    guard undiscounted >= 3_600_000 else { return }
    let kept = exp2(-Double(undiscounted) / Double(Self.span))
    events *= kept
    elapsed *= kept
    undiscounted = 0
  }

  /// Events in a day, lately; nil before anything is known of it.
  var eventsPerDay: Double? { elapsed > 0 ? events / elapsed * 86_400_000 : nil }

  /// The score from which on `parameters` flag as many events as the budget allows; nil while
  /// there is no sample or no rate.
  func threshold(of parameters: any ModelParameters, budget: AlertBudget) -> Float? {
    guard rows.rows > 0 else { return nil }
    let share: Double
    switch budget {
    case .share(let value): share = value
    case .perDay(let alerts):
      guard let eventsPerDay else { return nil }
      share = Double(alerts) / eventsPerDay
    }
    var scores = self.scores(by: parameters)
    let allowed = Int(min(share, 1) * Double(scores.count))
    // Fewer than one alert in the sample: flag only what exceeds all of it.
    guard allowed > 0 else { return scores.max()?.nextUp }
    let threshold = scores.select(at: scores.count - allowed)
    // Many rows may share the score at the edge; flagging all of them would overrun the budget.
    let flagged = scores.count { $0 >= threshold }
    return flagged > 2 * allowed ? threshold.nextUp : threshold
  }

  /// The share of the sample that `parameters` flag from a score on; nil while the sample says
  /// little.
  func flaggedShare(of parameters: any ModelParameters, threshold: Float) -> Double? {
    guard rows.rows >= Self.smallestSize else { return nil }
    return Double(scores(by: parameters).count { $0 >= threshold }) / Double(rows.rows)
  }

  private func scores(by parameters: any ModelParameters) -> [Float] {
    var scores = [Float](repeating: 0, count: rows.rows)
    parameters.score(rows, into: &scores)
    return scores
  }

  // MARK: State

  func encode(into writer: inout StateWriter) {
    writer.write(random)
    writer.write(events)
    writer.write(elapsed)
    writer.write(undiscounted)
    writer.write(latest ?? .min)
    writer.write(UInt64(rows.rows))
    for column in 0..<rows.columns {
      let start = column * rows.stride
      writer.write(Array(rows.values[start..<start + rows.rows]))
    }
  }

  init(featureCount: Int, from reader: inout StateReader) throws {
    rows = Matrix(columns: featureCount, capacity: Self.largestSize)
    random = try reader.readRandomSource()
    events = try reader.readFinite()
    elapsed = try reader.readFinite()
    undiscounted = try reader.read(Int64.self)
    guard (0..<3_600_000).contains(undiscounted) else { throw StateError.invalid("clock") }
    let time = try reader.read(Int64.self)
    latest = time == .min ? nil : time
    let count = try reader.readCount(limit: Self.largestSize)
    rows.resize(rows: count)
    for column in 0..<featureCount {
      let values = try reader.readFinites(count: count)
      for (row, value) in values.enumerated() { rows[row, column] = value }
    }
  }
}
