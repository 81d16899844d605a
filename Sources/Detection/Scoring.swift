import Files
import Learners
import LinearAlgebra

/// Scores rows block by block and keeps the most unusual ones with their explanation.
struct Scoring {
  /// Rows scored at once.
  static let block = 1_024

  private let features: TableFeatures
  private let top: Int
  private var block: Matrix
  private var scores: [Float]
  private(set) var detection: Detection

  init(_ features: TableFeatures, top: Int) {
    self.features = features
    self.top = top
    block = Matrix(columns: features.count, capacity: Self.block)
    scores = Array(repeating: 0, count: Self.block)
    detection = Detection(scores: Array(repeating: .nan, count: features.table.rows))
  }

  /// Scores rows, at most ``block``.
  /// - Parameter means: What stands in for missing values; nil: they stay missing.
  mutating func score(
    _ rows: Range<Int>, with parameters: some ModelParameters, means: FeatureMeans?
  ) {
    features.fill(rows, into: &block)
    if features.hasMissing { means?.fill(&block) }
    parameters.score(block, into: &scores)
    for (index, row) in rows.enumerated() {
      detection.scores[row] = scores[index]
      guard top > 0, detection.top.count < top || scores[index] > detection.top[top - 1].score
      else { continue }
      let found = UnusualRow(
        row: row, score: scores[index],
        reasons: features.explain(parameters.contributions(row: index, of: block), row: row))
      let place = detection.top.firstIndex { $0.score < found.score } ?? detection.top.count
      if detection.top.count == top { detection.top.removeLast() }
      detection.top.insert(found, at: place)
    }
  }

  /// Has rows learnt, at most ``block``.
  ///
  /// - Parameter means: Of the rows learnt so far; these are added, and stand in for what is
  ///   missing in them.
  mutating func learn(
    _ rows: Range<Int>, by learner: inout some Learner, means: inout FeatureMeans?
  ) {
    features.fill(rows, into: &block)
    if features.hasMissing {
      means?.add(block)
      means?.fill(&block)
    }
    learner.learn(block, labels: [], weights: [])
  }
}

extension TableFeatures {
  /// The contributions of features as those of columns, the largest first.
  fileprivate func explain(_ contributions: [Contribution], row: Int) -> [ColumnContribution] {
    let positive = contributions.reduce(0) { $0 + max($1.contribution, 0) }
    return contributions.sorted {
      ($0.contribution, $1.feature) > ($1.contribution, $0.feature)
    }.map {
      let column = columns[$0.feature]
      return ColumnContribution(
        column: column, contribution: $0.contribution,
        share: $0.contribution > 0 ? $0.contribution / positive : 0,
        value: table.columns[column].value(row), typical: typical($0.typical, feature: $0.feature))
    }
  }
}
