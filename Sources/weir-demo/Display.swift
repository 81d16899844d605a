import Foundation

/// Writes to standard output. On a terminal a few live lines are redrawn in place; elsewhere one
/// plain line comes once a second.
struct Display {
  private let isTerminal = isatty(STDOUT_FILENO) == 1
  private let hasColour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
  private var headings = 0
  private var liveLines = 0
  private var drawn = 0.0
  private var isClosed = false

  /// - Throws: `Interrupted` once nobody reads the output any more.
  func check() throws { if isClosed { throw Interrupted() } }

  mutating func title(_ text: String) { write("\n" + style(text, "1") + "\n") }

  mutating func heading(_ text: String) {
    endLive()
    headings += 1
    write("\n" + style("\(headings)  \(text)", "1;36") + "\n")
  }

  mutating func text(_ lines: String) {
    endLive()
    let indented = lines.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.isEmpty ? "\n" : "   \($0)\n"
    }
    write(indented.joined())
  }

  /// Says that something was checked and held.
  mutating func passed(_ text: String) {
    endLive()
    write("   \(style("✓", "1;32")) \(text)\n")
  }

  /// Whether what changes is to be drawn again: ten times a second on a terminal, once a second
  /// elsewhere.
  var isDue: Bool { monotonicSeconds() - drawn >= (isTerminal ? 0.1 : 1) }

  /// Draws what changes.
  /// - Parameters:
  ///   - lines: for a terminal.
  ///   - plain: for a file or a pipe.
  mutating func live(lines: [String], plain: String) {
    drawn = monotonicSeconds()
    guard isTerminal else { return write("   \(plain)\n") }
    let up = liveLines == 0 ? "" : "\u{1B}[\(liveLines)F"
    // Without line wrapping, a line is a line in the narrowest window too.
    let body = lines.map { "\u{1B}[2K   \($0)\n" }.joined()
    write(up + "\u{1B}[?7l" + body + "\u{1B}[?7h")
    liveLines = lines.count
  }

  /// What was drawn last stays; what comes next is drawn below it.
  private mutating func endLive() {
    liveLines = 0
  }

  private func style(_ text: String, _ code: String) -> String {
    hasColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  private mutating func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty, !isClosed {
      let count = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { isClosed = true }
    }
  }
}

/// A bar of 30 characters.
func bar(_ fraction: Double) -> String {
  let full = Int(30 * min(max(fraction, 0), 1))
  return String(repeating: "█", count: full) + String(repeating: "░", count: 30 - full)
}

/// Seconds on a clock that only goes forward.
func monotonicSeconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

/// `part` of `whole` in percent, or a dash.
func percent(_ part: Int, of whole: Int) -> String {
  whole == 0 ? "–" : String(format: "%.1f %%", 100 * Double(part) / Double(whole))
}

/// A figure with so many digits behind the point, or a dash where it is not defined.
func figure(_ value: Double?, digits: Int = 3) -> String {
  value.map { String(format: "%.\(digits)f", $0) } ?? "–"
}

extension String {
  /// Filled up with spaces behind it.
  func left(_ width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
  /// Filled up with spaces before it.
  func right(_ width: Int) -> String { String(repeating: " ", count: max(width - count, 0)) + self }
}

extension BinaryInteger {
  /// Decimal digits in groups of three.
  var grouped: String {
    var text = ""
    for (index, digit) in String(self).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }
}
