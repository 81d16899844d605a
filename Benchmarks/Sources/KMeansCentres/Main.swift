import Learners
import Tables

/// Learns clusters in one pass with default settings: `k-means-centres ROWS COLUMNS CLUSTERS SEEDS`.
///
/// The table comes on standard input, row by row, as little-endian doubles. For each of the seeds 1,
/// 2, …, doubles go to standard output: how many seconds learning took, in blocks of 1,024 rows that
/// were in memory; the number of centres; and the centres, one after the other.
@main
enum KMeansCentres {
  static func main() {
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard numbers.count == 4, numbers[2] > 0, numbers[3] > 0,
      let table = StandardStreams.readTable(rows: numbers[0], columns: numbers[1])
    else { StandardStreams.fail(usage: "k-means-centres ROWS COLUMNS CLUSTERS SEEDS < table") }
    let blocks = table.blocks(of: 1_024)
    for seed in 1...numbers[3] {
      var learner = KMeans(
        featureCount: table.columns, options: KMeansOptions(clusters: numbers[2]),
        seed: UInt64(seed))
      let clock = ContinuousClock()
      let time = clock.measure { for block in blocks { learner.learn(block) } }
      let centres = learner.makeParameters()?.centres ?? []
      StandardStreams.write([time / .seconds(1), Double(centres.count / table.columns)] + centres)
    }
  }
}
