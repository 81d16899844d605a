import Files

extension ReplayPage {
  /// Figures version by version, folded, and what was withheld.
  var versions: Section? {
    let tables = models.compactMap { model -> HTML? in
      let versions = model.value["by_version"]?.elements ?? []
      guard versions.count > 1 else { return nil }
      let kinds = [FigureKind.auroc, .averagePrecision, .logLoss]
      let rows = versions.map { version -> HTML in
        Fragments.row(
          "\(text(version["epoch"])).\(text(version["version"]))",
          ["<td>\(time(version["time"]))</td>"]
            + ["events", "positives"].map { Fragments.count(version["figures"]?[$0]?.double) }
            + kinds.map { Fragments.cell($0, in: version["figures"]) })
      }
      let left = model.value["versions_left_out"]?.double ?? 0
      let scored = Double(versions.count) + left
      let all: HTML =
        model.value["versions"]?.double.map { " of \(NumberText.count($0))" } ?? HTML()
      let shown: HTML = left > 0 ? ", \(versions.count) of them shown" : HTML()
      return """
        <details><summary>\(Fragments.key(model.name, model.style)): \
        \(NumberText.count(scored))\(all) versions scored labelled events\(shown)</summary>\
        \(Fragments.table(
          headings: ["Version", "Served from", "Events", "Positives"] + kinds.map { "\($0.title)" },
          rows: rows, label: "Versions of \(model.name)"))</details>

        """
    }
    let withheld = document["withheld"]?.elements ?? []
    guard !tables.isEmpty || !withheld.isEmpty else { return nil }
    return Section(id: "versions", title: "Versions", body: "\(tables)\(list(withheld))")
  }

  private func list(_ withheld: [JSONValue]) -> HTML {
    guard !withheld.isEmpty else { return HTML() }
    var names: [String] = []
    for name in withheld.flatMap({ $0.members.map(\.name) }) where !names.contains(name) {
      names.append(name)
    }
    let rows = withheld.map { version -> HTML in
      let cells = names.map { name -> HTML in
        let text = name == "time" ? time(version[name]) : text(version[name])
        return "<td class=\"\(text.count > 24 ? "long" : "")\">\(text)</td>"
      }
      return "<tr>\(cells)</tr>\n"
    }
    let headings = names.map { name -> HTML in "\(name.replacing("_", with: " "))" }
    return """
      <h3>Withheld</h3><p class="about">Versions that the guards did not publish.</p>
      \(Fragments.table(headings: headings, rows: rows, style: "texts", label: "Withheld versions"))
      """
  }

  private func text(_ value: JSONValue?) -> String {
    value.map(JSONText.line) ?? NumberText.missing
  }

  private func time(_ value: JSONValue?) -> String {
    text(value).replacing("T", with: " ", maxReplacements: 1).replacing("Z", with: "")
  }

  /// Whatever it takes to get the same figures again.
  var reproduction: Section? {
    var items: [HTML] = []
    func add(_ title: String, _ value: HTML?) {
      if let value { items.append("<dt>\(title)</dt><dd>\(value)</dd>") }
    }
    func code(_ name: String) -> HTML? {
      document[name].map { "<code>\(JSONText.line($0))</code>" }
    }
    add("Weir", code("weir"))
    add("Input", code("input"))
    add("Pipeline", code("pipeline"))
    add("Fingerprint", code("fingerprint"))
    add("Seed", code("seed"))
    for model in models {
      guard let final = model.value["final"] else { continue }
      add(
        "Last version of \(model.name)",
        """
        <code>\(text(final["digest"]))</code> <span class="fine">epoch \(text(final["epoch"])), \
        version \(text(final["version"]))</span>
        """)
    }
    for (title, name) in [
      ("Labelled", "labelled"), ("Learnt", "learnt"), ("Refused", "refused"), ("Late", "late"),
    ] {
      add(
        title, document[name]?.double.map { Fragments.number($0, NumberText.count($0)) })
    }
    if let seconds = document["seconds"]?.double {
      var pace: HTML = "\(NumberText.small(seconds))\u{202f}s"
      if let rate = document["events_per_second"]?.double {
        pace += ", \(NumberText.fixed(rate, 0)) events a second"
      }
      if let memory = document["peak_memory_bytes"]?.double {
        pace += ", at most \(NumberText.bytes(memory)) of memory"
      }
      add("Took", pace)
    }
    let words = (document["command"]?.elements ?? []).map(JSONText.line)
    let command: HTML =
      words.isEmpty ? HTML() : "<pre><code>\(ShellText.command(words))</code></pre>"
    guard !items.isEmpty || !command.isEmpty else { return nil }
    return Section(
      id: "reproduce", title: "How to reproduce",
      body: """
        <p class="about">The same input, pipeline file and seed give the same versions, bit for \
        bit: their digests are equal.</p>
        \(command)
        <dl class="facts">\(items)</dl>
        """)
  }
}
