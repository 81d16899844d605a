import Evaluation
import Features
import Learners
import LinearAlgebra
import StateCoding

/// A sample of a model's recent labelled rows, on which a version is compared with the one before.
///
/// Positives and negatives are kept apart, so that rare ones count. At each comparison at most an
/// eighth of either is replaced, the oldest first, by a random choice of the rows that came since
/// (Vitter, "Random sampling with a reservoir", 1985): a burst of wrong labels cannot take the
/// sample over before it is noticed, and what lasts for some versions does. A row waits for the
/// comparison after the next: labels known by the time of one are all there by the next, however
/// events and labels are cut into blocks.
struct LabelledSample {
  /// Rows kept of each class, and the fewest of each that say anything.
  static let positives = 128
  static let negatives = 384
  static let fewest = 32

  /// Scores of all kept rows.
  struct Scores {
    var positives: [Float]
    var negatives: [Float]
  }

  private let scale: ScoreScale
  private var random: RandomSource
  private var positive: LabelledClass
  private var negative: LabelledClass
  /// Event time of the last comparison.
  private var renewedAt = Int64.min

  init(featureCount: Int, scale: ScoreScale, seed: UInt64) {
    self.scale = scale
    random = RandomSource(seed: seed)
    positive = LabelledClass(size: Self.positives, featureCount: featureCount)
    negative = LabelledClass(size: Self.negatives, featureCount: featureCount)
  }

  /// - Parameter time: when the label became known, in event time.
  mutating func add(_ block: ScoredBlock, row: Int, label: Label, time: Int64) {
    let isDue = time <= renewedAt
    if label == .positive {
      positive.add(block, row: row, isDue: isDue, &random)
    } else {
      negative.add(block, row: row, isDue: isDue, &random)
    }
  }

  /// Takes in what was known by the last comparison.
  /// - Parameter served: the last published version's parameters; nil before the first.
  mutating func renew(at time: Int64, servedBy served: (any ModelParameters)?) {
    positive.renew(servedBy: served)
    negative.renew(servedBy: served)
    renewedAt = max(renewedAt, time)
  }

  func score(by parameters: any ModelParameters) -> Scores {
    Scores(
      positives: positive.score(by: parameters), negatives: negative.score(by: parameters))
  }

  /// The scores by the last published version.
  var served: Scores {
    get { Scores(positives: positive.served, negatives: negative.served) }
    set {
      positive.served = newValue.positives
      negative.served = newValue.negatives
    }
  }

  /// The figures of the kept rows' scores; nil while they are too few.
  func figures(of scores: Scores) -> SampleFigures? {
    guard min(scores.positives.count, scores.negatives.count) >= Self.fewest else { return nil }
    return SampleFigures(
      positives: scores.positives, negatives: scores.negatives,
      positiveShare: Double(positive.total) / Double(positive.total + negative.total),
      scale: scale)
  }

  // MARK: State

  func encode(into writer: inout StateWriter) {
    writer.write(random)
    writer.write(renewedAt)
    positive.encode(into: &writer)
    negative.encode(into: &writer)
  }

  /// - Parameter served: as of the last published version: its scores are computed anew.
  init(
    featureCount: Int, scale: ScoreScale, servedBy served: (any ModelParameters)?,
    from reader: inout StateReader
  ) throws {
    self.init(featureCount: featureCount, scale: scale, seed: 0)
    random = try reader.readRandomSource()
    renewedAt = try reader.read(Int64.self)
    try positive.restore(from: &reader, servedBy: served)
    try negative.restore(from: &reader, servedBy: served)
  }
}

/// The rows of one class in a ``LabelledSample``.
private struct LabelledClass {
  private var kept: Matrix
  /// The oldest of the kept rows, once they are as many as may be.
  private var oldest = 0
  /// What is taken in at the next comparison, and at the one after it.
  private var due: Reservoir
  private var later: Reservoir
  /// Rows that ever came.
  private(set) var total: UInt64 = 0
  /// Scores of the kept rows by the last published version.
  var served: [Float] = []

