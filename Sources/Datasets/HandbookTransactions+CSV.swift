extension HandbookTransactions {
  /// The header line, without its end.
  public static let csvHeader =
    "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,"
    + "TX_TIME_DAYS,TX_FRAUD,TX_FRAUD_SCENARIO"

  private static let chunkSize = 256 * 1024

  /// Writes the transactions as CSV with a header line and `\n` line ends.
  ///
  /// Times are UTC, as `2018-04-01 00:00:31`; amounts are the shortest decimals that read back to
  /// the same number.
  ///
  /// - Parameters:
  ///   - days: transactions of the first so many days are written; nil: all.
  ///   - chunk: takes the text in pieces of about 256 KiB that end at a line's end.
  /// - Throws: what `chunk` throws; nothing more is written then.
  public func writeCSV(days: Int? = nil, chunk: ([UInt8]) throws -> Void) rethrows {
    var buffer: [UInt8] = []
    buffer.reserveCapacity(Self.chunkSize + 256)
    buffer.append(contentsOf: Self.csvHeader.utf8)
    buffer.append(UInt8(ascii: "\n"))
    var date: [UInt8] = []
    var dateDay: Int32 = -1
    for index in indices {
      let second = seconds[index]
      let day = second / 86_400
      if let days, day >= days { break }
      if day != dateDay {
        date = Self.dateText(day: day)
        dateDay = day
      }
      Self.append(UInt64(index), to: &buffer)
      buffer.append(UInt8(ascii: ","))
      buffer.append(contentsOf: date)
      Self.appendTime(UInt64(second % 86_400), to: &buffer)
      Self.appendField(UInt64(customers[index]), to: &buffer)
      Self.appendField(UInt64(terminals[index]), to: &buffer)
      buffer.append(UInt8(ascii: ","))
      Self.append(amount: amounts[index], to: &buffer)
      Self.appendField(UInt64(second), to: &buffer)
      Self.appendField(UInt64(day), to: &buffer)
      Self.appendField(scenarios[index] == 0 ? 0 : 1, to: &buffer)
      Self.appendField(UInt64(scenarios[index]), to: &buffer)
      buffer.append(UInt8(ascii: "\n"))
      if buffer.count >= Self.chunkSize {
        try chunk(buffer)
        buffer.removeAll(keepingCapacity: true)
      }
    }
    if !buffer.isEmpty { try chunk(buffer) }
  }

  private static func appendField(_ number: UInt64, to buffer: inout [UInt8]) {
    buffer.append(UInt8(ascii: ","))
    append(number, to: &buffer)
  }

  private static func append(_ number: UInt64, to buffer: inout [UInt8]) {
    var power: UInt64 = 1
    while number / power >= 10 { power *= 10 }
    while power > 0 {
      buffer.append(UInt8(ascii: "0") + UInt8(number / power % 10))
      power /= 10
    }
  }

  private static func appendPair(_ number: UInt64, to buffer: inout [UInt8]) {
    buffer.append(UInt8(ascii: "0") + UInt8(number / 10))
    buffer.append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  /// Appends ` hh:mm:ss`.
  private static func appendTime(_ second: UInt64, to buffer: inout [UInt8]) {
    buffer.append(UInt8(ascii: " "))
    appendPair(second / 3_600, to: &buffer)
    buffer.append(UInt8(ascii: ":"))
    appendPair(second / 60 % 60, to: &buffer)
    buffer.append(UInt8(ascii: ":"))
    appendPair(second % 60, to: &buffer)
  }

  private static func append(amount: Double, to buffer: inout [UInt8]) {
    let hundredths = (amount * 100).rounded()
    // Of all decimals with up to 15 digits at most one reads back to a given number, so where whole
    // hundredths do, they are the shortest form once a closing zero is dropped.
    guard hundredths / 100 == amount, hundredths < 1e15 else {
      buffer.append(contentsOf: amount.description.utf8)
      return
    }
    let whole = UInt64(hundredths)
    append(whole / 100, to: &buffer)
    buffer.append(UInt8(ascii: "."))
    buffer.append(UInt8(ascii: "0") + UInt8(whole / 10 % 10))
    if whole % 10 != 0 { buffer.append(UInt8(ascii: "0") + UInt8(whole % 10)) }
  }

  /// The date `day` days after 2018-04-01, as yyyy-mm-dd in the Gregorian calendar.
  private static func dateText(day: Int32) -> [UInt8] {
    var year = 2018
    var month = 4
    var remaining = Int(day)
    while remaining >= length(ofMonth: month, year: year) {
      remaining -= length(ofMonth: month, year: year)
      month += 1
      if month == 13 {
        month = 1
        year += 1
      }
    }
    var text: [UInt8] = []
    append(UInt64(year), to: &text)
    text.append(UInt8(ascii: "-"))
    appendPair(UInt64(month), to: &text)
    text.append(UInt8(ascii: "-"))
    appendPair(UInt64(remaining + 1), to: &text)
    return text
  }

  private static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2:
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      return isLeap ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
  }
}
