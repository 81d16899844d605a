import Features
import Testing

@Suite struct EventDecoderTests {
  static let schema = EventSchema(
    id: .init(name: "id", type: .category),
    time: .init(name: "time", aliases: ["timestamp"]),
    entities: [],
    values: [
      .init(name: "amount", type: .number),
      .init(name: "balance", type: .number, missing: .number(-1)),
      .init(name: "channel", aliases: ["Channel"], type: .category, missing: .category("none")),
    ],
    label: .init(name: "fraud", type: .number),
    maximumBytes: 500)

  func decode(_ text: String, readsLabel: Bool = true) throws -> EventBlock {
    let decoder = EventDecoder(schema: Self.schema, readsLabel: readsLabel)
    var block = EventBlock(schema: Self.schema, capacity: 4)
    try Array(text.utf8).withUnsafeBytes {
      try decoder.decode(json: $0, position: 7, timestamp: 5, into: &block)
    }
    return block
  }

  func rejection(_ text: String) -> Rejection? {
    do {
      _ = try decode(text)
      return nil
    } catch { return error as? Rejection }
  }

  @Test func readsFieldsInAnyOrderAndIgnoresOthers() throws {
    let block = try decode(
      #"{"other": {"deep": [1, {"x": null}]}, "channel": "w\u00e9b", "amount": 12.5, "time": "2018-04-01T00:00:31Z", "id": 42, "fraud": true}"#
    )
    #expect(block.count == 1)
    #expect(block.times[0] == 1_522_540_831_000)
    #expect(block.numbers[0] == 12.5)
    #expect(block.numbers[4] == -1)
    #expect(block.labels[0] == 1)
    #expect(Array(block.id(0)) == Array("42".utf8))
    #expect(block.missing.indices.filter { block.missing[$0] == 1 } == [4])
  }

