import Glibc
import LinearAlgebra

/// The features of a pipeline, bound to the columns of its events. Computes whole blocks, a
/// feature at a time.
public struct FeaturePlan: Sendable {
  /// A name a column of the feature matrix.
  public let names: [String]

  private let steps: [Step]

  private enum Step {
    case number(Int)
    case log(Int)
    case difference(Int, Int)
    case ratio(Int, Int)
    case hour
    case weekday
    case night(Int)
    case weekend
    case oneHot(Int, [[UInt8]])
    case hashed(Int, Int)
    case isMissing(Int)
  }

  /// Binds definitions to a schema.
  /// - Throws: `FeatureError` for a field that is not in the schema, has the wrong type, or a name
  ///   that is used twice.
  public init(_ definitions: [FeatureDefinition], schema: EventSchema) throws(FeatureError) {
    var steps: [Step] = []
    var names: [String] = []
    let numbers = schema.values.filter { $0.type == .number }.map(\.name)
    let categories = schema.values.filter { $0.type == .category }.map(\.name)
    for (index, definition) in definitions.enumerated() {
      func find(_ name: String, in list: [String], _ what: String) throws(FeatureError) -> Int {
        if let found = list.firstIndex(of: name) { return found }
        let other = schema.values.contains { $0.name == name }
        throw FeatureError(
          feature: index,
          description: other
            ? "'\(name)' is not a \(what)"
            : "there is no field '\(name)'" + nearestName(to: name, in: list))
      }
      func number(_ name: String) throws(FeatureError) -> Int {
        try find(name, in: numbers, "number")
      }
      func category(_ name: String) throws(FeatureError) -> Int {
        try find(name, in: categories, "category")
      }
      let step: Step =
        switch definition.operation {
        case .number(let a): .number(try number(a))
        case .log(let a): .log(try number(a))
        case .difference(let a, let b): .difference(try number(a), try number(b))
        case .ratio(let a, let b): .ratio(try number(a), try number(b))
        case .hour: .hour
        case .weekday: .weekday
        case .night(let hour): .night(hour)
        case .weekend: .weekend
        case .oneHot(let a, let list): .oneHot(try category(a), list.map { Array($0.utf8) })
        case .hashed(let a, let buckets): .hashed(try category(a), buckets)
        case .isMissing(let a):
          .isMissing(try find(a, in: schema.values.map(\.name), "field"))
        }
      steps.append(step)
      for name in definition.columnNames {
        guard !names.contains(name) else {
          throw FeatureError(
            feature: index, description: "two features have the name '\(name)'; give one a 'name'")
        }
        names.append(name)
      }
    }
    self.steps = steps
    self.names = names
  }

  /// Number of columns.
  public var count: Int { names.count }

  /// Computes the features of a block's events.
  /// - Parameter features: gets as many rows as the block has events; must have `count` columns and
  ///   room for the rows. Every value is finite and within Float32's range.
  public func compute(_ block: EventBlock, into features: inout Matrix) {
    features.resize(rows: block.count)
    let rows = block.count
    let stride = features.stride
    let capacity = block.capacity
    block.numbers.withUnsafeBufferPointer { numbers in
      block.times.withUnsafeBufferPointer { times in
        features.values.withUnsafeMutableBufferPointer { out in
          var column = 0
          for step in steps {
            let base = column * stride
            column += 1
            switch step {
            case .number(let a):
              for row in 0..<rows { out[base + row] = numbers[a * capacity + row] }
            case .log(let a):
              for row in 0..<rows {
                let x = numbers[a * capacity + row]
                out[base + row] = x < 0 ? -log1p(-x) : log1p(x)
              }
            case .difference(let a, let b):
              for row in 0..<rows {
                out[base + row] = bounded(numbers[a * capacity + row] - numbers[b * capacity + row])
              }
            case .ratio(let a, let b):
              for row in 0..<rows {
                let divisor = numbers[b * capacity + row]
                out[base + row] = divisor == 0 ? 0 : bounded(numbers[a * capacity + row] / divisor)
              }
            case .hour:
              for row in 0..<rows { out[base + row] = Double(EventTime.hour(times[row])) }
            case .weekday:
              for row in 0..<rows { out[base + row] = Double(EventTime.weekday(times[row])) }
            case .night(let through):
              for row in 0..<rows {
                out[base + row] = EventTime.hour(times[row]) <= through ? 1 : 0
              }
            case .weekend:
              for row in 0..<rows { out[base + row] = EventTime.weekday(times[row]) >= 5 ? 1 : 0 }
            case .oneHot(let field, let list):
              for (index, category) in list.enumerated() {
                for row in 0..<rows {
                  let equal = block.category(field, row).elementsEqual(category)
                  out[base + index * stride + row] = equal ? 1 : 0
                }
              }
              column += list.count - 1
            case .hashed(let field, let buckets):
              for index in 0..<(buckets * stride) { out[base + index] = 0 }
              for row in 0..<rows {
                let bucket = Int(stableHash(block.category(field, row)) % UInt64(buckets))
                out[base + bucket * stride + row] = 1
              }
              column += buckets - 1
            case .isMissing(let value):
              for row in 0..<rows {
                out[base + row] = Double(block.missing[value * capacity + row])
              }
            }
          }
        }
      }
    }
  }
}

/// Differences and ratios of numbers within Float32's range may leave it; they stop at its ends.
@inline(__always)
private func bounded(_ value: Double) -> Double {
  let limit = Double(Float.greatestFiniteMagnitude)
  return min(max(value, -limit), limit)
}

/// FNV-1a with a final mix: the same on every machine and in every run, unlike `Hasher`.
@inlinable
public func stableHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  hash ^= hash >> 32
  hash = hash &* 0xd6e8_feb8_6659_fd93
  return hash ^ (hash >> 32)
}

/// `; did you mean 'x'?` for the nearest of `names`, or nothing if none is near.
public func nearestName(to wrong: String, in names: [String]) -> String {
  func distance(_ a: [Character], _ b: [Character]) -> Int {
    var previous = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var current = [i + 1]
      for (j, right) in b.enumerated() {
        current.append(
          min(previous[j + 1] + 1, current[j] + 1, previous[j] + (left == right ? 0 : 1)))
      }
      previous = current
    }
    return previous[b.count]
  }
  let target = Array(wrong.lowercased())
  let scored = names.map { ($0, distance(target, Array($0.lowercased()))) }
  guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(2, target.count / 2) else {
    return ""
  }
  return "; did you mean '\(best.0)'?"
}
