import ArgumentParser
import Files
import Glibc
import Learners
import Pipeline
import Topics

/// The producer of the measurements: a process of its own.
struct Emit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Appends transactions at a steady rate, each stamped with the time of its append.",
    discussion: """
      A transaction's identifier is its append's time on the monotonic clock, in nanoseconds; \
      labels follow ten minutes of event time later.
      """, shouldDisplay: false)

  @Option var topics: String
  @Option(help: "Events a second.") var rate: Int
  @Option(help: "Events a commit.") var piece: Int
  @Option(help: "Event time passes so many times faster than the clock.") var speed: Int
  @Option var seconds: Double
  @Option var seed: UInt64 = 1

  /// From an event to its label, ms of event time.
  static let labelDelay: Int64 = 600_000

  func run() throws {
    let log = try EmbeddedLog(folder: topics, access: .readWrite)
    let writer = try log.writer(PipelineTopics.producers, exclusive: false)
    var random = RandomSource(seed: seed)
    var events = RecordBatch()
    var labels = RecordBatch()
    var waiting: [(id: Int64, isFraud: Bool, due: Int64)] = []
    var given = 0
    var count = 0
    let started = monotonicNanoseconds()
    let firstTime = try continuedTime(log)
    var json: [UInt8] = []
    while Double(monotonicNanoseconds() - started) * 1e-9 < seconds {
      let due = started + Int64(count) * 1_000_000_000 / Int64(rate)
      let ahead = due - monotonicNanoseconds()
      // A sleep ends some 50 µs late, so short ones are left out.
      if ahead > 60_000 { usleep(UInt32(ahead / 1000 - 50)) }
      while monotonicNanoseconds() < due {}
      let time = firstTime + (due - started) / 1_000_000 * Int64(speed)
      events.removeAll()
      labels.removeAll()
      let stamp = monotonicNanoseconds()
      for index in 0..<piece {
        let id = stamp + Int64(index)
        let isFraud = random.below(100) == 0
        let amount = (isFraud ? 200 : 40) * (0.5 + random.uniform())
        json.removeAll(keepingCapacity: true)
        json.append("{\"TRANSACTION_ID\":")
        json.append(decimal: id)
        json.append(",\"TX_DATETIME\":")
        json.append(decimal: Double(time) / 1000)
        json.append(",\"CUSTOMER_ID\":")
        json.append(decimal: Int64(random.below(5_000)))
        json.append(",\"TX_AMOUNT\":")
        json.append(decimal: amount)
        json.append(UInt8(ascii: "}"))
        events.append(key: nil, value: json, timestamp: time)
        waiting.append((id, isFraud, time + Self.labelDelay))
      }
      while given < waiting.count, waiting[given].due <= time {
        let label = waiting[given]
        given += 1
        json.removeAll(keepingCapacity: true)
        json.append("{\"event_id\":")
        json.append(decimal: label.id)
        json.append(",\"label\":")
        json.append(decimal: Int64(label.isFraud ? 1 : 0))
        json.append(",\"time\":")
        json.append(decimal: Double(label.due) / 1000)
        json.append(UInt8(ascii: "}"))
        labels.append(key: nil, value: json, timestamp: label.due)
      }
      if given > 1 << 16 {
        waiting.removeFirst(given)
        given = 0
      }
      try writer.transact { transaction in
        try transaction.append(events, to: PipelineTopics.events)
        try transaction.append(labels, to: PipelineTopics.labels)
      }
      count += piece
    }
  }

  /// Event time goes on where the last event of the topic stood.
  private func continuedTime(_ log: EmbeddedLog) throws -> Int64 {
    let last = try log.describe().first { $0.partition == PipelineTopics.events }?.maximumTimestamp
    return last ?? 1_700_000_000_000
  }
}
