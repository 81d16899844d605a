import Features
import Files
import Topics

/// A record that was refused, as it stands on `dead-letters`: its bytes, why, and where it was.
enum DeadLetter {
  /// Appends a dead letter to a batch.
  /// - Parameters:
  ///   - kind: a fixed word for counting.
  ///   - time: when it was refused, ms since 1970.
  static func append(
    _ record: RecordView, of source: TopicPartition, kind: String, reason: String, time: Int64,
    to batch: inout RecordBatch
  ) {
    var json: [UInt8] = []
    json.append("{\"topic\":")
    json.append(jsonString: source.topic)
    json.append(",\"partition\":")
    json.append(decimal: Int64(source.partition))
    json.append(",\"offset\":")
    json.append(decimal: Int64(record.offset))
    json.append(",\"time\":\"")
    EventTime.append(time, to: &json)
    json.append("\",\"kind\":")
    json.append(jsonString: kind)
    json.append(",\"reason\":")
    json.append(jsonString: reason)
    // Bytes that are text stay readable; others are kept exactly all the same.
    if String(validating: record.value, as: UTF8.self) != nil {
      json.append(",\"value\":")
      json.append(jsonString: record.value)
    } else {
      json.append(",\"value_base64\":\"")
      json.append(base64: record.value)
      json.append(UInt8(ascii: "\""))
    }
    json.append(UInt8(ascii: "}"))
    json.withUnsafeBytes { batch.append(key: record.key, value: $0, timestamp: record.timestamp) }
  }
}
