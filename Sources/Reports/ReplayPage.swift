import Files

/// A page about a replay: what its models and decisions are worth, how that came about, and how to
/// get the same figures again. It is one HTML document that needs nothing else, neither scripts nor
/// fonts nor pictures, and that follows the reader's choice of light or dark.
public struct ReplayPage {
  let document: JSONValue
  let models: [Subject]
  let baselines: [Subject]
  let policies: [Subject]

  /// - Parameter document: as `weir replay --json` writes it. What it does not contain is left out
  ///   of the page. With a member `notes`, a list of texts, these stand at the top.
  public init(_ document: JSONValue) {
    self.document = document
    models = Subject.all(document["models"])
    policies = Subject.all(document["policies"])
    baselines = (document["baselines"]?.members ?? []).map {
      Subject(name: $0.name, value: $0.value, style: "s0")
    }
  }

  /// The page, UTF-8.
  public var bytes: [UInt8] {
    let sections = [
      figures, testWindows, curves, time, decisions, policyComparison, features, reasons, versions,
      reproduction,
    ].compactMap { $0 }
    let page = Fragments.page(
      title: "\(name) – Weir replay", header: header, sections: sections, footer: footer)
    return Array(page.text.utf8)
  }

  var name: String { document["pipeline"]?.text ?? "Replay" }

  /// The model whose figures come first: the one that decides, or the first.
  var leading: Subject? {
    let deciding = document["decision"]?["by"]?.elements.first?.text
    return models.first { $0.name == deciding } ?? models.first
  }

  /// The history's whole days, in days since 1970-01-01.
  var span: ClosedRange<Double>? { JSONText.span(document) }

  private var footer: HTML {
    let version: HTML = document["weir"]?.text.map { " \($0)" } ?? HTML()
    return """
      <p>Written by Weir\(version). All figures are test-then-train in event time: every event was \
      scored with parameters published before it, and labels counted only once they had come.</p>
      """
  }
}
