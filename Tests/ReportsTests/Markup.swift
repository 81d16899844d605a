/// The elements of a page, read by the strict rules that XML has and HTML allows: every element is
/// closed, every attribute quoted, every `&` begins a character reference.
struct Markup {
  struct Fault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
  }

  struct Element {
    let name: String
    let attributes: [String: String]
    /// Its text and that of the elements within it.
    var text = ""
    /// The elements around it, the outermost first.
    let path: [String]
    /// The value of `viewBox` of the picture that it is in.
    var viewBox: [Double] = []
  }

  private(set) var elements: [Element] = []
  private var rest: Substring
  private var open: [Int] = []

  init(_ page: [UInt8]) throws {
    guard let text = String(validating: page, as: UTF8.self) else { throw Fault("not UTF-8") }
    rest = text[...]
    guard take("<!DOCTYPE html>") else { throw Fault("no document type") }
    while !rest.isEmpty {
      let characters = rest.prefix { $0 != "<" }
      rest = rest.dropFirst(characters.count)
      // A style sheet is no markup.
      let isStyle = open.last.map { elements[$0].name == "style" } ?? false
      let plain = isStyle ? "" : try resolved(characters)
      for index in open { elements[index].text += plain }
      if open.isEmpty, !plain.allSatisfy(\.isWhitespace) { throw Fault("text outside: \(plain)") }
      if rest.isEmpty { break }
      if take("</") { try close() } else { try begin() }
    }
    guard open.isEmpty else { throw Fault("not closed: \(elements[open.last!].name)") }
    guard elements.first?.name == "html" else { throw Fault("does not begin with html") }
  }

  func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }

  var text: String { elements[0].text }

  /// Elements and their attributes, without those in pictures, whose number depends on room.
  var shape: [String] {
    elements.filter { !$0.path.contains("svg") }.map {
      "\($0.path.joined(separator: " ")) \($0.name) \($0.attributes.keys.sorted())"
    }
  }

  private mutating func take(_ prefix: String) -> Bool {
    guard rest.hasPrefix(prefix) else { return false }
    rest = rest.dropFirst(prefix.count)
    return true
  }

  private mutating func word() throws -> String {
    let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "-" }
    guard !name.isEmpty else { throw Fault("no name: \(rest.prefix(40))") }
    rest = rest.dropFirst(name.count)
    return String(name)
  }

  private mutating func close() throws {
    let name = try word()
    guard take(">"), let index = open.popLast(), elements[index].name == name else {
      throw Fault("</\(name)> closes something else")
    }
  }

  private mutating func begin() throws {
    guard take("<") else { throw Fault("no element: \(rest.prefix(40))") }
    let name = try word()
    var attributes: [String: String] = [:]
    while true {
      rest = rest.drop(while: \.isWhitespace)
      let isClosed = take("/>")
      if isClosed || take(">") {
        var element = Element(
          name: name, attributes: attributes, path: open.map { elements[$0].name })
        element.viewBox =
          attributes["viewBox"]?.split(separator: " ").compactMap { Double($0) }
          ?? open.last.map { elements[$0].viewBox } ?? []
        elements.append(element)
        if !isClosed { open.append(elements.count - 1) }
        return
      }
      let attribute = try word()
      guard take("=\"") else { throw Fault("\(attribute) has no value in quotes") }
      let value = rest.prefix { $0 != "\"" }
      rest = rest.dropFirst(value.count)
      guard take("\""), !value.contains("<"), attributes[attribute] == nil else {
        throw Fault("the value of \(attribute)")
      }
      attributes[attribute] = try resolved(value)
    }
  }

  private func resolved(_ text: Substring) throws -> String {
    guard !text.contains(">") else { throw Fault("a loose > in \(text)") }
    var result = ""
    var rest = text
    while let start = rest.firstIndex(of: "&") {
      result += rest[..<start]
      guard let end = rest[start...].firstIndex(of: ";") else {
        throw Fault("a loose & in \(text)")
      }
      switch rest[rest.index(after: start)..<end] {
      case "amp": result += "&"
      case "lt": result += "<"
      case "gt": result += ">"
      case "quot": result += "\""
      case "#39": result += "'"
      case let name: throw Fault("unknown reference \(name)")
      }
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }
}
