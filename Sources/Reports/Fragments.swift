import Files

/// A part of a page under a heading, which the page's contents name.
struct Section {
  let id: String
  let title: String
  let body: HTML
}

/// Pieces that several parts of the pages are made of.
enum Fragments {
  /// A whole document.
  /// - Parameters:
  ///   - title: of the window.
  ///   - header: above the contents.
  static func page(title: String, header: HTML, sections: [Section], footer: HTML) -> HTML {
    let links = sections.map { section -> HTML in "<a href=\"#\(section.id)\">\(section.title)</a>"
    }
    let bodies = sections.map { section -> HTML in
      "<section id=\"\(section.id)\"><h2>\(section.title)</h2>\(section.body)</section>\n"
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta http-equiv="Content-Security-Policy" \
      content="default-src 'none'; style-src 'unsafe-inline'"/>
      <title>\(title)</title>
      <style>
      \(PageStyle.sheet)
      </style>
      </head>
      <body>
      <main>
      \(header)
      <nav aria-label="Contents">\(links)</nav>
      \(bodies)
      </main>
      <footer>\(footer)</footer>
      </body>
      </html>

      """
  }

  /// A picture with its heading and what to know about it.
  static func figure(_ title: String, _ caption: HTML = HTML(), style: String = "", _ body: HTML)
    -> HTML
  {
    let note: HTML = caption.isEmpty ? HTML() : "<p>\(caption)</p>"
    return """
      <figure class="\(style)"><figcaption><h3>\(title)</h3>\(note)</figcaption>\(body)</figure>

      """
  }

  /// A table that scrolls by itself where it is wider than the page.
  /// - Parameter headings: the first is the rows' names; the others stand over numbers.
  static func table(headings: [HTML], rows: [HTML], style: String = "", label: String) -> HTML {
    let cells = headings.map { heading -> HTML in "<th scope=\"col\">\(heading)</th>" }
    return """
      <div class="scroll" role="region" aria-label="\(label)" tabindex="0">\
      <table class="\(style)"><thead><tr>\(cells)</tr></thead><tbody>
      \(rows)</tbody></table></div>

      """
  }

  /// A row: its name, what is written small below it, and its cells.
  static func row(_ name: HTML, note: HTML = HTML(), style: String = "", _ cells: [HTML]) -> HTML {
    let small: HTML = note.isEmpty ? HTML() : "<small>\(note)</small>"
    return "<tr class=\"\(style)\"><th scope=\"row\">\(name)\(small)</th>\(cells)</tr>\n"
  }

  /// A number as it is shown, with its exact value for those who read the page by a program.
  static func number(_ value: Double?, _ text: String) -> HTML {
    guard let value else { return "<span class=\"none\">\(NumberText.missing)</span>" }
    return "<data value=\"\(value.description)\">\(text)</data>"
  }

  /// A figure, its interval below it.
  static func cell(_ kind: FigureKind, in figures: JSONValue?, isBest: Bool = false) -> HTML {
    let value = kind.value(in: figures)
    let interval = kind.interval(in: figures).map { self.interval($0, kind) } ?? HTML()
    return
      "<td class=\"\(isBest ? "best" : "")\">\(number(value, kind.format(value)))\(interval)</td>"
  }

  /// Both ends of an interval, small.
  static func interval(_ interval: ClosedRange<Double>, _ kind: FigureKind) -> HTML {
    "<small>\(kind.format(interval.lowerBound))–\(kind.format(interval.upperBound))</small>"
  }

  /// A count in a cell.
  static func count(_ value: Double?) -> HTML {
    "<td>\(number(value, NumberText.count(value)))</td>"
  }

  /// A name with the colour of its curve.
  static func key(_ name: String, _ style: String) -> HTML {
    "<span class=\"key \(style)\">\(name)</span>"
  }

  /// The same picture drawn for a wide and for a narrow window, of which the style sheet shows one.
  static func drawnTwice(_ draw: (_ isNarrow: Bool) -> HTML) -> HTML {
    "<div class=\"wide\">\(draw(false))</div><div class=\"narrow\">\(draw(true))</div>"
  }
}
