import Files
import Testing

@Suite struct JSONTextTests {
  @Test func textsComeBackAsTheyWereWritten() {
    let seed = UInt64.random(in: 0 ... .max)
    var state = seed
    for _ in 0..<500 {
      var text = ""
      for _ in 0..<20 {
        state = state &* 6_364_136_223_846_793_005 &+ 1
        let value = UInt32(truncatingIfNeeded: state >> 33) % (state % 3 == 0 ? 0x11_0000 : 0x80)
        if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
      }
      var json: [UInt8] = Array("{\"other\":1,\"text\":".utf8)
      json.append(jsonString: text)
      json += Array("}".utf8)
      #expect(JSONMembers(of: json).text(of: "text") == Array(text.utf8), "seed \(seed)")
    }
  }

  @Test func escapesOfEveryKindAreResolved() {
    let json = Array(#"{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","b":5,"c":"\u12"}"#.utf8)
    let members = JSONMembers(of: json)
    #expect(members.text(of: "a") == Array("\"\\/\u{8}\u{c}\n\r\té😀".utf8))
    #expect(members.text(of: "b") == nil)
    #expect(members.text(of: "c") == nil)
    #expect(members.text(of: "d") == nil)
  }

  @Test func base64ComesBackAsItWasWritten() {
    for count in 0..<40 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
      var text: [UInt8] = []
      bytes.withUnsafeBytes { text.append(base64: $0) }
      #expect([UInt8](base64: text) == bytes)
    }
    // The examples of RFC 4648, section 10.
    #expect([UInt8](base64: Array("Zm9vYmE=".utf8)) == Array("fooba".utf8))
    for bad in ["Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9v!mE=", "=Zg="] {
      #expect([UInt8](base64: Array(bad.utf8)) == nil, "\(bad)")
    }
  }
}
