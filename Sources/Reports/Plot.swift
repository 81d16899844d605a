/// A point of a picture, to the right and down.
struct Point {
  var x: Double
  var y: Double
}

/// A picture with two axes, as SVG. Colours and type are the style sheet's.
struct Plot {
  let width: Double
  let height: Double
  /// Where the axes' values stand: values grow to the right and up.
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double
  private(set) var marks = HTML()

  /// - Parameters:
  ///   - left: the room at the left for the labels of the axis, and so on.
  init(width: Double, height: Double, left: Double, right: Double, top: Double, bottom: Double) {
    self.width = width
    self.height = height
    self.left = left
    self.right = width - right
    self.top = top
    self.bottom = height - bottom
  }

  /// The horizontal scale over the room between the axes.
  func horizontal(_ low: Double, _ high: Double, logarithmic: Bool = false) -> Scale {
    Scale(low, high, from: left, to: right, logarithmic: logarithmic)
  }

  /// The vertical scale over the room between the axes.
  func vertical(_ low: Double, _ high: Double, logarithmic: Bool = false) -> Scale {
    Scale(low, high, from: bottom, to: top, logarithmic: logarithmic)
  }

  mutating func add(_ mark: HTML) { marks += mark }

  /// Lines across the picture with their values at the left, and above them what they are.
  mutating func verticalAxis(
    _ scale: Scale, ticks: [Double], title: String, text: (Double) -> String
  ) {
    for tick in ticks {
      let y = scale(tick)
      add("<line class=\"rule\" x1=\"\(left)\" x2=\"\(right)\" y1=\"\(y)\" y2=\"\(y)\"/>")
      add("<text class=\"tick\" x=\"\(left - 6)\" y=\"\(y + 4)\" text-anchor=\"end\">")
      add("\(text(tick))</text>")
    }
    guard !title.isEmpty else { return }
    add("<text class=\"axis\" x=\"0\" y=\"11\">\(title)</text>")
  }

  /// The base line with values below it, and below them what they are.
  mutating func horizontalAxis(
    _ scale: Scale, ticks: [Double], title: String, text: (Double) -> String
  ) {
    add("<line class=\"base\" x1=\"\(left)\" x2=\"\(right)\" y1=\"\(bottom)\" y2=\"\(bottom)\"/>")
    for tick in ticks {
      let x = scale(tick)
      let anchor = x > right - 8 ? "end" : x < left + 4 ? "start" : "middle"
      let end = anchor == "end" ? min(x + 8, width) : anchor == "start" ? x - 4 : x
      add("<text class=\"tick\" x=\"\(end)\" y=\"\(bottom + 16)\" text-anchor=\"\(anchor)\">")
      add("\(text(tick))</text>")
    }
    guard !title.isEmpty else { return }
    add("<text class=\"axis\" x=\"\(right)\" y=\"\(height - 4)\" text-anchor=\"end\">")
    add("\(title)</text>")
  }

  /// A line through points.
  mutating func line(_ points: [Point], _ style: String) {
    guard points.count > 1 else { return }
    add("<path class=\"line \(style)\" d=\"\(Self.path(points))\"/>")
  }

  /// A straight dashed line, for what something is compared with.
  mutating func reference(_ from: Point, _ to: Point) {
    add("<line class=\"reference\" x1=\"\(from.x)\" y1=\"\(from.y)\" ")
    add("x2=\"\(to.x)\" y2=\"\(to.y)\"/>")
  }

  mutating func dot(_ point: Point, _ style: String, radius: Double = 3.5) {
    add("<circle class=\"dot \(style)\" cx=\"\(point.x)\" cy=\"\(point.y)\" r=\"\(radius)\"/>")
  }

  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, _ style: String
  ) {
    add("<rect class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" width=\"\(max(width, 0))\" ")
    add("height=\"\(max(height, 0))\"/>")
  }

  mutating func text(_ text: String, at point: Point, anchor: String = "start", _ style: String) {
    add("<text class=\"\(style)\" x=\"\(point.x)\" y=\"\(point.y)\" text-anchor=\"\(anchor)\">")
    add("\(text)</text>")
  }

  /// The picture.
  /// - Parameters:
  ///   - title: says in words what it shows.
  ///   - style: classes of its own.
  func svg(_ title: String, _ style: String = "") -> HTML {
    """
    <svg class="\(style)" viewBox="0 0 \(width) \(height)" role="img" aria-label="\(title)" \
    preserveAspectRatio="xMidYMid meet">\(marks)</svg>
    """
  }

  private static func path(_ points: [Point]) -> HTML {
    var path = HTML()
    for (index, point) in points.enumerated() {
      path += index == 0 ? "M\(point.x) \(point.y)" : "L\(point.x) \(point.y)"
    }
    return path
  }
}
