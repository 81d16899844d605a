/// A JSON document, to be printed or read. Objects keep the order of their members.
public enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  /// A number, or null where there is none or it is not finite.
  public init(_ number: Double?) {
    self = number.map { $0.isFinite ? .number($0) : .null } ?? .null
  }

  /// A whole number, or null where there is none.
  public init(_ number: (some BinaryInteger)?) {
    self = number.map { .integer(Int64($0)) } ?? .null
  }

  /// A string, or null where there is none.
  public init(_ text: String?) { self = text.map { .string($0) } ?? .null }

  /// The bytes of the document.
  /// - Parameter pretty: indented over several lines; otherwise on one.
  public func encode(pretty: Bool) -> [UInt8] {
    var bytes: [UInt8] = []
    write(into: &bytes, indent: pretty ? 0 : nil)
    return bytes
  }

  private func write(into bytes: inout [UInt8], indent: Int?) {
    func line(_ depth: Int) {
      guard let indent else { return }
      bytes.append(UInt8(ascii: "\n"))
      bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * (indent + depth)))
    }
    switch self {
    case .null: bytes.append("null")
    case .bool(let value): if value { bytes.append("true") } else { bytes.append("false") }
    case .integer(let value): bytes.append(decimal: value)
    case .number(let value): bytes.append(decimal: value)
    case .string(let value): bytes.append(jsonString: value)
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        line(1)
        value.write(into: &bytes, indent: indent.map { $0 + 1 })
      }
      if !values.isEmpty { line(0) }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        line(1)
        bytes.append(jsonString: member.0)
        if indent == nil { bytes.append(UInt8(ascii: ":")) } else { bytes.append(": ") }
        member.1.write(into: &bytes, indent: indent.map { $0 + 1 })
      }
      if !members.isEmpty { line(0) }
      bytes.append(UInt8(ascii: "}"))
    }
  }
}