  init(size: Int, featureCount: Int) {
    kept = Matrix(columns: featureCount, capacity: size)
    due = Reservoir(size: size / 8, featureCount: featureCount)
    later = due
  }

  mutating func add(
    _ block: ScoredBlock, row: Int, isDue: Bool, _ random: inout RandomSource
  ) {
    total += 1
    if isDue {
      due.add(block, row: row, &random)
    } else {
      later.add(block, row: row, &random)
    }
  }

  mutating func renew(servedBy parameters: (any ModelParameters)?) {
    let scores = parameters.map { Self.score(due.rows, by: $0) }
    for row in 0..<due.rows.rows {
      var slot = kept.rows
      if slot < kept.stride {
        kept.resize(rows: slot + 1)
        served.append(0)
      } else {
        slot = oldest
        oldest = (oldest + 1) % kept.stride
      }
      for column in 0..<kept.columns { kept[slot, column] = due.rows[row, column] }
      served[slot] = scores?[row] ?? 0
    }
    due.removeAll()
    swap(&due, &later)
  }

  func score(by parameters: any ModelParameters) -> [Float] { Self.score(kept, by: parameters) }

  private static func score(_ rows: Matrix, by parameters: any ModelParameters) -> [Float] {
    var scores = [Float](repeating: 0, count: rows.rows)
    parameters.score(rows, into: &scores)
    return scores
  }

  func encode(into writer: inout StateWriter) {
    writer.write(kept)
    writer.write(UInt64(oldest))
    due.encode(into: &writer)
    later.encode(into: &writer)
    writer.write(total)
  }

  mutating func restore(
    from reader: inout StateReader, servedBy parameters: (any ModelParameters)?
  ) throws {
    try reader.read(into: &kept)
    oldest = try reader.readCount(limit: kept.stride - 1)
    try due.restore(from: &reader)
    try later.restore(from: &reader)
    total = try reader.read(UInt64.self)
    guard total < 1 << 62 else { throw StateError.invalid("number of labelled rows") }
    served = parameters.map(score(by:)) ?? [Float](repeating: 0, count: kept.rows)
  }
}

/// A random choice of the rows that were added (Vitter's algorithm R).
private struct Reservoir {
  private(set) var rows: Matrix
  private var arrived = 0

  init(size: Int, featureCount: Int) { rows = Matrix(columns: featureCount, capacity: size) }

  mutating func add(_ block: ScoredBlock, row: Int, _ random: inout RandomSource) {
    arrived += 1
    var slot = arrived - 1
    if slot < rows.stride {
      rows.resize(rows: arrived)
    } else {
      slot = random.below(arrived)
      guard slot < rows.stride else { return }
    }
    for column in 0..<rows.columns { rows[slot, column] = block.feature(column, row: row) }
  }

  mutating func removeAll() {
    rows.resize(rows: 0)
    arrived = 0
  }

  func encode(into writer: inout StateWriter) {
    writer.write(rows)
    writer.write(UInt64(arrived))
  }

  mutating func restore(from reader: inout StateReader) throws {
    try reader.read(into: &rows)
    arrived = try reader.readCount(limit: Int.max / 2)
    guard rows.rows == min(arrived, rows.stride) else {
      throw StateError.invalid("sample of labelled rows")
    }
  }
}

extension StateWriter {
  fileprivate mutating func write(_ matrix: Matrix) {
    write(UInt64(matrix.rows))
    for row in 0..<matrix.rows { write(matrix.row(row)) }
  }
}

extension StateReader {
  /// Fills a matrix without rows.
  fileprivate mutating func read(into matrix: inout Matrix) throws(StateError) {
    for _ in 0..<(try readCount(limit: matrix.stride)) {
      matrix.append(try readFinites(count: matrix.columns))
    }
  }
}