  @Test func aliasesFeedTheSameField() throws {
    let block = try decode(#"{"id": "a", "timestamp": 1.5, "amount": 1, "Channel": true}"#)
    #expect(block.times[0] == 1500)
    #expect(block.missing[8] == 0)
  }

  @Test func labelsOnATopicAreIgnored() throws {
    let block = try decode(#"{"id": "a", "time": 1, "amount": 1, "fraud": 1}"#, readsLabel: false)
    #expect(block.labels[0] == -1)
  }

  @Test(arguments: [
    (#"{"id": "a", "time": 1, "amount": 1"#, "malformed"),
    (#"{"id": "a", "time": 1, "amount": 1} x"#, "malformed"),
    (#"{"id": "a", "time": 1, "amount": 1, "z": nul}"#, "malformed"),
    (#"{"id": "a", "time": 1, "amount": 1, "z": [1, 2}"#, "malformed"),
    (#"{"id": "a", "time": 1, "amount": 1, "amount": 2}"#, "malformed"),
    (#"{"id": "a", "time": 1, "amount": NaN}"#, "malformed"),
    (#"[1, 2]"#, "malformed"),
    ("", "malformed"),
    ("null", "malformed"),
    (#"{"id": "a", "time": 1, "amount": 1e39}"#, "not-finite"),
    (#"{"id": "a", "time": 1, "amount": 1e999}"#, "not-finite"),
    (#"{"id": "a", "time": 1, "amount": "12"}"#, "wrong-type"),
    (#"{"id": "a", "time": 1, "amount": true}"#, "wrong-type"),
    (#"{"id": "a", "time": 1, "amount": {}}"#, "wrong-type"),
    (#"{"id": [], "time": 1, "amount": 1}"#, "wrong-type"),
    (#"{"id": "a", "time": 1, "amount": 1, "fraud": 2}"#, "wrong-type"),
    (#"{"id": "a", "time": 1}"#, "missing-field"),
    (#"{"id": "a", "time": 1, "amount": null}"#, "missing-field"),
    (#"{"time": 1, "amount": 1}"#, "missing-field"),
    (#"{"id": "a", "amount": 1}"#, "missing-field"),
    (#"{"id": "", "time": 1, "amount": 1}"#, "bad-identifier"),
    (#"{"id": "a", "time": "yesterday", "amount": 1}"#, "unreadable-time"),
    (#"{"id": "a", "time": -5, "amount": 1}"#, "unreadable-time"),
    (#"{"id": "a", "time": true, "amount": 1}"#, "unreadable-time"),
  ])
  func refusesWithAReason(text: String, kind: String) { #expect(rejection(text)?.kind == kind) }

  @Test func refusesOversizedEventsAndInvalidUTF8() throws {
    #expect(
      rejection("{\"x\": \"" + String(repeating: "y", count: 600) + "\"}")?.kind == "oversized")
    let decoder = EventDecoder(schema: Self.schema, readsLabel: true)
    var block = EventBlock(schema: Self.schema)
    let bytes: [UInt8] =
      Array(#"{"id": ""#.utf8) + [0xff, 0xfe] + Array(#"", "time": 1, "amount": 1}"#.utf8)
    #expect(throws: Rejection.self) {
      try bytes.withUnsafeBytes {
        try decoder.decode(json: $0, position: 0, timestamp: 0, into: &block)
      }
    }
  }

  @Test func aRefusedEventLeavesTheBlockAsItWas() throws {
    let decoder = EventDecoder(schema: Self.schema, readsLabel: true)
    var block = EventBlock(schema: Self.schema, capacity: 3)
    func add(_ text: String) throws {
      try Array(text.utf8).withUnsafeBytes {
        try decoder.decode(json: $0, position: 0, timestamp: 0, into: &block)
      }
    }
    try add(#"{"id": "first", "time": 1, "amount": 1}"#)
    #expect(throws: Rejection.self) { try add(#"{"id": "refused", "time": 1}"#) }
    try add(#"{"id": "second", "time": 2, "amount": 2}"#)
    #expect(block.count == 2)
    #expect(Array(block.id(0)) == Array("first".utf8))
    #expect(Array(block.id(1)) == Array("second".utf8))
  }

  @Test func eventsWithoutIdAndTimeFieldsTakeTheirPlaceInTheStream() throws {
    let schema = EventSchema(
      id: nil, time: nil, entities: [], values: [.init(name: "x", type: .number)], label: nil)
    let decoder = EventDecoder(schema: schema, readsLabel: false)
    var block = EventBlock(schema: schema)
    try Array(#"{"x": 3}"#.utf8).withUnsafeBytes {
      try decoder.decode(json: $0, position: 123, timestamp: 456, into: &block)
    }
    #expect(Array(block.id(0)) == Array("123".utf8))
    #expect(block.times[0] == 456)
  }
}

@Suite struct EventTimeTests {
  func parse(_ text: String) -> Int64? { Array(text.utf8).withUnsafeBytes { EventTime.parse($0) } }

  @Test(
    arguments: [
      ("1970-01-01", 0), ("1970-01-01T00:00", 0), ("2018-04-01 00:00:31", 1_522_540_831_000),
      ("2000-02-29T12:34:56.789Z", 951_827_696_789),
      ("2024-12-31T23:59:59+01:00", 1_735_685_999_000),
      ("2024-12-31t23:59:59.5-0530", 1_735_709_399_500), ("2013-12-02 21:15:00", 1_386_018_900_000),
    ] as [(String, Int64)])
  func readsTimes(text: String, milliseconds: Int64) { #expect(parse(text) == milliseconds) }

  @Test(arguments: [
    "", "2018", "2018-13-01", "2018-02-29", "2018-04-01 25:00:00", "2018-04-01 00:60", "2018-4-1",
    "2018-04-01T00:00:00X", "2018-04-01 00:00:00.", "1969-12-31", "2018-04-01T00:00:00+1",
  ])
  func refusesOthers(text: String) { #expect(parse(text) == nil) }

  @Test func writesWhatItReads() {
    for time in stride(from: Int64(0), to: 4_102_444_800_000, by: 86_400_000 * 13 + 1_234_567) {
      #expect(parse(EventTime.text(time)) == time)
    }
  }
}
