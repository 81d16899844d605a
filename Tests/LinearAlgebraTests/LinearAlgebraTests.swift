import LinearAlgebra
import Testing

/// A matrix with a larger capacity than rows, so that a wrong stride shows.
private func sample() -> Matrix {
  var matrix = Matrix(columns: 3, capacity: 7)
  for row in [[1.0, 2, 3], [-4, 5, 0.5], [7, -8, 9], [0, 1, -2]] { matrix.append(row) }
  return matrix
}

@Suite struct MatrixTests {
  @Test func storesColumnByColumn() {
    var matrix = sample()
    #expect(matrix.rows == 4)
    #expect(matrix.values[2 * 7 + 1] == 0.5)
    #expect(matrix[2, 1] == -8)
    matrix[2, 1] = 6
    #expect(matrix.row(2) == [7, 6, 9])
    matrix.resize(rows: 1)
    #expect(matrix == Matrix(rows: [[1, 2, 3]]))
    #expect(matrix != Matrix(rows: [[1, 2, 4]]))
  }

  @Test func multipliesAVector() {
    var result = [Double](repeating: .nan, count: 4)
    sample().multiply([1, 10, 100], into: &result)
    #expect(result == [321, 96, 827, -190])
  }

  @Test func multipliesATransposedVector() {
    var result = [2.0, 4, 6]
    sample().multiplyTransposed([1, 2, 3, 4, .nan], decaying: 0.5, into: &result)
    #expect(result == [15, -6, 26])
    Matrix(columns: 3, capacity: 2).multiplyTransposed([], decaying: 0.5, into: &result)
    #expect(result == [7.5, -3, 13])
  }

  @Test func multipliesAnotherMatrix() {
    var result = Matrix(columns: 2, capacity: 9)
    sample().multiply(transposed: Matrix(rows: [[1, 0, 2], [0, 1, -1]]), into: &result)
    #expect(result == Matrix(rows: [[7, -1], [-3, 4.5], [25, -17], [-4, 3]]))
  }
}

/// Shapes of single precision around what is computed at a time: fours, eights and 256 columns.
@Suite struct FloatRowsTests {
  /// Whole numbers, so that sums are exact; what is not in use is left at something else.
  private func whole(_ rows: Int, _ columns: Int, capacity: Int, from seed: Int) -> FloatRows {
    var matrix = FloatRows(columns: columns, capacity: capacity)
    matrix.resize(rows: rows)
    for row in 0..<rows {
      for column in 0..<columns {
        let value = (row &* 31 &+ column &* 17 &+ seed) % 23 - 11
        matrix.values[row * matrix.stride + column] = Float(value)
      }
    }
    return matrix
  }

  @Test(arguments: [(1, 1), (3, 5), (4, 8), (7, 256), (29, 300), (30, 1025)])
  func transposes(rows: Int, columns: Int) {
    let matrix = whole(rows, columns, capacity: rows + 2, from: 3)
    let count = columns - columns / 3
    var result = FloatRows(columns: rows, capacity: columns)
    matrix.transpose(columns: count, into: &result)
    #expect(result.rows == count)
    for row in 0..<count {
      for column in 0..<result.stride {
        let expected = column < rows ? matrix.values[column * matrix.stride + row] : 0
        #expect(result.values[row * result.stride + column] == expected)
      }
    }
  }

  @Test(arguments: [(1, 1, 1), (16, 29, 256), (5, 10, 700), (200, 7, 300), (3, 0, 4)])
  func multiplies(rows: Int, inner: Int, columns: Int) {
    let left = whole(rows, inner, capacity: rows + 1, from: 1)
    let right = whole(inner, columns, capacity: inner, from: 2)
    let range = columns / 4..<columns
    var result = whole(1, columns, capacity: rows, from: 5)
    left.multiply(right, columns: range, into: &result)
    #expect(result.rows == rows)
    for row in 0..<rows {
      for (place, column) in range.enumerated() {
        let expected = (0..<inner).reduce(Float(0)) {
          $0 + left.values[row * left.stride + $1] * right.values[$1 * right.stride + column]
        }
        #expect(result.values[row * result.stride + place] == expected)
      }
    }
  }
}

@Suite struct SymmetricMatrixTests {
  @Test func addsADecayedGramMatrix() {
    var gram = SymmetricMatrix(order: 3)
    gram.addGram(of: sample(), decaying: 0)
    gram.addGram(of: sample(), decaying: 0.5)
    let matrix = sample()
    for i in 0..<3 {
      for j in 0..<3 {
        let product = (0..<4).reduce(0.0) { $0 + matrix[$1, i] * matrix[$1, j] }
        #expect(abs(gram[i, j] - 1.5 * product) < 1e-12)
      }
    }
  }

  @Test func solvesAPositiveDefiniteSystem() throws {
    var gram = SymmetricMatrix(order: 3)
    gram.addGram(of: sample(), decaying: 0)
    let expected = [0.5, -2, 3]
    let ridge = [1, 0.1, 0.01]
    let right = (0..<3).map { i in
      (0..<3).reduce(0.0) { $0 + gram[i, $1] * expected[$1] } + ridge[i] * expected[i]
    }
    var workspace: [Double] = []
    let before = gram
    for _ in 0..<2 {
      let solution = try gram.solve(right, ridge: ridge, workspace: &workspace).get()
      for (value, wanted) in zip(solution, expected) { #expect(abs(value - wanted) < 1e-10) }
    }
    #expect(gram == before)
  }

  @Test func reportsWhatHasNoSolution() {
    var workspace: [Double] = []
    let indefinite = SymmetricMatrix(order: 2, values: [1, 2, 2, 1])
    #expect(
      indefinite.solve([1, 1], ridge: [0, 0], workspace: &workspace)
        == .failure(.notPositiveDefinite))
    let broken = SymmetricMatrix(order: 2, values: [.nan, 2, 2, 1])
    #expect(
      broken.solve([1, 1], ridge: [0, 0], workspace: &workspace) == .failure(.notFinite))
  }
}
