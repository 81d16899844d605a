import Files
import Reports
import Testing

@Suite struct ComparisonPageTests {
  private func page(name: String = "fraud") throws -> Markup {
    try Markup(
      ComparisonPage(
        try Documents.comparison(name: name), of: try Documents.full(name: name),
        and: try Documents.full(name: name)
      ).bytes)
  }

  @Test func differencesAreShownWithTheirIntervals() throws {
    let page = try page()
    #expect(
      page.all("h2").map(\.text) == ["Differences", "Curves", "Over time", "How to reproduce"])
    for text in ["+0.0213", "+0.0101 to +0.0325", "0.432–0.568", "Only a has fraud alone"] {
      #expect(page.text.contains(text), "\(text)")
    }
    // More of the area is better, more of the loss is worse, and an interval around zero is neither.
    #expect(page.text.contains("Of 4 figures compared day by day, 1 are better in b, 1 are worse"))
    let cells = page.all("td")
    #expect(cells.filter { $0.attributes["class"] == "better" }.map(\.text) == ["+0.0213"])
    #expect(cells.filter { $0.attributes["class"] == "worse" }.map(\.text) == ["+0.0042"])
  }

  @Test func differencesOfAColumnAreWrittenAlike() throws {
    let page = try page()
    let cells = page.elements.filter { $0.path.last == "td" && $0.name == "data" }.map(\.text)
    #expect(cells.contains("0.0000"))
    #expect(!page.text.contains("e\u{2212}"))
  }

  @Test func whatIsNotComparedIsNamedWithItsReason() throws {
    let text = try page().text.replacing("\u{202f}", with: " ")
    #expect(
      text.contains(
        "Not compared, the budgets differ: fraud (F1 at budget, Recall at 1 % FPR)."))
  }

  @Test func eventsThatOneOfThemDidNotScoreAreShown() throws {
    let second = try Documents.full().replacing(
      ["models", "fraud", "overall", "unscored"], with: .number(90_000))
    let page = try Markup(
      ComparisonPage(try Documents.comparison(), of: try Documents.full(), and: second).bytes)
    #expect(page.all("th").map(\.text).contains("Not scored"))
    let data = page.all("data").map(\.text)
    for text in ["86,143", "90,000", "+3,857"] { #expect(data.contains(text)) }
  }

  @Test func namesOfUsersAreTextAndNeverMarkup() throws {
    let hostile = try page(name: ReplayPageTests.hostile)
    #expect(try hostile.shape == page().shape)
    #expect(hostile.all("code").map(\.text).contains("\(ReplayPageTests.hostile)-a.json"))
  }

  @Test func whateverIsAbsentThereIsAPage() throws {
    let comparison = try Documents.comparison()
    for path in comparison.paths(depth: 2) {
      for value in [nil, .array([.null])] as [JSONValue?] {
        _ = try Markup(
          ComparisonPage(
            comparison.replacing(path, with: value), of: .null, and: try Documents.full()
          )
          .bytes)
      }
    }
  }
}
