import COpenBLAS

/// Rows of single precision, stored one after the other.
///
/// Where ``Matrix`` is laid out for what is done to one feature of all events, this is laid out for
/// what is done to all features of one event. The value of row `r`, column `c` is
/// `values[r * stride + c]`; rows are padded with zeros to a whole number of eights.
public struct FloatRows: Sendable {
  /// Columns of a product computed at a time.
  private static let block = 256

  /// Rows in use, `0 ... capacity`.
  public private(set) var rows: Int
  /// Columns, fixed.
  public let columns: Int
  /// Distance in `values` between two rows: ``columns``, rounded up to a multiple of 8, or a little
  /// more.
  public let stride: Int
  /// Largest number of rows.
  public let capacity: Int
  /// `capacity * stride` values. The count must not be changed, nor the padding of a row in use.
  public var values: [Float]

  /// No rows.
  ///
  /// - Parameters:
  ///   - columns: Number of columns, 0 or more.
  ///   - capacity: Largest number of rows, 0 or more.
  public init(columns: Int, capacity: Int) {
    precondition(columns >= 0 && capacity >= 0, "a matrix needs non-negative dimensions")
    rows = 0
    self.columns = columns
    // BLAS refuses a leading dimension of zero. With one of a power of two, the values of a column
    // would all compete for the same few places in the processor's cache.
    let eights = max(8, (columns + 7) & ~7)
    stride = eights % 128 == 0 ? eights + 16 : eights
    self.capacity = capacity
    values = [Float](repeating: 0, count: capacity * stride)
  }

  /// Sets the number of rows in use. Rows that come into use hold what was last stored there, 0 at
  /// first.
  public mutating func resize(rows: Int) {
    precondition(rows >= 0 && rows <= capacity, "rows beyond the capacity")
    self.rows = rows
  }

  /// Sets all values to zero.
  public mutating func clear() {
    values.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
  }

  /// Writes the first columns as rows.
  ///
  /// - Parameters:
  ///   - count: Columns to write.
  ///   - result: Room for `count` rows and ``rows`` columns; its number of rows is set.
  public func transpose(columns count: Int, into result: inout FloatRows) {
    precondition(
      count >= 0 && count <= columns && result.capacity >= count && result.columns >= rows,
      "shapes do not fit")
    result.resize(rows: count)
    let stride = stride
    let step = result.stride
    // Four by four, so that neither reading nor writing jumps. What is read past the last column is
    // not written; what is written past the last row is padding, which stays 0.
    values.withUnsafeBufferPointer { source in
      result.values.withUnsafeMutableBufferPointer { target in
        for first in Swift.stride(from: 0, to: rows, by: 4) {
          let lanes = rows &- first
          var from = first &* stride
          var to = first
          for column in Swift.stride(from: 0, to: count, by: 4) {
            let a = source.four(at: from)
            let b = lanes > 1 ? source.four(at: from &+ stride) : .zero
            let c = lanes > 2 ? source.four(at: from &+ 2 &* stride) : .zero
            let d = lanes > 3 ? source.four(at: from &+ 3 &* stride) : .zero
            let ab = (SIMD4(a[0], b[0], a[1], b[1]), SIMD4(a[2], b[2], a[3], b[3]))
            let cd = (SIMD4(c[0], d[0], c[1], d[1]), SIMD4(c[2], d[2], c[3], d[3]))
            target.storeFour(SIMD4(lowHalf: ab.0.lowHalf, highHalf: cd.0.lowHalf), at: to)
            let height = count &- column
            if height > 1 {
              let second = SIMD4(lowHalf: ab.0.highHalf, highHalf: cd.0.highHalf)
              target.storeFour(second, at: to &+ step)
            }
            if height > 2 {
              let third = SIMD4(lowHalf: ab.1.lowHalf, highHalf: cd.1.lowHalf)
              target.storeFour(third, at: to &+ 2 &* step)
            }
            if height > 3 {
              let fourth = SIMD4(lowHalf: ab.1.highHalf, highHalf: cd.1.highHalf)
              target.storeFour(fourth, at: to &+ 3 &* step)
            }
            from &+= 4
            to &+= 4 &* step
          }
        }
      }
    }
  }

  /// `result = self · other` for some columns of `other`.
  ///
  /// - Parameters:
  ///   - other: As many rows as there are columns here.
  ///   - range: Columns of `other`.
  ///   - result: Room for ``rows`` rows and `range.count` columns; its number of rows is set.
  public func multiply(
    _ other: FloatRows, columns range: Range<Int>, into result: inout FloatRows
  ) {
    precondition(
      other.rows == columns && range.lowerBound >= 0 && range.upperBound <= other.columns
        && result.capacity >= rows && result.columns >= range.count, "shapes do not fit")
    result.resize(rows: rows)
    guard rows > 0, !range.isEmpty else { return }
    guard columns > 0 else { return result.clear() }
    OpenBLAS.prepare()
    let ldb = Int32(other.stride)
    let ldc = Int32(result.stride)
    // Small products are computed where their factors lie, large ones from copies of them.
    other.values.withUnsafeBufferPointer { other in
      result.values.withUnsafeMutableBufferPointer { result in
        for start in Swift.stride(from: 0, to: range.count, by: Self.block) {
          cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows),
            Int32(min(Self.block, range.count - start)), Int32(columns), 1, values, Int32(stride),
            other.baseAddress! + range.lowerBound + start, ldb, 0,
            result.baseAddress! + start, ldc)
        }
      }
    }
  }
}

extension UnsafeBufferPointer<Float> {
  /// Four neighbours, which must exist.
  @inline(__always)
  fileprivate func four(at place: Int) -> SIMD4<Float> {
    UnsafeRawPointer(baseAddress! + place).loadUnaligned(as: SIMD4<Float>.self)
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// Overwrites four neighbours, which must exist.
  @inline(__always)
  fileprivate func storeFour(_ value: SIMD4<Float>, at place: Int) {
    UnsafeMutableRawPointer(baseAddress! + place).storeBytes(of: value, as: SIMD4<Float>.self)
  }
}
