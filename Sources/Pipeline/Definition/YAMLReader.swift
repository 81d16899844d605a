import Features
import Yams

/// Everything that is wrong with a pipeline file.
public struct PipelineFileError: Error, CustomStringConvertible {
  /// One thing that is wrong.
  public struct Problem: Sendable, Equatable {
    /// From 1; nil if the file as a whole is meant.
    public let line: Int?
    /// One sentence, with the nearest valid name where there is one.
    public let message: String
  }

  /// The file, as the caller named it.
  public let path: String
  /// In the order of the file.
  public let problems: [Problem]

  init(path: String, problems: [Problem]) {
    self.path = path
    self.problems = problems.sorted { ($0.line ?? 0, $0.message) < ($1.line ?? 0, $1.message) }
  }

  /// A line a problem: path, line number, message.
  public var description: String {
    problems.map { problem in
      "\(path):" + (problem.line.map { "\($0): " } ?? " ") + problem.message
    }.joined(separator: "\n")
  }
}

/// Collects problems while a file is read, so that all are reported at once.
final class ProblemList {
  private(set) var problems: [PipelineFileError.Problem] = []

  func add(_ node: Node?, _ message: String) {
    problems.append(.init(line: node?.mark?.line, message: message))
  }
}

/// A mapping of a YAML file that knows which keys were asked for.
struct YAMLMap {
  let node: Node
  let name: String
  private let entries: [(key: String, keyNode: Node, value: Node)]
  let problems: ProblemList

  /// Nil, with a problem noted, if the node is no mapping or has a key twice.
  init?(_ node: Node, _ name: String, _ problems: ProblemList) {
    guard let mapping = node.mapping else {
      problems.add(node, "\(name) must be a mapping (key: value)")
      return nil
    }
    self.node = node
    self.name = name
    self.problems = problems
    entries = mapping.map { ($0.key.string ?? "", $0.key, $0.value) }
    for (index, entry) in entries.enumerated()
    where entries[..<index].contains(where: { $0.key == entry.key }) {
      problems.add(entry.keyNode, "'\(entry.key)' is given twice")
    }
  }

  /// The keys in the file's order.
  var keys: [(name: String, node: Node, value: Node)] {
    entries.map { ($0.key, $0.keyNode, $0.value) }
  }

  subscript(key: String) -> Node? { entries.first { $0.key == key }?.value }

  /// Notes a problem for each key that is none of `known`.
  func allow(_ known: [String]) {
    for entry in entries where !known.contains(entry.key) {
      problems.add(
        entry.keyNode,
        "unknown key '\(entry.key)' in \(name)" + nearestName(to: entry.key, in: known))
    }
  }

  /// The value of a key that must be there.
  func required(_ key: String) -> Node? {
    if let value = self[key] { return value }
    problems.add(node, "\(name) has no '\(key)'")
    return nil
  }

  func text(_ key: String) -> String? {
    guard let value = self[key] else { return nil }
    return text(of: value, "'\(key)'")
  }

  func text(of value: Node, _ what: String) -> String? {
    guard let text = value.string, !text.isEmpty else {
      problems.add(value, "\(what) must be a word")
      return nil
    }
    return text
  }

  func texts(_ key: String) -> [String]? {
    guard let value = self[key] else { return nil }
    guard let sequence = value.sequence, !sequence.isEmpty else {
      if let one = value.string, !one.isEmpty { return [one] }
      problems.add(value, "'\(key)' must be a list of words")
      return nil
    }
    return sequence.compactMap { text(of: $0, "an entry of '\(key)'") }
  }

  func number(_ key: String) -> Double? {
    guard let value = self[key] else { return nil }
    guard let number = value.decimal, abs(number) <= Double(Float.greatestFiniteMagnitude) else {
      problems.add(value, "'\(key)' must be a number in Float32's range")
      return nil
    }
    return number
  }

  func numbers(_ key: String) -> [Double]? {
    guard let value = self[key] else { return nil }
    let numbers = value.sequence?.compactMap(\.decimal)
    guard let numbers, numbers.count == value.sequence?.count, !numbers.isEmpty else {
      problems.add(value, "'\(key)' must be a list of numbers")
      return nil
    }
    return numbers
  }

  /// A whole number; where what makes sense is checked elsewhere, the range may be left out.
  func integer(_ key: String, in range: ClosedRange<Int>? = nil) -> Int? {
    guard let value = self[key] else { return nil }
    guard let number = value.integer, range?.contains(number) ?? true else {
      let bounds = range.map { " from \($0.lowerBound) to \($0.upperBound)" } ?? ""
      problems.add(value, "'\(key)' must be a whole number\(bounds)")
      return nil
    }
    return number
  }

  func truth(_ key: String) -> Bool? {
    guard let value = self[key] else { return nil }
    switch value.string {
    case "true", "yes": return true
    case "false", "no": return false
    default:
      problems.add(value, "'\(key)' must be yes or no")
      return nil
    }
  }

  func duration(_ key: String) -> Int64? {
    guard let value = self[key] else { return nil }
    guard let text = value.string, let duration = DurationText.parse(text) else {
      problems.add(value, "'\(key)' must be a length of time such as 500ms, 30s, 15m, 6h or 7d")
      return nil
    }
    return duration
  }

  func choice<T: CaseIterable & RawRepresentable>(_ key: String, _ type: T.Type) -> T?
  where T.RawValue == String {
    guard let value = self[key], let text = text(key) else { return nil }
    if let choice = T(rawValue: text) { return choice }
    let names = T.allCases.map(\.rawValue)
    problems.add(
      value,
      "'\(key)' must be one of \(names.joined(separator: ", "))" + nearestName(to: text, in: names))
    return nil
  }
}

extension Node {
  /// Digits may be grouped by underscores. Numbers to the base of 60, as YAML 1.1 has them, are none:
  /// Yams reads them, and a large one ends the program.
  private var digits: String? { string.map { $0.filter { $0 != "_" } } }

  fileprivate var integer: Int? { digits.flatMap { Int($0) } }

  /// Finite.
  fileprivate var decimal: Double? {
    digits.flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
  }
}
