import COpenBLAS

extension Matrix {
  /// `result = self · vector`.
  ///
  /// - Parameters:
  ///   - vector: One value a column.
  ///   - result: Room for at least ``rows`` values; the first ``rows`` are written.
  public func multiply(_ vector: [Double], into result: inout [Double]) {
    precondition(vector.count == columns && result.count >= rows, "shapes do not fit")
    guard rows > 0 else { return }
    guard columns > 0 else {
      for row in 0..<rows { result[row] = 0 }
      return
    }
    OpenBLAS.prepare()
    cblas_dgemv(
      CblasColMajor, CblasNoTrans, Int32(rows), Int32(columns), 1, values, Int32(stride), vector, 1,
      0, &result, 1)
  }

  /// `result = decay · result + selfᵀ · vector`.
  ///
  /// - Parameters:
  ///   - vector: At least ``rows`` values; the first ``rows`` are used.
  ///   - result: One value a column.
  public func multiplyTransposed(
    _ vector: [Double], decaying decay: Double, into result: inout [Double]
  ) {
    precondition(vector.count >= rows && result.count == columns, "shapes do not fit")
    guard columns > 0 else { return }
    guard rows > 0 else {
      for column in 0..<columns { result[column] *= decay }
      return
    }
    OpenBLAS.prepare()
    cblas_dgemv(
      CblasColMajor, CblasTrans, Int32(rows), Int32(columns), 1, values, Int32(stride), vector, 1,
      decay, &result, 1)
  }

  /// `result = self · otherᵀ`: the inner product of every row with every row of `other`.
  ///
  /// - Parameters:
  ///   - other: A matrix with as many columns.
  ///   - result: A matrix with `other.rows` columns and room for ``rows`` rows; it is resized.
  public func multiply(transposed other: Matrix, into result: inout Matrix) {
    precondition(
      other.columns == columns && result.columns == other.rows && result.stride >= rows,
      "shapes do not fit")
    result.resize(rows: rows)
    guard rows > 0, other.rows > 0 else { return }
    guard columns > 0 else {
      for index in result.values.indices { result.values[index] = 0 }
      return
    }
    OpenBLAS.prepare()
    let ldc = Int32(result.stride)
    cblas_dgemm(
      CblasColMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(other.rows), Int32(columns), 1,
      values, Int32(stride), other.values, Int32(other.stride), 0, &result.values, ldc)
  }

  /// `result = selfᵀ · other`: the inner product of every column with every column of `other`.
  ///
  /// - Parameters:
  ///   - other: A matrix with as many rows.
  ///   - result: A matrix with `other.columns` columns and ``columns`` rows.
  public func multiplyTransposed(_ other: Matrix, into result: inout Matrix) {
    precondition(
      other.rows == rows && result.columns == other.columns && result.rows == columns,
      "shapes do not fit")
    guard columns > 0, other.columns > 0 else { return }
    guard rows > 0 else {
      for index in result.values.indices { result.values[index] = 0 }
      return
    }
    OpenBLAS.prepare()
    let ldc = Int32(result.stride)
    cblas_dgemm(
      CblasColMajor, CblasTrans, CblasNoTrans, Int32(columns), Int32(other.columns), Int32(rows), 1,
      values, Int32(stride), other.values, Int32(other.stride), 0, &result.values, ldc)
  }
}
