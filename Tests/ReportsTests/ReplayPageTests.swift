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
      "15–21 Apr 2018", "2,345", "f1f2f3f4", "d1d2d3d4", "Card precision@100", "100 a day",
    ] {
      // The spaces and joiners that keep numbers together are no matter here.
      let plain = page.text.replacing("\u{2060}", with: "").replacing("\u{a0}", with: " ")
        .replacing("\u{202f}", with: " ")
      #expect(plain.contains(text), "\(text)")
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
