import Topics

/// The embedded log: records of 200 bytes, in a new log each run.
enum TopicBenchmarks {
  static let all = [append(batch: 1, transactions: 20_000), append(batch: 256), read]

  private static let partition = TopicPartition("events")
  private static let value = (0..<200).map { UInt8(truncatingIfNeeded: $0 * 7) }

  private static func append(batch size: Int, transactions: Int = 1_024) -> Benchmark {
    let name = "append/\(size)"
    let count = size * transactions
    let summary =
      size == 1 ? "appending, a transaction a record" : "appending, \(size) records a transaction"
    return Benchmark(name: name, summary: summary) { context in
      return {
        let log = try EmbeddedLog(
          folder: try context.scratch.emptyFolder("append"), access: .readWrite)
        let writer = try log.writer(.producers, exclusive: false)
        let seconds = try seconds {
          try fill(writer, batch: size, transactions: transactions)
        }
        return [Measurement(name: name, value: Double(count) / seconds, unit: "records/s")]
      }
    }
  }

  private static let read = Benchmark.rate(
    "read/256", "records", "reading 256 records a call, checksums verified", passes: 4
  ) { context in
    let log = try EmbeddedLog(
      folder: try context.scratch.emptyFolder("read"), access: .readWrite)
    let writer = try log.writer(.producers, exclusive: false)
    try fill(writer, batch: 256, transactions: 1_024)
    let reader = try log.reader(partition, of: .producers)
    let end = try reader.endOffset()
    return (
      Int(end),
      {
        var offset: UInt64 = 0
        var bytes = 0
        while offset < end {
          offset = try reader.read(from: offset, limit: 256) { record in
            bytes += record.value.count
            return true
          }
        }
        precondition(bytes == Int(end) * value.count, "records were lost")
      }
    )
  }

  private static func fill(
    _ writer: any TopicWriter, batch size: Int, transactions: Int
  ) throws {
    var batch = RecordBatch()
    for transaction in 0..<transactions {
      batch.removeAll()
      for _ in 0..<size {
        batch.append(key: nil, value: value, timestamp: Int64(transaction))
      }
      try writer.transact { _ = try $0.append(batch, to: partition) }
    }
  }
}
