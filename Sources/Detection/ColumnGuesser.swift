import Glibc

/// Guesses what a column is, and makes a feature of it.
struct ColumnGuesser {
  let column: TableColumn
  /// Whether it was asked for by its name.
  let isNamed: Bool
  let isStream: Bool

  /// What the values are, the feature that is made of them, nil if there is none, and why.
  func guess() -> (kind: ColumnGuess.Kind, values: [Double]?, reason: String) {
    switch column.values {
    case .notHeld: (.unread, nil, "left out by name")
    case .missing: (.empty, nil, column.notFinite > 0 ? notFinite : "no value")
    case .manyTexts:
      (
        .text, nil,
        "more than \(TableColumn.largestTextCount) different texts, or long ones" + start
      )
    case .numbers(let numbers): guess(numbers)
    case .times(let times):
      if isConstant(times) {
        (.time, nil, "always the same")
      } else if isNamed {
        (.time, times, "taken as a number")
      } else {
        (.time, nil, "a time; learnt from only where it is named")
      }
    case .texts(let codes, let distinct): guess(codes, distinct)
    }
  }

  private func guess(
    _ numbers: [Double]
  ) -> (kind: ColumnGuess.Kind, values: [Double]?, reason: String) {
    if isConstant(numbers) {
      let only = numbers.first { !$0.isNaN } ?? 0
      return (.number, nil, "always \(ColumnBuilder.numberText(only))")
    }
    if !isNamed, numbersRows(numbers) {
      return (.number, nil, "numbers the rows: rises by 1 from each to the next")
    }
    if !isNamed, neverFalls(numbers) {
      return isStream
        ? (.number, nil, "never falls, as a clock or a counter; learnt from only where it is named")
        : (.number, numbers, "never falls: if it is a clock or a counter, leave it out by name")
    }
    return (.number, numbers, column.notFinite > 0 ? notFinite : "")
  }

  private func guess(
    _ codes: [UInt32], _ distinct: [String]
  ) -> (kind: ColumnGuess.Kind, values: [Double]?, reason: String) {
    let truths = distinct.map(Self.truth)
    let isBoolean = truths.allSatisfy { $0 != nil }
    guard distinct.count > 1 else {
      return (isBoolean ? .boolean : .category, nil, "always '\(distinct[0])'" + start)
    }
    if isBoolean {
      let numbers = codes.map {
        $0 == TableColumn.missingCode ? .nan : truths[Int($0)] == true ? 1.0 : 0
      }
      return isConstant(numbers) ? (.boolean, nil, "always the same") : (.boolean, numbers, "")
    }
    let filled = codes.count - column.missing
    guard distinct.count <= TableFeatures.fewestTexts || distinct.count * 2 <= filled else {
      return (.text, nil, "\(distinct.count) different texts in \(filled) rows" + start)
    }
    let surprises = isStream ? surprisesSoFar(codes, distinct.count) : surprises(codes)
    guard !isConstant(surprises) else {
      return (.category, nil, "\(distinct.count) texts, each as often" + start)
    }
    return (.category, surprises, "\(distinct.count) texts; learnt is how rare each is" + start)
  }

  // MARK: How rare texts are

  /// −log₂ of the share of the rows that have the same text.
  private func surprises(_ codes: [UInt32]) -> [Double] {
    let rows = column.rowsOfText
    let filled = Double(rows.reduce(0, +))
    let bits = rows.map { log2(filled / Double($0)) }
    return codes.map { $0 == TableColumn.missingCode ? .nan : bits[Int($0)] }
  }

  /// The same of the rows before, of which every text is taken to have been in one more, and so is
  /// one that is yet to come.
  private func surprisesSoFar(_ codes: [UInt32], _ distinct: Int) -> [Double] {
    var rows = [Double](repeating: 1, count: distinct)
    var sum = 1.0
    return codes.map { code in
      guard code != TableColumn.missingCode else { return .nan }
      let surprise = log2(sum / rows[Int(code)])
      // A text comes for the first time: it, too, had been counted once.
      sum += rows[Int(code)] == 1 ? 2 : 1
      rows[Int(code)] += 1
      return surprise
    }
  }

  // MARK: What is said of a column

  private var notFinite: String {
    "\(column.notFinite) not finite or beyond ±3.4e38, taken as missing"
  }

  /// Where a column stopped being numbers or times.
  private var start: String {
    column.firstText.map { "; texts because of row \($0.row): '\($0.text)'" } ?? ""
  }

  /// Whether all rows that have a value have the same.
  private func isConstant(_ numbers: [Double]) -> Bool {
    guard let first = numbers.first(where: { !$0.isNaN }) else { return true }
    return numbers.allSatisfy { $0 == first || $0.isNaN }
  }

  private func numbersRows(_ numbers: [Double]) -> Bool {
    numbers.count >= TableFeatures.fewestRisingNumbers
      && numbers.indices.allSatisfy { numbers[$0] == numbers[0] + Double($0) }
  }

  private func neverFalls(_ numbers: [Double]) -> Bool {
    var last = -Double.infinity
    var rises = 0
    for number in numbers where !number.isNaN {
      if number < last { return false }
      if number > last { rises += 1 }
      last = number
    }
    return rises >= TableFeatures.fewestRisingNumbers
  }

  private static func truth(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "yes": true
    case "false", "no": false
    default: nil
    }
  }
}
