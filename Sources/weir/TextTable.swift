import Foundation

/// A table for a terminal: a header, a rule, and columns as wide as they must be.
struct TextTable {
  enum Column {
    case left(String)
    case right(String)

    var title: String {
      switch self {
      case .left(let title), .right(let title): title
      }
    }
  }

  private let columns: [Column]
  private var rows: [[String]]

  init(_ columns: [Column]) {
    self.columns = columns
    rows = [columns.map(\.title)]
  }

  mutating func add(_ row: [String]) { rows.append(row) }

  var text: String {
    let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { index, cell in
        let space = String(repeating: " ", count: widths[index] - cell.count)
        if case .left = columns[index] { return cell + space }
        return space + cell
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}

/// A figure of merit with four digits, or a dash where it is not defined.
func figure(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "–" }

/// A number with six significant digits.
func significant(_ value: Double) -> String { String(format: "%.6g", value) }
