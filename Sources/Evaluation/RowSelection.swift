/// Which rows of an ``EvaluationTable`` figures are of.
public enum RowSelection: Sendable, Equatable {
  /// All of them.
  case all
  /// Those in a range.
  case range(Range<Int>)
  /// These, in rising order.
  case rows([UInt32])

  func count(of rows: Int) -> Int {
    switch self {
    case .all: rows
    case .range(let range): range.count
    case .rows(let list): list.count
    }
  }
}
