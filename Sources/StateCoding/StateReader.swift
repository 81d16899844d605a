/// Why bytes are not the state of something.
public enum StateError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The bytes end before the state does.
  case truncated
  /// There are bytes after the end of the state.
  case trailingBytes(Int)
  /// A format that this version does not read.
  case unknownFormat
  /// The state is sound but belongs to other settings or another number of features.
  case mismatch(String)
  /// A value that no such state can have.
  case invalid(String)

  /// One sentence.
  public var description: String {
    switch self {
    case .truncated: "the state ends too early"
    case .trailingBytes(let count): "the state is followed by \(count) bytes too many"
    case .unknownFormat: "the state has an unknown format"
    case .mismatch(let what): "the state belongs to another \(what)"
    case .invalid(let what): "the state has an impossible \(what)"
    }
  }
}

/// Reads what ``StateWriter`` wrote. Every method throws ``StateError`` and none traps, whatever the
/// bytes; a count is checked against the bytes that are left before anything is allocated.
public struct StateReader: Sendable {
  private let bytes: [UInt8]
  private var position = 0

  /// A reader at the first byte.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Bytes not yet read.
  public var remaining: Int { bytes.count - position }

  /// Reads a whole number.
  public mutating func read<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(StateError) -> T {
    let size = MemoryLayout<T>.size
    guard remaining >= size else { throw .truncated }
    let start = position
    position += size
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: T.self) }
    return T(littleEndian: value)
  }

  /// Reads a number, which may be NaN or infinite.
  public mutating func readDouble() throws(StateError) -> Double {
    Double(bitPattern: try read(UInt64.self))
  }

  /// Reads a finite number.
  public mutating func readFinite() throws(StateError) -> Double {
    let value = try readDouble()
    guard value.isFinite else { throw .invalid("number that is not finite") }
    return value
  }

  /// Reads one byte that is 0 or 1.
  public mutating func readBool() throws(StateError) -> Bool {
    switch try read(UInt8.self) {
    case 0: return false
    case 1: return true
    default: throw .invalid("truth value")
    }
  }

  /// Reads a count that is at most `limit`.
  public mutating func readCount(limit: Int) throws(StateError) -> Int {
    let count = try read(UInt64.self)
    guard count <= UInt64(max(0, limit)) else { throw .invalid("count \(count)") }
    return Int(count)
  }

  /// Reads a count and that many finite numbers; the count must be `count` where that is given.
  public mutating func readFinites(count expected: Int? = nil) throws(StateError) -> [Double] {
    let count = try readArrayCount(expected, size: 8)
    let values: [Double] = copy(count)
    guard values.allSatisfy(\.isFinite) else { throw .invalid("number that is not finite") }
    return values
  }

  /// Reads a count and that many whole numbers; the count must be `count` where that is given.
  public mutating func readArray<T: FixedWidthInteger & BitwiseCopyable>(
    of type: T.Type = T.self, count expected: Int? = nil
  ) throws(StateError) -> [T] {
    copy(try readArrayCount(expected, size: MemoryLayout<T>.size))
  }

  /// The next values, copied whole: the machine is little-endian, as the bytes. There must be so
  /// many.
  private mutating func copy<T: BitwiseCopyable>(_ count: Int) -> [T] {
    // An array made of no elements by this initializer writes its count to the empty array that all
    // threads share.
    guard count > 0 else { return [] }
    let size = count * MemoryLayout<T>.stride
    let start = position
    position += size
    return [T](unsafeUninitializedCapacity: count) { values, initialized in
      bytes.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(values).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[start..<start + size]))
      }
      initialized = count
    }
  }

  /// Reads a string.
  public mutating func readString() throws(StateError) -> String {
    guard let text = String(validating: try readArray(of: UInt8.self), as: UTF8.self) else {
      throw .invalid("text that is not UTF-8")
    }
    return text
  }

  /// Throws if bytes are left.
  public func finish() throws(StateError) {
    guard remaining == 0 else { throw .trailingBytes(remaining) }
  }

  private mutating func readArrayCount(
    _ expected: Int?, size: Int
  ) throws(StateError) -> Int {
    let count = try read(UInt64.self)
    guard count <= UInt64(remaining / size) else { throw .truncated }
    if let expected, Int(count) != expected { throw .invalid("count \(count)") }
    return Int(count)
  }
}
