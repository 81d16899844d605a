import Glibc

/// How many characters a line of standard output has; nil where it is no terminal and COLUMNS does
/// not say.
func terminalWidth() -> Int? {
  var size = winsize()
  if isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0,
    size.ws_col > 0
  {
    return Int(size.ws_col)
  }
  return environment("COLUMNS").flatMap { Int($0) }
}

/// Values as a line of bars.
struct Sparkline {
  private static let bars = Array("▁▂▃▄▅▆▇█")

  let text: String
  /// The lowest and the highest value drawn.
  let range: ClosedRange<Double>

  /// Nil without values. Where there are more than `width` values, neighbours are averaged; a value
  /// that is not defined is a gap.
  init?(_ values: [Double?], width: Int) {
    let cells = min(width, values.count)
    let means = (0..<max(cells, 0)).map { cell -> Double? in
      let part = values[cell * values.count / cells..<(cell + 1) * values.count / cells]
      let defined = part.compactMap { $0 }
      return defined.isEmpty ? nil : defined.reduce(0, +) / Double(defined.count)
    }
    guard let low = means.compactMap({ $0 }).min(), let high = means.compactMap({ $0 }).max()
    else { return nil }
    range = low...high
    text = String(
      means.map { mean -> Character in
        guard let mean else { return " " }
        let place = high > low ? (mean - low) / (high - low) * 7 : 3
        return Self.bars[Int(place.rounded())]
      })
  }
}
