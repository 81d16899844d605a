import Features

/// Reads the records of `labels`: `{"event_id": "…", "label": 0 or 1, "time": …, "source": …}`.
/// Without a time the record's own timestamp counts.
struct LabelDecoder {
  struct Record {
    var eventID: [UInt8]
    var label: Label
    /// When the label was given, ms since 1970.
    var time: Int64
  }

  // A label has the shape of an event without values, and is refused for the same reasons.
  private static func schema(time: EventSchema.TimeField?) -> EventSchema {
    EventSchema(
      id: .init(name: "event_id", type: .category), time: time, entities: [], values: [],
      label: .init(name: "label", type: .number), maximumBytes: 4096)
  }

  private let timed = EventDecoder(schema: schema(time: .init(name: "time")), readsLabel: true)
  private let untimed = EventDecoder(schema: schema(time: nil), readsLabel: true)
  private var block = EventBlock(schema: schema(time: nil), capacity: 1)

  mutating func decode(
    _ value: UnsafeRawBufferPointer, timestamp: Int64
  ) throws(Rejection) -> Record {
    block.removeAll()
    do {
      try timed.decode(json: value, position: 0, timestamp: timestamp, into: &block)
    } catch Rejection.missing(field: "time") {
      try untimed.decode(json: value, position: 0, timestamp: timestamp, into: &block)
    }
    guard block.labels[0] >= 0 else { throw .missing(field: "label") }
    return Record(
      eventID: Array(block.id(0)), label: block.labels[0] == 1 ? .positive : .negative,
      time: block.times[0])
  }
}
