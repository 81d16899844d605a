import Detection
import Foundation
import LinearAlgebra
import Testing

@Suite struct TableFeaturesTests {
  /// A table of so many rows, each column by a function of the row.
  private func features(
    rows: Int, only: [String] = [], isStream: Bool = false, _ columns: [(String, (Int) -> String)]
  ) throws -> TableFeatures {
    let header = columns.map { $0.0 }.joined(separator: ",")
    let lines = (0..<rows).map { row in columns.map { $0.1(row) }.joined(separator: ",") }
    return try TableFeatures(
      table(([header] + lines).joined(separator: "\n"), ColumnSelection(only: only)),
      isStream: isStream)
  }

  private func block(_ features: TableFeatures) -> Matrix {
    let rows = features.table.rows
    var block = Matrix(columns: features.count, capacity: rows)
    features.fill(0..<rows, into: &block)
    return block
  }

  @Test func everyColumnIsTakenForWhatItsValuesAre() throws {
    let features = try features(
      rows: 100,
      [
        ("id", { "\($0 + 7)" }), ("amount", { "\($0 * 7 % 50)" }),
        ("fixed", { $0 % 9 == 0 ? "" : "5" }), ("empty", { _ in "" }),
        ("at", { "2020-01-01T00:00:\($0 % 50 + 10)Z" }), ("ok", { $0 % 3 == 0 ? "yes" : "No" }),
        ("kind", { ["x", "y", "y", "z"][$0 % 4] }), ("even", { $0 % 2 == 0 ? "buy" : "sell" }),
        ("name", { "n\($0)" }), ("same", { _ in "s" }), ("true", { _ in "true" }),
      ])
    let guesses = features.guesses
    #expect(
      guesses.map(\.kind) == [
        .number, .number, .number, .empty, .time, .boolean, .category, .category, .text, .category,
        .boolean,
      ])
    #expect(features.columns == [1, 5, 6])
    #expect(
      guesses.filter { $0.use == .learnt }.map(\.name) == ["amount", "ok", "kind"]
        && guesses.count { $0.use == .ignored } == 8)
    #expect(guesses[0].reason.contains("numbers the rows"))
    #expect(guesses[2].reason == "always 5" && guesses[2].missing == 12)
    #expect(guesses[7].reason == "2 texts, each as often")
    #expect(guesses[8].reason == "100 different texts in 100 rows")
    let block = block(features)
    #expect(block.row(0) == [0, 1, 2])
    #expect(block.row(5) == [35, 0, 1])
  }

  @Test func whatOnlySaysWhenIsLearntFromWhereItIsNamed() throws {
    let columns: [(String, (Int) -> String)] = [
      ("id", { "\($0)" }), ("at", { "1970-01-01T00:00:\($0 + 10)Z" }),
      ("clock", { "\($0 * $0)" }), ("x", { "\($0 % 7)" }),
    ]
    let named = try features(rows: 20, only: ["id", "at", "clock"], isStream: true, columns)
    #expect(named.columns == [0, 1, 2])
    #expect(block(named).row(3) == [3, 13_000, 9])
    #expect(named.guesses[3].kind == .unread && named.guesses[3].use == .ignored)
    #expect(try features(rows: 20, isStream: true, columns).columns == [3])
    // All at once, a sorted column is as good as another.
    #expect(try features(rows: 20, columns).columns == [2, 3])
  }

  @Test func ofCategoriesItIsLearntHowRareTheyAre() throws {
    let rows = ["x", "x", "", "y", "x", "z", "x", "x", "x"]
    let whole = block(try features(rows: 9, [("c", { rows[$0] }), ("n", { "\($0)" })]))
    for row in rows.indices where row != 2 {
      let share = rows[row] == "x" ? 0.75 : 0.125
      #expect(abs(whole[row, 0] + log2(share)) < 1e-12)
    }
    #expect(whole[2, 0].isNaN)
    // In a stream by the rows before: (rows of the text + 1) ÷ (rows + texts + 1).
    let stream = block(
      try features(rows: 9, isStream: true, [("c", { rows[$0] }), ("n", { "\($0)" })]))
    let parts: [(Double, Double)] = [
      (1, 1), (2, 3), (0, 1), (1, 4), (3, 6), (1, 7), (4, 9), (5, 10), (6, 11),
    ]
    for row in rows.indices where row != 2 {
      let (ofText, ofAll) = parts[row]
      #expect(abs(stream[row, 0] + log2(ofText / ofAll)) < 1e-12, "row \(row)")
    }
  }

  @Test func missingValuesAreNaN() throws {
    let features = try TableFeatures(
      table("a,k,b\n1,x,true\n,y,\n2,,false\n3,x,true\n4,z,true\n"))
    #expect(features.hasMissing)
    let block = block(features)
    #expect(block[1, 0].isNaN && block[2, 1].isNaN && block[1, 2].isNaN && block[0, 2] == 1)
  }

  @Test func aTableWithoutAFeatureIsRefused() {
    let reason = refusal("a,b,y\n1,x,0\n1,x,1\n", ColumnSelection(label: "y"))
    #expect(
      reason == "has no column to learn from: 'a' always 1, 'b' always 'x', 'y' is the label")
  }
}
