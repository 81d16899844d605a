import Features
import Files
import LinearAlgebra
import Pipeline

/// From bytes to a matrix of features, with the schema of models/credit-card.yaml.
enum FeatureBenchmarks {
  static let all = [json, csv, compute]

  private static let eventCount = 8_192

  private static let json = Benchmark.rate(
    "decode/json", "events", "JSON events of 488 bytes and 30 numbers into blocks of 256",
    passes: 16
  ) { context in
    let pipeline = try context.cardPipeline()
    let events = context.stream.jsonEvents(eventCount)
    let decoder = EventDecoder(schema: pipeline.schema, readsLabel: false)
    var block = EventBlock(schema: pipeline.schema, capacity: CardStream.blockSize)
    return (
      events.count,
      { try decode(events, decoder, into: &block) }
    )
  }.withTimeEach("event")

  /// Decodes events into a block that is emptied whenever it is full.
  static func decode(
    _ events: [[UInt8]], _ decoder: EventDecoder, into block: inout EventBlock
  ) throws {
    for (index, event) in events.enumerated() {
      if block.isFull { block.removeAll() }
      try event.withUnsafeBytes {
        try decoder.decode(json: $0, position: UInt64(index), timestamp: 0, into: &block)
      }
    }
  }

  private static let csv = Benchmark.rate(
    "decode/csv", "events", "a CSV file of the same events, read and decoded", passes: 8
  ) { context in
    let pipeline = try context.cardPipeline()
    let count = 2 * eventCount
    let file = try context.scratch.write(
      context.stream.csv(count, label: false), to: "events.csv")
    let decoder = EventDecoder(schema: pipeline.schema, readsLabel: false)
    var block = EventBlock(schema: pipeline.schema, capacity: CardStream.blockSize)
    return (
      count,
      {
        var reader = try CSVReader(GzipInput(path: file))
        let binding = try decoder.bind(header: reader.header, of: file)
        var row = CSVRow()
        while try reader.next(&row) {
          if block.isFull { block.removeAll() }
          try decoder.decode(
            csv: row, binding, position: reader.rowNumber, timestamp: 0, into: &block)
        }
      }
    )
  }.withTimeEach("event")

  private static let compute = Benchmark.rate(
    "features/compute", "events", "29 features, one of them a logarithm, of a block of 256",
    passes: 20_000
  ) { context in
    let pipeline = try context.cardPipeline()
    let decoder = EventDecoder(schema: pipeline.schema, readsLabel: false)
    var block = EventBlock(schema: pipeline.schema, capacity: CardStream.blockSize)
    try decode(context.stream.jsonEvents(block.capacity), decoder, into: &block)
    var features = Matrix(columns: pipeline.plan.count, capacity: block.capacity)
    var memory = FeatureMemory(pipeline.plan, capacity: block.capacity)
    return (block.count, { memory.compute(block, into: &features) })
  }
}

extension Context {
  /// Where models/credit-card.yaml lies.
  var cardPipelineFile: String { "\(repository)/models/credit-card.yaml" }

  func cardPipeline() throws -> Pipeline { try Pipeline(path: cardPipelineFile) }
}
