import Files
import Reports
import Testing

@Suite struct ReplayPageTests {
  /// A name that would be markup anywhere, if it were not escaped.
  static let hostile = #"</title></style><script src="//x">&"'<b onload=x>"#

  private func page(_ document: JSONValue) throws -> Markup {
    try Markup(ReplayPage(document).bytes)
  }

  @Test func aPageOfEverythingHasEverySection() throws {
    let page = try page(Documents.full())
    #expect(
      page.all("h2").map(\.text) == [
        "Figures", "Test windows", "Curves", "Over time", "Alerts", "Policies", "Features",
        "Reasons", "Versions", "How to reproduce",
      ])
    // Contents and headings belong together.
    let targets = page.all("a").compactMap { $0.attributes["href"] }
    #expect(targets == page.all("section").compactMap { $0.attributes["id"].map { "#\($0)" } })
    #expect(page.all("h1").map(\.text) == ["fraud"])
    #expect(page.all("svg").count > 20)
    #expect(page.text.contains("note about fraud"))
  }

  @Test func figuresAreShownWithIntervalsAndKeepTheirValues() throws {
    let page = try page(Documents.full())
    let data = page.all("data").map { [$0.attributes["value"] ?? "", $0.text] }
    #expect(data.contains(["0.8671234", "0.867"]))
    #expect(data.contains(["0.3046", "0.305"]))
    #expect(data.contains(["3357226.5", "3,357,227"]))
    #expect(data.contains(["2.1e-06", "2.10e−6"]))
    #expect(data.contains(["0.4763", "0.476"]))
    for text in [
      "0.852–0.881", "1,754,155 events", "1–28 Apr 2018", "labels 7 d late", "0.883 ± 0.015",
      "15–21 Apr 2018",
      "22 Apr, 00:00 – 24 Apr 2018, 12:00", "2,345", "f1f2f3f4", "d1d2d3d4", "Card precision@100",
      "100 a day",
    ] {
      // The spaces and joiners that keep numbers together are no matter here.
      let plain = page.text.replacing("\u{2060}", with: "").replacing("\u{a0}", with: " ")
        .replacing("\u{202f}", with: " ")
      #expect(plain.contains(text), "\(text)")
    }
  }

  @Test func whatWasNotScoredIsShownForModelsAndPolicies() throws {
    let page = try page(Documents.full())
    #expect(page.all("th").count { $0.text == "Not scored" } == 2)
    #expect(page.all("data").contains { $0.text == "86,143" })
  }

  @Test func versionsThatScoredLabelledEventsAreCountedAmongAll() throws {
    #expect(
      try page(Documents.full()).all("summary").first?.text
        == "fraud: 4,392 of 4,392 versions scored labelled events, 2 of them shown")
    let none = try Documents.full()
      .replacing(["models", "fraud", "versions_left_out"], with: .number(0))
    #expect(
      try page(none).all("summary").first?.text
        == "fraud: 2 of 4,392 versions scored labelled events")
  }

  @Test func oneTestWindowHasNoSpread() throws {
    let document = try Documents.full()
    let summary = try JSONValue(
      parsing: Array(#"{"fraud":{"auroc":{"mean":0.5,"spread":0,"values":[0.5]}}}"#.utf8))
    let page = try page(
      document.replacing(["tests"], with: .array([document["tests"]!.elements[0]]))
        .replacing(["tests_summary"], with: summary))
    #expect(page.text.contains("Over one window."))
    #expect(!page.text.contains("±"))
  }

  @Test func theBestIsMarkedWhereItIsSeenToBeBetter() throws {
    func marked(_ document: JSONValue) throws -> [String] {
      try page(document).all("td").filter { $0.attributes["class"] == "best" }.map(\.text)
    }
    let drift = "0.34"
    #expect(try marked(Documents.full()) == [drift])
    let other = ["models", "other", "overall", "auroc"]
    #expect(try marked(Documents.full().replacing(other, with: .number(0.86714))) == [drift])
    #expect(
      try marked(Documents.full().replacing(other, with: .number(0.8)))
        == ["0.8670.852–0.881", drift])
  }

  @Test func picturesOverTimeBeginAndEndAlike() throws {
    let page = try page(
      Documents.full().replacing(["last_time"], with: .string("2018-05-19T12:00:00Z")))
    // Three figures, the alerts and two figures of the policies; narrow pictures have one width.
    let dates = page.all("text").filter {
      $0.viewBox.dropFirst(2).first == 350
        && ($0.text.hasSuffix("\u{a0}Apr") || $0.text.hasSuffix("\u{a0}May"))
    }
    let places = Dictionary(grouping: dates) { "\($0.text) \($0.attributes["x"] ?? "")" }
    #expect(places.count > 3 && places.values.allSatisfy { $0.count == 6 }, "\(places.keys)")
    // Test windows that adjoin have both their edges.
    let edges = page.all("line").filter { $0.attributes["class"] == "edge" }
    #expect(edges.count == 4 * 10)
  }

  @Test(arguments: [("2030-12-31T00:00:00Z", "Jan 2020"), ("2018-12-31T00:00:00Z", "Dec")])
  func datesOfLongHistoriesStandApart(_ last: String, _ marked: String) throws {
    let page = try page(Documents.full().replacing(["last_time"], with: .string(last)))
    let ticks = page.all("text").filter {
      $0.attributes["class"] == "tick" && $0.viewBox[2] == 960
        && $0.text.first?.isLetter == true
    }
    #expect(ticks.contains { $0.text == marked })
    let places = ticks.compactMap { $0.attributes["x"].flatMap(Double.init) }
    for (place, next) in zip(places, places.dropFirst()) where next > place {
      #expect(next - place > 60)
    }
  }

  @Test func namesOfCurvesStandAwayFromWhereCurvesMeet() throws {
    var document = try Documents.full()
    for (name, y) in [("fraud", 0.62), ("other", 0.6)] {
      let roc = try JSONValue(parsing: Array("[[0,0],[0.02,\(y / 2)],[0.1,\(y)],[1,1]]".utf8))
      document = document.replacing(["models", name, "curves"], with: .object([("roc", roc)]))
    }
    let anchors = try page(document).all("circle").filter {
      $0.viewBox == [0, 0, 340, 310] && $0.attributes["r"] == "2.5"
        && $0.path.contains("section")
    }
    #expect(!anchors.isEmpty)
    for anchor in anchors {
      let x = try #require(Double(anchor.attributes["cx"]!))
      let y = try #require(Double(anchor.attributes["cy"]!))
      #expect(max(x - 44, 270 - y) > 20 && max(330 - x, y - 24) > 20, "\(x) \(y)")
    }
  }

  @Test func namesOfUsersAreTextAndNeverMarkup() throws {
    let plain = try page(Documents.full())
    let page = try page(Documents.full(name: Self.hostile))
    #expect(page.shape == plain.shape)
    #expect(Set(page.elements.map(\.name)) == Set(plain.elements.map(\.name)))
    #expect(page.all("h1").map(\.text) == [Self.hostile])
    #expect(page.all("code").map(\.text).contains("\(Self.hostile).csv"))
  }

  @Test func charactersThatNoPageMayContainAreReplaced() throws {
    let page = try page(.object([("pipeline", .string("a\u{0}b\u{1b}c"))]))
    #expect(page.all("h1").map(\.text) == ["a\u{fffd}b\u{fffd}c"])
  }

  @Test func nothingOutsideIsAskedFor() throws {
    let bytes = try ReplayPage(Documents.full()).bytes
    let page = try Markup(bytes)
    for element in page.elements {
      #expect(!["script", "link", "img", "iframe", "object", "use"].contains(element.name))
      for (name, value) in element.attributes {
        #expect(!name.hasPrefix("on") && name != "src", "\(name)")
        if name == "href" { #expect(value.hasPrefix("#"), "\(value)") }
      }
    }
    let text = String(decoding: bytes, as: UTF8.self)
    for word in ["url(", "@import", "http:", "https:"] { #expect(!text.contains(word)) }
  }

  @Test func whatIsAbsentIsLeftOut() throws {
    let sections = [
      "models": ["Figures", "Curves"], "tests": ["Test windows"], "decision": ["Alerts"],
      "policies": ["Policies"], "features": ["Features"], "reasons": ["Reasons"],
    ]
    for (member, titles) in sections {
      for value in [nil, JSONValue.null] {
        let page = try page(Documents.full().replacing([member], with: value))
        for title in titles { #expect(!page.all("h2").map(\.text).contains(title), "\(title)") }
      }
    }
  }

  @Test func whateverIsAbsentOrOfAnotherKindThereIsAPage() throws {
    _ = try page(.null)
    _ = try page(.object([]))
    let document = try Documents.full()
    let others: [JSONValue] = [.string("x"), .number(1e300), .array([.null])]
    for (index, path) in document.paths(depth: 2).enumerated() {
      for value in [nil, others[index % others.count]] {
        #expect(throws: Never.self, "\(path) \(value.map { "\($0)" } ?? "absent")") {
          try page(document.replacing(path, with: value))
        }
      }
    }
  }

  @Test func marksLieWithinTheirPictures() throws {
    for element in try page(Documents.full()).elements where element.viewBox.count == 4 {
      for (name, value) in element.attributes {
        guard let value = Double(value) else { continue }
        let limit: Double? =
          ["x", "x1", "x2", "cx"].contains(name)
          ? element.viewBox[2] : ["y", "y1", "y2", "cy"].contains(name) ? element.viewBox[3] : nil
        if let limit { #expect((-0.01...limit + 0.01).contains(value), "\(element)") }
      }
    }
  }

  @Test func commandsAreQuotedForAShell() throws {
    let page = try page(
      .object([
        (
          "command",
          .array(
            ["weir", "replay", "--input", "my file's.csv", "", "--json", "$HOME"].map {
              .string($0)
            })
        )
      ]))
    #expect(
      page.all("pre").map(\.text)
        == ["weir replay \\\n  --input 'my file'\\''s.csv' '' \\\n  --json '$HOME'"])
  }
}
