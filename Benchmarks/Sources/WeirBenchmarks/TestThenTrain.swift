import Foundation
import Learners
import LinearAlgebra

/// Scores a stream by the logistic regression that learns it: each batch is scored, then learnt. For
/// `Benchmarks/test-then-train`, which compares the scores with those of other programs.
enum TestThenTrain {
  /// Prints one score a row.
  ///
  /// - Parameters:
  ///   - path: A file of little-endian doubles, row by row, the label (0 or 1) last.
  ///   - columns: Doubles a row.
  ///   - batch: Rows scored and learnt at a time.
  static func run(path: String, columns: Int, batch: Int) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let values = data.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
    var learner = LogisticRegression(featureCount: columns - 1)
    var scores = [Float](repeating: 0.5, count: batch)
    var block = Matrix(columns: columns - 1, capacity: batch)
    var labels: [Double] = []
    let rows = values.count / columns
    var text = ""
    for start in stride(from: 0, to: rows, by: batch) {
      block.resize(rows: 0)
      labels.removeAll(keepingCapacity: true)
      for row in start..<min(start + batch, rows) {
        block.append(values[row * columns..<(row + 1) * columns - 1])
        labels.append(values[(row + 1) * columns - 1])
      }
      learner.makeParameters()?.score(block, into: &scores)
      for score in scores.prefix(block.rows) { text += "\(score)\n" }
      learner.learn(block, labels: labels)
    }
    print(text, terminator: "")
  }
}
