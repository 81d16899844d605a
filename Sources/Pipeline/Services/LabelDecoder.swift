import Features

/// Reads the records of `labels`:
/// `{"event_id": "…", "label": 0 or 1, "time": …, "source": …, "weight": …}`.
/// A label without a time counts as given when it is read.
struct LabelDecoder {
  struct Record {
    var eventID: [UInt8]
    var label: Label
    /// When the label was given, ms since 1970; nil if it does not say.
    var time: Int64?
    var weight: Double
    var source: String?

    func given(at time: Int64) -> GivenLabel {
      GivenLabel(label, time: time, weight: weight, source: source)
    }
  }

  // A label has the shape of an event with two values, and is refused for the same reasons.
  private static func schema(time: EventSchema.TimeField?) -> EventSchema {
    EventSchema(
      id: .init(name: "event_id", type: .category), time: time, entities: [],
      values: [
        .init(name: "weight", type: .number, missing: .number(1)),
        .init(name: "source", type: .category, missing: .category("")),
      ],
      label: .init(name: "label", type: .number), maximumBytes: 4096)
  }

  private let timed = EventDecoder(schema: schema(time: .init(name: "time")), readsLabel: true)
  private let untimed = EventDecoder(schema: schema(time: nil), readsLabel: true)
  private var block = EventBlock(schema: schema(time: nil), capacity: 1)

  mutating func decode(_ value: UnsafeRawBufferPointer) throws(Rejection) -> Record {
    block.removeAll()
    var isTimed = true
    do {
      try timed.decode(json: value, position: 0, timestamp: 0, into: &block)
    } catch Rejection.missing(field: "time") {
      isTimed = false
      try untimed.decode(json: value, position: 0, timestamp: 0, into: &block)
    }
    guard block.labels[0] >= 0 else { throw .missing(field: "label") }
    let weight = block.numbers[0]
    guard weight > 0, weight <= GivenLabel.largestWeight else {
      throw .wrongType(field: "weight", expected: "a number above 0 and up to 1,000,000")
    }
    let source = String(decoding: block.category(0, 0), as: UTF8.self)
    return Record(
      eventID: Array(block.id(0)), label: block.labels[0] == 1 ? .positive : .negative,
      time: isTimed ? block.times[0] : nil, weight: weight, source: source.isEmpty ? nil : source)
  }
}
