import Features
import Files
import Topics

/// Something that was refused, as it stands on `dead-letters`: its bytes, why, and where it was.
public struct DeadLetter: Sendable, Equatable {
  /// Where it came from.
  public enum Source: Sendable, Equatable, CustomStringConvertible {
    /// A record of a topic.
    case record(TopicPartition, offset: UInt64)
    /// A row of a file that was no row of its format, counted from 0.
    case row(UInt64, of: String)

    /// `events 17` or `history.csv row 17`.
    public var description: String {
      switch self {
      case .record(let partition, let offset): "\(partition.topic) \(offset)"
      case .row(let row, let file): "\(file) row \(row)"
      }
    }
  }

  /// Where it came from.
  public var source: Source
  /// When it was refused, ms since 1970.
  public var time: Int64
  /// A fixed word for counting.
  public var kind: String
  /// One sentence.
  public var reason: String
  /// The bytes as they came.
  public var value: [UInt8]

  /// Appends the dead letter of a record to a batch.
  static func append(
    _ record: RecordView, of topic: TopicPartition, refused: Rejection, time: Int64,
    to batch: inout RecordBatch
  ) {
    let letter = DeadLetter(
      source: .record(topic, offset: record.offset), time: time, kind: refused.kind,
      reason: refused.description, value: Array(record.value))
    let json = letter.encode()
    json.withUnsafeBytes { batch.append(key: record.key, value: $0, timestamp: record.timestamp) }
  }

  /// Appends the dead letter of a row that is none to a batch.
  static func append(
    row: UInt64, of file: String, value: [UInt8], reason: String, time: Int64,
    to batch: inout RecordBatch
  ) {
    let letter = DeadLetter(
      source: .row(row, of: file), time: time, kind: Rejection.malformed(reason).kind,
      reason: reason, value: value)
    batch.append(key: nil, value: letter.encode(), timestamp: time)
  }

  // MARK: JSON

  private func encode() -> [UInt8] {
    var json: [UInt8] = []
    switch source {
    case .record(let partition, let offset):
      json.append("{\"topic\":")
      json.append(jsonString: partition.topic)
      json.append(",\"partition\":")
      json.append(decimal: Int64(partition.partition))
      json.append(",\"offset\":")
      json.append(decimal: Int64(offset))
    case .row(let row, let file):
      json.append("{\"file\":")
      json.append(jsonString: file)
      json.append(",\"row\":")
      json.append(decimal: Int64(row))
    }
    json.append(",\"time\":\"")
    EventTime.append(time, to: &json)
    json.append("\",\"kind\":")
    json.append(jsonString: kind)
    json.append(",\"reason\":")
    json.append(jsonString: reason)
    // Bytes that are text stay readable; others are kept exactly all the same.
    if let text = String(validating: value, as: UTF8.self) {
      json.append(",\"value\":")
      json.append(jsonString: text)
    } else {
      json.append(",\"value_base64\":\"")
      value.withUnsafeBytes { json.append(base64: $0) }
      json.append(UInt8(ascii: "\""))
    }
    json.append(UInt8(ascii: "}"))
    return json
  }

  /// Reads a record of `dead-letters`; nil if it is none.
  init?(json: [UInt8]) {
    let members = JSONMembers(of: json)
    func text(_ name: String) -> String? {
      members.text(of: name).map { String(decoding: $0, as: UTF8.self) }
    }
    func number(_ name: String) -> UInt64? {
      members.value(of: name).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
    }
    if let topic = text("topic"), let offset = number("offset") {
      let partition = number("partition").flatMap(Int.init(exactly:)) ?? 0
      source = .record(TopicPartition(topic, partition: partition), offset: offset)
    } else if let file = text("file"), let row = number("row") {
      source = .row(row, of: file)
    } else {
      return nil
    }
    guard let kind = text("kind"), let reason = text("reason"),
      let time = members.text(of: "time")?.withUnsafeBytes({ EventTime.parse($0) }),
      let value = members.text(of: "value")
        ?? members.text(of: "value_base64").flatMap([UInt8].init(base64:))
    else { return nil }
    self.time = time
    self.kind = kind
    self.reason = reason
    self.value = value
  }

  private init(source: Source, time: Int64, kind: String, reason: String, value: [UInt8]) {
    self.source = source
    self.time = time
    self.kind = kind
    self.reason = reason
    self.value = value
  }
}
