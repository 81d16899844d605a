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
