import Learners
import Tables

/// Learns clusters in one pass with default settings: `k-means-centres ROWS COLUMNS CLUSTERS SEED`.
///
/// The table comes on standard input, row by row, as little-endian doubles. Doubles go to standard
/// output: how many seconds learning took, in blocks of 1,024 rows that were in memory; and the
/// centres, one after the other. It is learnt twice, the second time against the clock, as a process
/// that goes on does it.
@main
enum KMeansCentres {
  static func main() {
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard numbers.count == 4, numbers[2] > 0, numbers[3] >= 0,
      let table = StandardStreams.readTable(rows: numbers[0], columns: numbers[1])
    else { StandardStreams.fail(usage: "k-means-centres ROWS COLUMNS CLUSTERS SEED < table") }
    let blocks = table.blocks(of: 1_024)
    let clock = ContinuousClock()
    var output: [Double] = []
    for _ in 0..<2 {
      var learner = KMeans(
        featureCount: table.columns, options: KMeansOptions(clusters: numbers[2]),
        seed: UInt64(numbers[3]))
      let time = clock.measure { for block in blocks { learner.learn(block) } }
      output = [time / .seconds(1)] + (learner.makeParameters()?.centres ?? [])
    }
    StandardStreams.write(output)
  }
}
