import COpenBLAS

/// A dense symmetric matrix of which only the lower triangle is kept up to date.
public struct SymmetricMatrix: Sendable, Equatable {
  /// Rows, which equal columns.
  public let order: Int
  /// `order²` values, column by column; those above the diagonal mean nothing.
  public private(set) var values: [Double]

  /// A matrix of zeros.
  public init(order: Int) {
    precondition(order >= 0, "a matrix needs a non-negative order")
    self.order = order
    self.values = [Double](repeating: 0, count: order * order)
  }

  /// A matrix from `order²` values, column by column; those above the diagonal are ignored.
  public init(order: Int, values: [Double]) {
    precondition(order >= 0 && values.count == order * order, "an order needs its square of values")
    self.order = order
    self.values = values
  }

  /// The value at a row and a column, in either triangle.
  public subscript(row: Int, column: Int) -> Double {
    get {
      row >= column ? values[column * order + row] : values[row * order + column]
    }
    set {
      if row >= column {
        values[column * order + row] = newValue
      } else {
        values[row * order + column] = newValue
      }
    }
  }

  /// `self = decay · self + factorᵀ · factor`.
  ///
  /// With the rows of `factor` multiplied by the square roots of example weights, that adds a
  /// weighted Gram matrix.
  public mutating func addGram(of factor: Matrix, decaying decay: Double) {
    precondition(factor.columns == order, "shapes do not fit")
    guard order > 0 else { return }
    guard factor.rows > 0 else {
      for index in values.indices { values[index] *= decay }
      return
    }
    OpenBLAS.prepare()
    cblas_dsyrk(
      CblasColMajor, CblasLower, CblasTrans, Int32(order), Int32(factor.rows), 1, factor.values,
      Int32(factor.stride), decay, &values, Int32(order))
  }

  /// `self = decay · self + other`.
  public mutating func add(_ other: SymmetricMatrix, decaying decay: Double) {
    precondition(other.order == order, "shapes do not fit")
    other.values.withUnsafeBufferPointer { other in
      values.withUnsafeMutableBufferPointer { values in
        for index in 0..<values.count { values[index] = decay * values[index] + other[index] }
      }
    }
  }

  /// Solves `(self + diag(ridge)) · x = right` by a Cholesky factorisation.
  ///
  /// - Parameters:
  ///   - right: One value a row.
  ///   - ridge: What is added to the diagonal, one value a row.
  ///   - workspace: Holds the factor afterwards; passing the same array again saves an allocation.
  /// - Returns: `x`, or why there is none. A matrix that is not positive definite, or not finite, is
  ///   an expected outcome and not a programming error.
  public func solve(
    _ right: [Double], ridge: [Double], workspace: inout [Double]
  ) -> Result<[Double], SolveFailure> {
    precondition(right.count == order && ridge.count == order, "shapes do not fit")
    guard order > 0 else { return .success([]) }
    OpenBLAS.prepare()
    if workspace.count == values.count {
      for index in values.indices { workspace[index] = values[index] }
    } else {
      workspace = values
    }
    for index in 0..<order { workspace[index * (order + 1)] += ridge[index] }
    let lower = CChar(UInt8(ascii: "L"))
    let n = Int32(order)
    // The variants that do not look for NaN first: it comes out again.
    let factored = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, lower, n, &workspace, n)
    guard factored == 0 else {
      return .failure(factored > 0 ? .notPositiveDefinite : .notFinite)
    }
    var solution = right
    let solved = LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, lower, n, 1, workspace, n, &solution, n)
    guard solved == 0, solution.allSatisfy(\.isFinite) else { return .failure(.notFinite) }
    return .success(solution)
  }
}

/// Why a linear system has no solution.
public enum SolveFailure: Error, Sendable, Equatable {
  /// The matrix has an eigenvalue that is not positive, as far as arithmetic can tell.
  case notPositiveDefinite
  /// The matrix, the right-hand side or the solution has a value that is not finite.
  case notFinite
}
