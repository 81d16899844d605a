/// A block of events: rows are events, columns are features, stored column by column.
///
/// The value of row `r`, column `c` is `values[c * stride + r]`. The row capacity is fixed when the
/// matrix is made, so that a block can be filled again and again without allocating.
public struct Matrix: Sendable {
  /// Rows in use, `0 ... stride`.
  public private(set) var rows: Int
  /// Columns, fixed.
  public let columns: Int
  /// Row capacity: the distance in `values` between two columns of the same row.
  public let stride: Int
  /// `columns * stride` values; those of rows past ``rows`` mean nothing. The count must not be
  /// changed.
  public var values: [Double]

  /// An empty matrix.
  ///
  /// - Parameters:
  ///   - columns: Number of columns, 0 or more.
  ///   - capacity: Largest number of rows, 0 or more.
  public init(columns: Int, capacity: Int) {
    precondition(columns >= 0 && capacity >= 0, "a matrix needs non-negative dimensions")
    self.rows = 0
    self.columns = columns
    // LAPACK and BLAS refuse a leading dimension of zero.
    self.stride = max(capacity, 1)
    self.values = [Double](repeating: 0, count: columns * stride)
  }

  /// A full matrix from its rows, all of the same length.
  public init(rows: [[Double]]) {
    self.init(columns: rows.first?.count ?? 0, capacity: rows.count)
    for row in rows {
      append(row)
    }
  }

  /// The value at a row and a column.
  @inlinable
  public subscript(row: Int, column: Int) -> Double {
    get {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns, "index out of range")
      return values[column * stride + row]
    }
    set {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns, "index out of range")
      values[column * stride + row] = newValue
    }
  }

  /// Sets the number of rows in use. Rows that come into use hold what was last stored there, 0 at
  /// first.
  public mutating func resize(rows: Int) {
    precondition(rows >= 0 && rows <= stride, "rows beyond the capacity")
    self.rows = rows
  }

  /// Adds a row at the end; there must be room for it.
  public mutating func append(_ row: some Collection<Double>) {
    precondition(row.count == columns, "a row needs one value a column")
    precondition(rows < stride, "rows beyond the capacity")
    var index = rows
    for value in row {
      values[index] = value
      index += stride
    }
    rows += 1
  }

  /// A copy of one row.
  public func row(_ row: Int) -> [Double] {
    (0..<columns).map { self[row, $0] }
  }
}

extension Matrix: Equatable {
  /// Whether both have the same shape and the same values, whatever their capacity.
  public static func == (left: Matrix, right: Matrix) -> Bool {
    guard left.rows == right.rows, left.columns == right.columns else { return false }
    for column in 0..<left.columns {
      let a = column * left.stride
      let b = column * right.stride
      guard left.values[a..<a + left.rows] == right.values[b..<b + right.rows] else {
        return false
      }
    }
    return true
  }
}
