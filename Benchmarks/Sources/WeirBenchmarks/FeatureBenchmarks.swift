import Features
import Files
import Learners
import LinearAlgebra
import Pipeline

/// From bytes to a matrix of features, with the schema of models/credit-card.yaml.
enum FeatureBenchmarks {
  static let all = [json, csv, compute, windows, distinct]

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
        var position: UInt64 = 0
        while try reader.next(&row) {
          if block.isFull { block.removeAll() }
          try decoder.decode(
            csv: row, binding, position: position, timestamp: 0, into: &block)
          position += 1
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

  private static let windows = figures(
    "windows/count-sum-mean", "count, sum and mean over 1, 7 and 30 days of one entity",
    [.count, .sum("amount"), .mean("amount")])

  private static let distinct = figures(
    "windows/distinct", "distinct shops over 1, 7 and 30 days of one entity", [.distinct("shop")])

  /// Windows of 5,000 cards with about two events a day each, all of which are full: each run goes on
  /// where the last one ended. What is measured is an event's way into the windows and the figures
  /// out of them; the events are decoded before.
  private static func figures(
    _ name: String, _ detail: String, _ figures: [WindowFeature.Figure]
  ) -> Benchmark {
    Benchmark(name: name, summary: detail) { _ in
      let day: Int64 = 86_400_000
      let plan = try FeaturePlan(
        figures.enumerated().map {
          .init(
            .window(.init($1, entity: ["card"], spans: [day, 7 * day, 30 * day])), name: "f\($0)")
        }, schema: CardEvents.schema)
      var events = CardEvents()
      var memory = FeatureMemory(plan, capacity: CardStream.blockSize)
      var features = Matrix(columns: plan.count, capacity: CardStream.blockSize)
      for _ in 0..<1400 { memory.compute(try events.next(), into: &features) }
      return {
        let blocks = try (0..<400).map { _ in try events.next() }
        let seconds = seconds { for block in blocks { memory.compute(block, into: &features) } }
        let rate = Double(blocks.count * CardStream.blockSize) / seconds
        return [Measurement(name: name, value: rate, unit: "events/s")]
      }
    }.withTimeEach("event")
  }
}

/// A stream of payments with 5,000 cards in 10,000 shops, one every 8.64 s.
private struct CardEvents {
  static let schema = EventSchema(
    id: .init(name: "id", type: .category), time: .init(name: "time", unit: .milliseconds),
    entities: [.init(name: "card", type: .category)],
    values: [.init(name: "amount", type: .number), .init(name: "shop", type: .category)],
    label: nil)

  private let decoder = EventDecoder(schema: schema, readsLabel: false)
  private var random = RandomSource(seed: 1)
  private var count = 0

  mutating func next() throws -> EventBlock {
    var block = EventBlock(schema: Self.schema, capacity: CardStream.blockSize)
    while !block.isFull {
      let json =
        "{\"id\":\(count),\"time\":\(1_500_000_000_000 + Int64(count) * 8_640),"
        + "\"card\":\"c\(random.next() % 5_000)\",\"shop\":\"s\(random.next() % 10_000)\","
        + "\"amount\":\(Double(random.next() % 100_000) / 100)}"
      try Array(json.utf8).withUnsafeBytes {
        try decoder.decode(json: $0, position: 0, timestamp: 0, into: &block)
      }
      count += 1
    }
    return block
  }
}

extension Context {
  /// What the schema, features and models of card transactions are taken from.
  var cardPipelineFile: String { "\(repository)/models/credit-card.yaml" }

  func cardPipeline() throws -> Pipeline { try Pipeline(path: cardPipelineFile) }
}
