import Learners
import Tables

/// Scores a table by isolation forests with default settings: `forest-scores ROWS COLUMNS SEEDS`.
///
/// The table comes on standard input, row by row, as little-endian doubles. The forests, of the seeds
/// 1, 2, …, are fitted on all of it; their scores go to standard output as little-endian floats, all
/// rows by the first forest, then all by the second, and so on.
@main
enum ForestScores {
  static func main() {
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard numbers.count == 3, numbers[2] > 0,
      let table = StandardStreams.readTable(rows: numbers[0], columns: numbers[1])
    else { StandardStreams.fail(usage: "forest-scores ROWS COLUMNS SEEDS < table") }
    var scores = [Float](repeating: 0, count: table.rows)
    for seed in 1...numbers[2] {
      IsolationForest.fit(table, seed: UInt64(seed))?.score(table, into: &scores)
      StandardStreams.write(scores)
    }
  }
}
