/// Writes state as little-endian bytes, to be read by ``StateReader`` in the same order.
///
/// Arrays are preceded by their count as 8 bytes.
public struct StateWriter: Sendable {
  /// What has been written.
  public private(set) var bytes: [UInt8] = []

  /// A writer with nothing written.
  public init() {}

  /// Makes room for `count` more bytes.
  public mutating func reserve(_ count: Int) {
    bytes.reserveCapacity(bytes.count + count)
  }

  /// Appends the bytes of a whole number.
  public mutating func write<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends the IEEE 754 bits of a number.
  public mutating func write(_ value: Double) {
    write(value.bitPattern)
  }

  /// Appends one byte, 0 or 1.
  public mutating func write(_ value: Bool) {
    write(UInt8(value ? 1 : 0))
  }

  /// Appends a count and the numbers.
  public mutating func write(_ values: [Double]) {
    write(UInt64(values.count))
    append(values)
  }

  /// Appends a count and the whole numbers.
  public mutating func write<T: FixedWidthInteger & BitwiseCopyable>(_ values: [T]) {
    write(UInt64(values.count))
    append(values)
  }

  /// Appends a count and the UTF-8 bytes.
  public mutating func write(_ value: String) {
    write(Array(value.utf8))
  }

  /// Appends values as they lie in memory: the machine is little-endian, as the bytes.
  private mutating func append<T: BitwiseCopyable>(_ values: [T]) {
    values.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }
}
