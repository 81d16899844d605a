import Foundation
import Learners
import LinearAlgebra

/// Scores a table by isolation forests with default settings: `forest-scores ROWS COLUMNS SEEDS`.
///
/// The table comes on standard input, row by row, as little-endian doubles. The forests, of the seeds
/// 1, 2, …, are fitted on all of it; their scores go to standard output as little-endian floats, all
/// rows by the first forest, then all by the second, and so on.
@main
enum ForestScores {
  static func main() {
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let input = FileHandle.standardInput.readDataToEndOfFile()
    guard numbers.count == 3, numbers.allSatisfy({ $0 > 0 }),
      input.count == 8 * numbers[0] * numbers[1]
    else {
      FileHandle.standardError.write(Data("usage: forest-scores ROWS COLUMNS SEEDS < table\n".utf8))
      exit(64)
    }
    var table = Matrix(columns: numbers[1], capacity: numbers[0])
    input.withUnsafeBytes { bytes in
      for row in 0..<numbers[0] {
        table.append(
          (0..<numbers[1]).map {
            bytes.loadUnaligned(fromByteOffset: 8 * (row * numbers[1] + $0), as: Double.self)
          })
      }
    }
    var scores = [Float](repeating: 0, count: numbers[0])
    for seed in 1...numbers[2] {
      IsolationForest.fit(table, seed: UInt64(seed))?.score(table, into: &scores)
      FileHandle.standardOutput.write(scores.withUnsafeBytes { Data($0) })
    }
  }
}
