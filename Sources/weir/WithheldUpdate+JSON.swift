import Features
import Files
import ModelLog

extension WithheldUpdate {
  /// As scripts read it.
  var json: JSONValue {
    .object([
      ("pipeline", .string(pipeline)), ("model", .string(model)), ("epoch", JSONValue(epoch)),
      ("served_version", JSONValue(servedVersion)), ("time", .string(EventTime.text(time))),
      ("event_time", .string(EventTime.text(eventTime))), ("code", .string(code.rawValue)),
      ("reason", .string(reason)), ("action", .string(action.rawValue)), ("rows", JSONValue(rows)),
    ])
  }

  /// As a member of the object that stands for its record.
  var members: [(String, JSONValue)] { [("withheld", json)] }
}
