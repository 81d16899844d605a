import Files
import Testing

@Suite struct JSONReadingTests {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  @Test func aDocumentComesBackAsItWasWritten() throws {
    let document = JSONValue.object([
      ("z", .array([.null, .bool(true), .bool(false), .integer(.min), .integer(.max)])),
      ("a", .array([.number(0.1), .number(-1e-300), .number(5), .number(1e300), .array([])])),
      ("", .string("\"\\/\u{8}\u{c}\n\r\t\u{1}é😀")), ("nested", .object([("b", .object([]))])),
    ])
    for pretty in [true, false] {
      let bytes = document.encode(pretty: pretty)
      #expect(try JSONValue(parsing: bytes).encode(pretty: pretty) == bytes)
    }
  }

  @Test func membersElementsAndNumbersAreFound() throws {
    let value = try parse(#" { "a" : [1, 2.5, -0, 1e2, "x"], "b": null, "c": {"d": true} } "#)
    #expect(value["a"]?.elements.map(\.double) == [1, 2.5, 0, 100, nil])
    #expect(value["a"]?.elements.map(\.integer) == [1, nil, 0, nil, nil])
    #expect(value["a"]?.elements.last?.text == "x")
    #expect(value["b"] == nil)
    #expect(value["none"] == nil)
    #expect(value.members.map(\.name) == ["a", "b", "c"])
    #expect(value["c"]?["d"]?.text == nil)
    #expect(value["a"]?["d"] == nil)
    #expect(value["c"]?.elements.isEmpty == true)
  }

  @Test func whatIsLargerThanAnIntegerIsANumber() throws {
    #expect(try parse("9223372036854775808").double == 0x1p63)
    #expect(try parse("9223372036854775808").integer == nil)
    #expect(try parse("-9223372036854775808").integer == .min)
  }

  @Test func escapesAreResolved() throws {
    #expect(
      try parse(#""\"\\\/\b\f\n\r\t\u00e9\uD83d\ude00\u0000""#).text
        == "\"\\/\u{8}\u{c}\n\r\té😀\u{0}")
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1", "[1,", "[1,]", "[1 2]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
    "{a:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "1 2", "[]]", "tru", "True",
    "nul", "nan", "+1", "01", "1.", ".5", "1e", "1e999", "-", "--1", "0x1", "\"", "\"\\", "\"\\x\"",
    "\"\\u12\"", "\"\\u+123\"", "\"\\ud800\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"",
    "\"\\udc00\"", "\"\n\"", "'a'", "// a\n1", "\u{feff}1",
  ])
  func whatIsNoDocumentIsRefused(_ text: String) {
    #expect(throws: JSONSyntaxError.self) { try parse(text) }
  }

  @Test func bytesThatAreNoTextAreRefused() {
    for bytes: [UInt8] in [
      [0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
    ] {
      #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: bytes) }
    }
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nested(128))
    #expect(throws: JSONSyntaxError.self) { try parse(nested(200)) }
    #expect(throws: JSONSyntaxError.self) {
      try parse(String(repeating: "{\"a\":", count: 1_000_000))
    }
  }

  @Test func theLineOfAFaultIsNamed() {
    let error = #expect(throws: JSONSyntaxError.self) { try parse("{\n\"a\":\n?}") }
    #expect(error?.description == "line 3: no value begins here")
  }
}
