import Files

/// The reader of JSON documents.
public struct JSONTarget: FuzzTarget {
  /// As the command line names it.
  public static let name = "json"
  /// Sound inputs to start from.
  public let seeds: [[UInt8]]
  /// Pieces that inputs are made of.
  public let tokens: [[UInt8]]

  /// The reader alone.
  public init() {
    seeds = [
      #"{"pipeline":"a","models":{"m":{"overall":{"auroc":0.5,"intervals":{"auroc":[0.4,0.6]}}}}}"#,
      #"[1, -2.5e-3, 9223372036854775807, true, false, null, "\u00e4\ud83d\ude00\"\\\/\n", {}, []]"#,
      "\n {\"a\" : [ {\"b\" :\t[ [ ] ] } ] }\r\n",
    ].map { Array($0.utf8) }
    tokens = [
      "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u0000", "\\ud800", "\\udc00", "\\\"", "\"a\":",
      "null", "true", "false", "0", "-", ".5", "1e5", "1e999", "9223372036854775808", " ", "\n",
      "\u{0}", "\u{feff}", "[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":",
    ].map { Array($0.utf8) }
  }

  /// Reads an input; what is accepted is the same when written and read again.
  public mutating func read(_ input: [UInt8]) throws -> String {
    let document: JSONValue
    do throws(JSONSyntaxError) { document = try JSONValue(parsing: input) } catch {
      return error.reason
    }
    for pretty in [true, false] {
      let text = document.encode(pretty: pretty)
      let again: JSONValue
      do throws(JSONSyntaxError) { again = try JSONValue(parsing: text) } catch {
        throw Finding("it cannot be read when written: \(error)")
      }
      try Finding.unless(again.encode(pretty: pretty) == text, "it changes when written and read")
    }
    return "accepted \(document.members.count) \(document.elements.count)"
  }
}
