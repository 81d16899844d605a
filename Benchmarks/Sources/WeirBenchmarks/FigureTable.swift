/// The table of figures for people, which is also valid Markdown.
struct FigureTable {
  private var rows: [[String]] = [
    ["figure", "median", "unit", "lowest", "highest", "by", "Weir is"]
  ]

  /// Adds the figures of a benchmark: Weir's and, below each, its peers' with the ratio.
  mutating func add(_ figures: [Harness.Figure]) {
    for own in figures where own.peer == nil {
      rows.append(row(own, ratio: ""))
      for other in figures
      where other.peer != nil && other.name == own.name && other.unit == own.unit {
        let isRate = Measurement.isBetterHigher(own.unit)
        let quotient = own.sample.median / other.sample.median
        let factor = isRate ? quotient : 1 / quotient
        let text =
          factor >= 1 ? "\(decimal(factor))× faster" : "\(decimal(1 / factor))× slower"
        rows.append(row(other, ratio: text))
      }
    }
  }

  private func row(_ figure: Harness.Figure, ratio: String) -> [String] {
    let sample = figure.sample
    return [
      figure.name, number(sample.median), figure.unit, number(sample.min), number(sample.max),
      figure.peer ?? "Weir", ratio,
    ]
  }

  private static let alignedRight: Set = [1, 3, 4]

  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    var lines = rows.map { row in
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return Self.alignedRight.contains(column) ? space + row[column] : row[column] + space
      }
      return "| " + cells.joined(separator: " | ") + " |"
    }
    let rule = widths.indices.map { column in
      let dashes = String(repeating: "-", count: widths[column] - 1)
      return Self.alignedRight.contains(column) ? dashes + ":" : dashes + "-"
    }
    lines.insert("| " + rule.joined(separator: " | ") + " |", at: 1)
    return lines.joined(separator: "\n") + "\n"
  }

  /// Three significant digits or whole numbers, in groups of three.
  private func number(_ value: Double) -> String {
    guard value >= 100 else { return decimal(value) }
    var digits = String(Int(value.rounded()))
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
  }

  private func decimal(_ value: Double) -> String {
    let scale: Double = value >= 10 ? 10 : 100
    return "\((value * scale).rounded() / scale)"
  }
}
