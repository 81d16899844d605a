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
