import Detection
import Files
import Testing

@Suite struct TableTests {
  private func texts(_ table: Table) -> [String] {
    table.columns.map { $0.text(rows: table.rows) }
  }

  @Test(arguments: [".csv", ".csv.gz"])
  func csvIsReadByColumn(suffix: String) throws {
    let file = try TableFile(
      "a,b,c,d\r\n1,2020-01-02,x,\r\n -2.5e1 ,,\"y, z\",\r\n\r\n+3,2020-01-03 04:05:06,NA,\r\n",
      suffix: suffix)
    let table = try file.table()
    #expect(table.rows == 3)
    #expect(table.columns.map(\.name) == ["a", "b", "c", "d"])
    #expect(
      texts(table) == [
        "1.0 -25.0 3.0", #""2020-01-02T00:00:00.000Z" null "2020-01-03T04:05:06.000Z""#,
        #""x" "y, z" null"#, "null null null",
      ])
    #expect(table.columns.map(\.missing) == [0, 1, 1, 3])
  }

  @Test func jsonLinesGiveTheUnionOfTheirMembers() throws {
    let table = try table(
      """
      {"a": 1, "b": true, "c": "x"}

      {"b": false, "d": 2.5, "a": null}
      {"a": "4", "c": "y"}
      """)
    #expect(table.columns.map(\.name) == ["a", "b", "c", "d"])
    #expect(
      texts(table) == [
        "1.0 null 4.0", #""true" "false" null"#, #""x" null "y""#, "null 2.5 null",
      ])
  }

  @Test(arguments: ["\u{feff}", "\n \t", "\u{feff}\r\n"])
  func whatComesBeforeTheFirstRowIsPassedOver(_ start: String) throws {
    for rows in ["{\"a\": 1}\n{\"a\": 2}\n", "a\n1\n2\n"] {
      let table = try table(start + rows)
      #expect(table.columns.map(\.name) == ["a"])
      #expect(texts(table) == ["1.0 2.0"])
    }
  }

  @Test func whatSpellsAMissingValueIsMissing() throws {
    let values = ["1", "NA", "n/a", "NaN", "null", "None", "?", " ", "2"]
    let table = try table("a,b\n" + values.map { "\($0),0\n" }.joined())
    #expect(table.columns[0].missing == 7 && table.columns[0].notFinite == 0)
    guard case .numbers = table.columns[0].values else {
      Issue.record("no numbers")
      return
    }
  }

  @Test func numbersThatFloat32CannotHoldAreMissingAndCounted() throws {
    let table = try table("a\ninf\n1\n1e39\n-Infinity\n3.4e38\n-1e999\n")
    #expect(table.columns[0].text(rows: 6) == "null 1.0 null null 3.4e+38 null")
    #expect(table.columns[0].missing == 4 && table.columns[0].notFinite == 4)
  }

  @Test func aColumnIsTextFromTheFirstValueThatIsNothingElse() throws {
    let table = try table("a,b\n01,2020-01-01\n,\n2.50,soon\nx,3\n2.5,2020-01-01\n1,soon\n")
    #expect(table.columns[0].text(rows: 6) == #""1" null "2.5" "x" "2.5" "1""#)
    #expect(table.columns[0].firstText?.row == 4 && table.columns[0].firstText?.text == "x")
    #expect(table.columns[1].firstText?.row == 3)
    #expect(
      table.columns[1].text(rows: 6)
        == #""2020-01-01T00:00:00.000Z" null "soon" "3" "2020-01-01" "soon""#)
  }

  @Test func manyTextsAreNotHeld() throws {
    let rows = 2_000
    let table = try table(
      "id,n,long\n"
        + (0..<rows).map {
          "k\($0),\($0 == rows - 1 ? "x" : "\($0)"),\(String(repeating: "l", count: 300))\n"
        }
        .joined())
    for column in table.columns {
      guard case .manyTexts = column.values else {
        Issue.record("\(column.name) is held")
        continue
      }
    }
    #expect(table.columns[1].firstText?.row == rows)
  }

  @Test func onlyColumnsAskedForAreHeld() throws {
    let text = "a,b,c,y\n1,x,3,0\n2,z,4,1\n"
    let only = try table(text, ColumnSelection(only: ["a"], label: "y"))
    #expect(texts(only) == ["1.0 2.0", "null null", "null null", "0.0 1.0"])
    let ignored = try table(text, ColumnSelection(ignored: ["b", "c"]))
    #expect(texts(ignored) == ["1.0 2.0", "null null", "null null", "0.0 1.0"])
  }

  @Test(arguments: [
    ("", "is empty, expected a header row"),
    ("a,b\n", "has a header, but no rows"),
    ("a,a\n1,2\n", "its header names the column 'a' twice"),
    ("0.5,2.5\n1,2\n", "its first row is all numbers (0.5, 2.5…)"),
    ("a\u{1},b\n1,2\n", "is no text"), ("a;b\n1;2\n", "separated by ';'"),
    ("a\tb\n1\t2\n", "separated by tabs"),
    ("a,b\n1,2\n3\n", "row 2 has 1 fields where the header has 2"),
    ("a,b\n1,\"2\n", "row 1 ends inside a quoted field"),
    ("[{\"a\":1}]", "is a JSON array"),
    ("{\"a\":1}\n{\"a\":}\n", "row 2 is no JSON object: no value begins here"),
    ("{\"a\":1}\n[]\n", "row 2 is no JSON object"),
    ("{\"a\":1}\n{\"a\":[2]}\n", "row 2, column 'a': an array or object"),
  ])
  func whatIsNoTableIsRefused(text: String, reason: String) {
    let found = refusal(text)
    #expect(found?.contains(reason) == true, "\(found ?? "accepted")")
  }

  @Test func columnsMayBeNamedByTheirNumbers() throws {
    #expect(try table("0,1,2\n5,6,7\n").rows == 1)
    #expect(try table("1,2\n5,6\n").rows == 1)
  }

  @Test(arguments: ["amount,fraud\n1,0\n", "{\"amount\":1,\"fraud\":0}\n"])
  func unknownColumnsAreNamedWithTheNearest(text: String) {
    #expect(
      refusal(text, ColumnSelection(label: "frauds"))
        == "has no column 'frauds'; did you mean 'fraud'?")
    #expect(refusal(text, ColumnSelection(only: ["amont"]))?.contains("'amount'") == true)
    #expect(
      refusal(text, ColumnSelection(ignored: ["zzzzzzzz"]))
        == "has no column 'zzzzzzzz'; it has amount, fraud")
  }

  @Test func labelsAreReadAsTheyAreSpelled() throws {
    func labels(_ values: String...) throws -> [Bool?]? {
      try table(
        "a,y\n" + values.map { "1,\($0)\n" }.joined(), ColumnSelection(label: "y")
      ).labels()
    }
    #expect(try labels("0", "1", "", "1.0") == [false, true, nil, true])
    #expect(try labels("no", "Yes", "NA") == [false, true, nil])
    #expect(try labels("TRUE", "false", "true") == [true, false, true])
    #expect(try labels("", "") == [nil, nil])
    #expect(try table("a\n1\n").labels() == nil)
  }

  @Test(arguments: [
    ("a,y\n1,0\n1,2\n", "row 2, column 'y': '2' is no label"),
    ("a,y\n1,0\n1,1\n1,maybe\n", "row 3, column 'y': 'maybe' is no label"),
    ("a,y\n1,2020-01-01\n", "row 1, column 'y': '2020-01-01T00:00:00.000Z' is no label"),
  ])
  func otherLabelsAreRefusedWithTheirRow(text: String, reason: String) {
    let found = refusal(text, ColumnSelection(label: "y"))
    #expect(found?.hasPrefix(reason) == true, "\(found ?? "accepted")")
  }
}
