import Files

extension Table {
  /// The labels of all rows: true for an anomaly, nil where there is none.
  ///
  /// - Returns: nil if no label was asked for.
  /// - Throws: `FileError`, which names the first row with anything but 0 or 1, true or false, yes
  ///   or no.
  public func labels() throws(FileError) -> [Bool?]? {
    guard let name = selection.label, let column = columns.first(where: { $0.name == name }) else {
      return nil
    }
    func refuse(_ row: Int) -> FileError {
      let value = column.value(row)
      let text = value.double.map(ColumnBuilder.numberText) ?? value.text ?? "nothing"
      return FileError(
        path: path,
        reason: "row \(row + 1), column '\(name)': '\(text)' is no label; "
          + "expected 0 or 1, true or false, yes or no")
    }
    switch column.values {
    case .numbers(let numbers):
      if let row = numbers.firstIndex(where: { $0 != 0 && $0 != 1 && !$0.isNaN }) {
        throw refuse(row)
      }
      return numbers.map { $0.isNaN ? nil : $0 == 1 }
    case .texts(let codes, let distinct):
      let labels = distinct.map { text -> Bool? in
        switch text.lowercased() {
        case "1", "true", "yes": true
        case "0", "false", "no": false
        default: nil
        }
      }
      let isUnknown = { (code: UInt32) in
        code != TableColumn.missingCode && labels[Int(code)] == nil
      }
      if let row = codes.firstIndex(where: isUnknown) { throw refuse(row) }
      return codes.map { $0 == TableColumn.missingCode ? nil : labels[Int($0)] }
    case .times(let times): throw refuse(times.firstIndex { !$0.isNaN } ?? 0)
    case .manyTexts:
      throw FileError(
        path: path,
        reason: "column '\(name)' holds all kinds of texts, not labels; "
          + "expected 0 or 1, true or false, yes or no")
    case .missing, .notHeld: return Array(repeating: nil, count: rows)
    }
  }
}
