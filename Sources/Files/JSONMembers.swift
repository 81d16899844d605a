/// The members of one JSON object as they are written, without looking into them: for passing an
/// object on with members left out.
public struct JSONMembers {
  private let members: [(name: String, text: ArraySlice<UInt8>)]

  /// Finds the members of an object.
  /// - Parameter object: bytes that a JSON parser has accepted as an object; of others the members
  ///   up to the first that makes no sense are found.
  public init(of object: [UInt8]) {
    var members: [(name: String, text: ArraySlice<UInt8>)] = []
    var index = 0
    func skip(_ stops: [UInt8]) {
      while index < object.count, stops.contains(object[index]) { index += 1 }
    }
    /// The end of the string that begins at `index`.
    func string() -> ArraySlice<UInt8> {
      let start = index
      index += 1
      while index < object.count, object[index] != UInt8(ascii: "\"") {
        index += object[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      index = min(index + 1, object.count)
      return object[start..<index]
    }
    let space = Array(" \t\r\n".utf8)
    skip(space + [UInt8(ascii: "{")])
    while index < object.count, object[index] == UInt8(ascii: "\"") {
      let name = string().dropFirst().dropLast()
      skip(space + [UInt8(ascii: ":")])
      let start = index
      var depth = 0
      while index < object.count {
        switch object[index] {
        case UInt8(ascii: "\""):
          _ = string()
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        if depth < 0 || (depth == 0 && object[index] == UInt8(ascii: ",")) { break }
        index += 1
      }
      var end = index
      while end > start, space.contains(object[end - 1]) { end -= 1 }
      members.append((String(decoding: name, as: UTF8.self), object[start..<end]))
      skip(space + [UInt8(ascii: ",")])
    }
    self.members = members
  }

  /// A member's value as text: a string without its quotes, anything else as it is written.
  public func value(of name: String) -> ArraySlice<UInt8>? {
    guard let text = members.first(where: { $0.name == name })?.text else { return nil }
    return text.first == UInt8(ascii: "\"") ? text.dropFirst().dropLast() : text
  }

  /// The bytes of a member that is a string, its escapes resolved; nil if there is no such member or
  /// it is no string.
  public func text(of name: String) -> [UInt8]? {
    guard let text = members.first(where: { $0.name == name })?.text, text.count >= 2,
      text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"")
    else { return nil }
    var rest = text.dropFirst().dropLast()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(rest.count)
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): bytes.append(0x0a)
      case UInt8(ascii: "r"): bytes.append(0x0d)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "b"): bytes.append(0x08)
      case UInt8(ascii: "f"): bytes.append(0x0c)
      case UInt8(ascii: "u"):
        guard let unit = Self.codeUnit(&rest) else { return nil }
        var units = [unit]
        if UTF16.isLeadSurrogate(unit), rest.starts(with: Array("\\u".utf8)) {
          rest = rest.dropFirst(2)
          guard let trail = Self.codeUnit(&rest) else { return nil }
          units.append(trail)
        }
        bytes += String(decoding: units, as: UTF16.self).utf8
      case let other?: bytes.append(other)
      case nil: return nil
      }
    }
    return bytes
  }

  /// Four hexadecimal digits.
  private static func codeUnit(_ rest: inout ArraySlice<UInt8>) -> UInt16? {
    let digits = rest.prefix(4)
    guard digits.count == 4 else { return nil }
    rest = rest.dropFirst(4)
    return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  /// The object with the members whose name `keep` accepts.
  public func encode(keep: (String) -> Bool) -> [UInt8] {
    var bytes = [UInt8(ascii: "{")]
    for member in members where keep(member.name) {
      if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(UInt8(ascii: "\""))
      bytes += member.name.utf8
      bytes.append(contentsOf: "\":".utf8)
      bytes += member.text
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}
