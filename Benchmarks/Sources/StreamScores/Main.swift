import Learners
import LinearAlgebra
import Tables

/// Test-then-train: `stream-scores LEARNER ROWS COLUMNS BATCH [HALF-LIFE]`.
///
/// The table comes on standard input, row by row, as little-endian doubles; its last column is the
/// label, 0 or 1, which only logistic regression learns. Batches of rows are scored, then learnt. One
/// number a row goes to standard output, as little-endian doubles: the score or, for `k-means`, the
/// squared distance to the nearest centre. Settings are the defaults, except that a half-life is that
/// of all that a learner forgets by; logistic regression then has one expert. Before there is
/// a model the score is a half and the distance that to the origin.
@main
enum StreamScores {
  private static let usage = "stream-scores LEARNER ROWS COLUMNS BATCH [HALF-LIFE] < table"

  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    let numbers = words.dropFirst().prefix(3).compactMap { Int($0) }
    let halfLife = words.count > 4 ? Double(words[4]) : nil
    guard (4...5).contains(words.count), numbers.count == 3, numbers[1] > 1, numbers[2] > 0,
      words.count == 4 || halfLife != nil,
      let table = StandardStreams.readTable(rows: numbers[0], columns: numbers[1])
    else { StandardStreams.fail(usage: usage) }
    let features = table.columns - 1
    switch words[0] {
    case "logistic-regression":
      var options = LogisticRegressionOptions()
      if let halfLife {
        options.halfLives = [halfLife]
        options.standardisationHalfLife = halfLife
      }
      run(LogisticRegression(featureCount: features, options: options), table, numbers[2], score)
    case "isolation-forest":
      var options = IsolationForestOptions()
      if let halfLife { options.halfLife = halfLife }
      run(
        IsolationForest(featureCount: features, options: options, seed: 1), table, numbers[2],
        score)
    case "k-means":
      var options = KMeansOptions()
      if let halfLife {
        options.halfLife = halfLife
        options.standardisationHalfLife = halfLife
      }
      run(
        KMeans(featureCount: features, options: options, seed: 1), table, numbers[2],
        squaredDistances)
    default: StandardStreams.fail(usage: usage)
    }
  }

  /// Scores and learns batch by batch, and writes what `measure` says of each.
  private static func run<L: Learner>(
    _ learner: L, _ table: Matrix, _ batch: Int, _ measure: (L.Parameters?, Matrix) -> [Double]
  ) {
    var learner = learner
    var start = 0
    for features in table.blocks(of: batch, dropping: 1) {
      let labels = (start..<start + features.rows).map { table[$0, table.columns - 1] }
      StandardStreams.write(measure(learner.makeParameters(), features))
      learner.learn(features, labels: labels, weights: [])
      start += features.rows
    }
  }

  private static func score(_ parameters: (some ModelParameters)?, _ batch: Matrix) -> [Double] {
    var scores = [Float](repeating: 0.5, count: batch.rows)
    parameters?.score(batch, into: &scores)
    return scores.map(Double.init)
  }

  private static func squaredDistances(_ parameters: KMeansParameters?, _ batch: Matrix) -> [Double]
  {
    let centres = parameters?.centres ?? [Double](repeating: 0, count: batch.columns)
    return (0..<batch.rows).map { row in
      stride(from: 0, to: centres.count, by: batch.columns).map { centre in
        (0..<batch.columns).reduce(0) {
          let difference = batch[row, $1] - centres[centre + $1]
          return $0 + difference * difference
        }
      }.min()!
    }
  }
}
