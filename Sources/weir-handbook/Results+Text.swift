import Features
import Pipeline

extension Results {
  var text: String {
    [comparison, figures, policies, times].compactMap { $0 }.joined(separator: "\n\n")
  }

  private var comparison: String? {
    features.map {
      """
      features as scored from 25 July to 14 August 2018, beside those of the book's authors:
      \($0.differences.count) of \($0.rows) transactions differ
      """
    }
  }

  private var figures: String {
    var rows = [["four test weeks from 8 August 2018 on"] + BookProtocol.figures.map(\.title)]
    for table in tables {
      rows.append(
        [table.file]
          + table.figures.map { spread in
            spread.map { "\(decimals($0.mean)) ± \(decimals($0.deviation))" } ?? "–"
          })
    }
    for (name, figures) in BookProtocol.published {
      // Aligned with the means above them.
      let cells = figures.map { decimals($0, 3) + String(repeating: " ", count: 10) }
      rows.append(["the book's \(name)"] + cells)
    }
    return aligned(rows)
      + "\nmean ± spread over the weeks; learning goes on, labels come 7 days late, customers known"
      + "\nas defrauded are left out"
  }

  private var policies: String {
    let weeks = BookProtocol.weeks.map { EventTime.dayText(EventTime.day($0.from)) }
    let rows = drift.map { entry in
      let values = [entry.first, entry.later].flatMap { $0?.values ?? [] }
      return [entry.policy.rawValue] + values.map { decimals($0) }
    }
    let change = EventTime.dayText(EventTime.day(BookProtocol.change))
    return aligned([["card testing sets in: AUROC"] + weeks] + rows)
      + "\nby the week's first day, with \(driftFile); from \(change) on there is a fourth"
      + "\nkind of fraud, which the book has not. "
      + drift.map { "\($0.policy.rawValue): \($0.policy.description)" }.joined(separator: ";\n")
  }

  private var times: String {
    "seconds: " + seconds.map { "\($0.part) \(decimals($0.seconds, 1))" }.joined(separator: ", ")
  }

  /// The first column to the left, the others to the right; the first row is a header.
  private func aligned(_ rows: [[String]]) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  /// A number that is not negative with so many digits behind the point.
  private func decimals(_ value: Double, _ digits: Int = 4) -> String {
    let scale = (0..<digits).reduce(1) { result, _ in result * 10 }
    let (whole, rest) = Int((value * Double(scale)).rounded()).quotientAndRemainder(
      dividingBy: scale)
    let fraction = String(rest)
    return "\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }
}
