import COpenBLAS

/// Rows of single precision, stored one after the other.
///
/// Where ``Matrix`` is laid out for what is done to one feature of all events, this is laid out for
/// what is done to all features of one event. The value of row `r`, column `c` is
/// `values[r * stride + c]`; rows are padded with zeros to a whole number of eights.
public struct FloatRows: Sendable {
  /// Rows in use, `0 ... capacity`.
  public private(set) var rows: Int
  /// Columns, fixed.
  public let columns: Int
  /// Distance in `values` between two rows: ``columns``, rounded up to a multiple of 8.
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
    // BLAS refuses a leading dimension of zero.
    stride = max(8, (columns + 7) & ~7)
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

  /// `result = self · otherᵀ` for some rows of `other`: the inner product of every row with each of
  /// them.
  ///
  /// - Parameters:
  ///   - other: As many columns.
  ///   - range: Rows of `other`.
  ///   - result: Room for ``rows`` rows and `range.count` columns; its number of rows is set.
  public func multiply(
    transposed other: FloatRows, rows range: Range<Int>, into result: inout FloatRows
  ) {
    precondition(
      other.columns == columns && range.lowerBound >= 0 && range.upperBound <= other.rows
        && result.capacity >= rows && result.columns >= range.count, "shapes do not fit")
    result.resize(rows: rows)
    guard rows > 0, !range.isEmpty else { return }
    OpenBLAS.prepare()
    let ldc = Int32(result.stride)
    // The padding counts as columns, of zeros: kernels are fastest on whole vectors.
    other.values.withUnsafeBufferPointer { other in
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(range.count), Int32(stride), 1,
        values, Int32(stride), other.baseAddress! + range.lowerBound * stride, Int32(stride), 0,
        &result.values, ldc)
    }
  }
}
