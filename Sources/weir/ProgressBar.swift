import Glibc

/// One line on a terminal's standard error that shows how far a job is, at which rate, and how long
/// it will take. Silent where standard error is no terminal.
struct ProgressBar {
  private let title: String
  private let started = monotonicSeconds()
  private var drawn = 0.0
  private let isTerminal = isatty(2) == 1

  init(_ title: String) { self.title = title }

  /// Draws at most ten times a second.
  /// - Parameter fraction: share done, nil if unknown.
  mutating func update(count: UInt64, unit: String, fraction: Double?) {
    guard isTerminal, monotonicSeconds() - drawn >= 0.1 else { return }
    drawn = monotonicSeconds()
    let elapsed = max(drawn - started, 1e-3)
    var line = "\r\u{1B}[K\(title) "
    if let fraction {
      let width = 28
      let full = Int(fraction * Double(width))
      line +=
        "[" + String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
      line += "] \(Int(fraction * 100)) %  "
      if fraction > 0.01 { line += "\(Self.clock(elapsed / fraction - elapsed)) left  " }
    }
    line += "\(count.grouped) \(unit)  \(UInt64(Double(count) / elapsed).grouped)/s"
    printError(line)
  }

  /// Removes the line.
  func finish() { if isTerminal { printError("\r\u{1B}[K") } }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(max(seconds, 0).rounded(.up))
    return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
  }
}

extension BinaryInteger {
  /// Decimal digits in groups of three.
  var grouped: String {
    var digits = String(self)
    var index = digits.endIndex
    while digits.distance(from: digits.startIndex, to: index) > (self < 0 ? 4 : 3) {
      index = digits.index(index, offsetBy: -3)
      digits.insert(",", at: index)
    }
    return digits
  }
}
