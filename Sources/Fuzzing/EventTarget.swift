import Features
import Files
import Pipeline

/// The decoder of events, and what becomes of one that it accepts: features, block, decision.
public struct EventTarget: FuzzTarget {
  /// As the command line names it.
  public static let name = "event-json"
  /// Sound inputs to start from.
  public let seeds: [[UInt8]]
  /// Pieces that inputs are made of.
  public let tokens: [[UInt8]]

  private let pipeline: Pipeline
  private let decoder: EventDecoder
  private let decisionDecoder: EventDecoder
  private var engine: ScoringEngine
  private var block: EventBlock
  private var again: EventBlock
  private var decision: EventBlock

  /// Fields of every type, with every policy for missing ones.
  static let pipelineText = """
    pipeline: fuzz
    events:
      id: id
      time:
        field: time
        unit: milliseconds
      entities: [customer, terminal]
      fields:
        amount: number
        balance: {type: number, missing: 7.5, or: [saldo]}
        country: {type: category, missing: none}
        colour: category
      max_bytes: 20000
    label:
      field: fraud
      or: [label]
      delay: 1d
    features:
      - number: amount
      - log: amount
      - number: balance
      - missing: balance
      - one_hot: country
        categories: [DE, FR]
      - hash: colour
        buckets: 8
      - ratio: [amount, balance]
      - time: hour
      - time: weekday
    models:
      fraud: {kind: logistic-regression}
      outlier: {kind: isolation-forest}
    decisions:
      by: [fraud, outlier]
      budget: 1 %

    """

  /// The decoder of a pipeline with fields of every type.
  public init() throws {
    pipeline = try Pipeline(yaml: Self.pipelineText, path: "fuzz.yaml")
    decoder = EventDecoder(schema: pipeline.schema, readsLabel: true)
    let decided = EventSchema(
      id: .init(name: "event_id", type: .category), time: .init(name: "time"), entities: [],
      values: [.init(name: "outcome", type: .category)], label: nil)
    decisionDecoder = EventDecoder(schema: decided, readsLabel: false)
    engine = ScoringEngine(pipeline: pipeline, capacity: 1)
    block = EventBlock(schema: pipeline.schema, capacity: 1)
    again = block
    decision = EventBlock(schema: decided, capacity: 1)
    seeds = [
      #"{"id":"a1","time":1700000000000,"amount":12.5,"balance":-3e4,"country":"DE","colour":"red"}"#,
      #"{"id":17,"time":"2023-11-14T22:13:20.5+01:00","amount":0,"saldo":null,"country":true,"colour":3}"#,
      #"{"amount":1e38,"id":"\u00e4\ud83d\ude00\"\\","time":"2018-04-01 00:07:56","colour":"","fraud":1}"#,
      #"{"x":{"amount":[1,{"id":2}]},"id":"z","time":0,"amount":-0.0,"colour":"b","label":"false"}"#,
    ].map { Array($0.utf8) }
    tokens = [
      "id", "time", "amount", "balance", "saldo", "country", "colour", "fraud", "label", "\"",
      "{", "}", "[", "]", ":", ",", "null", "true", "false", "\\u0000", "\\ud800", "\\\"", "\\",
      "\"amount\":", "\"id\":", "\"time\":\"1969-12-31\"", "\"time\":\"9999-12-31T23:59:59.999Z\"",
      "\u{0}", "\u{feff}", " ", "\n", "1e5", "[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":",
    ].map { Array($0.utf8) }
  }

  /// Reads an input and checks what came of it.
  public mutating func read(_ input: [UInt8]) throws -> String {
    block.removeAll()
    do throws(Rejection) { try decode(input, into: &block) } catch {
      try Finding.unless(block.isEmpty, "a refused event stays in the block")
      // The position of an error in the text is no outcome of its own.
      return "\(error.kind) \(error.description.filter { !$0.isNumber })"
    }
    try check(block)
    again.removeAll()
    do throws(Rejection) { try decode(input, into: &again) } catch {
      throw Finding("accepted, and refused the second time: \(error)")
    }
    try Finding.unless(
      again.id(0) == block.id(0) && again.times == block.times && again.numbers == block.numbers
        && again.missing == block.missing && again.labels[0] == block.labels[0],
      "read differently the second time")
    try checkDecision()
    return "accepted \(block.missing) \(block.labels[0]) \(block.id(0).count.bitWidth)"
  }

  private func decode(_ input: [UInt8], into block: inout EventBlock) throws(Rejection) {
    let result: Result<Void, Rejection> = input.withUnsafeBytes { bytes in
      do throws(Rejection) {
        try decoder.decode(json: bytes, position: 7, timestamp: 1_000, into: &block)
        return .success(())
      } catch { return .failure(error) }
    }
    try result.get()
  }

  private func check(_ block: EventBlock) throws { try Self.check(block) }

  /// What must hold for every event that was accepted.
  static func check(_ block: EventBlock) throws {
    try Finding.unless(block.count == 1, "one event gave \(block.count)")
    try Finding.unless((1...256).contains(block.id(0).count), "identifier of \(block.id(0).count)")
    try Finding.unless((0...253_402_300_799_999).contains(block.times[0]), "time \(block.times[0])")
    try Finding.unless((-1...1).contains(block.labels[0]), "label \(block.labels[0])")
    for number in block.numbers {
      try Finding.unless(number.magnitude <= Double(Float.greatestFiniteMagnitude), "\(number)")
    }
  }

  /// The features are finite, the block of scored events can be read, and the decision is JSON that
  /// names the event by the same identifier.
  private mutating func checkDecision() throws {
    let scored = engine.score(block)
    do { _ = try ScoredBlock(bytes: scored.bytes) } catch {
      throw Finding("its block cannot be read: \(error)")
    }
    var json: [UInt8] = []
    engine.writeDecision(row: 0, of: block, into: &json)
    decision.removeAll()
    do {
      try json.withUnsafeBytes {
        try decisionDecoder.decode(json: $0, position: 0, timestamp: 0, into: &decision)
      }
    } catch {
      throw Finding(
        "its decision cannot be read: \(error): \(String(decoding: json, as: UTF8.self))")
    }
    try Finding.unless(
      decision.id(0) == block.id(0) && decision.times[0] == block.times[0],
      "its decision names another event: \(String(decoding: json, as: UTF8.self))")
  }
}
