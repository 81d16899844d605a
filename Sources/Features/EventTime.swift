import Files

/// Event times: milliseconds since 1970-01-01 00:00 UTC, and their calendar. Time zones are not
/// guessed: a time without an offset is UTC.
public enum EventTime {
  /// How a bare number counts.
  public enum Unit: String, Sendable, CaseIterable {
    case seconds
    case milliseconds
  }

  /// Of a day without leap seconds.
  public static let millisecondsPerDay: Int64 = 86_400_000

  /// 9999-12-31 23:59:59.999.
  public static let latest: Int64 = 253_402_300_799_999

  /// A number of seconds or milliseconds since 1970; nil outside 1970 to 9999.
  static func milliseconds(number: Double, unit: Unit) -> Int64? {
    let value = (unit == .seconds ? number * 1000 : number).rounded()
    guard value >= 0, value <= Double(latest) else { return nil }
    return Int64(value)
  }

  /// Reads `yyyy-MM-dd`, optionally followed by `T` or a space and `HH:mm[:ss[.fraction]]`,
  /// optionally followed by `Z` or `±HH[:]mm` (RFC 3339 and what databases print); nil if `text`
  /// is none of these.
  public static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
    var scanner = Scanner(text: text)
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2),
      scanner.take("-"), let day = scanner.number(2), month >= 1, month <= 12, day >= 1,
      day <= daysInMonth(year, month)
    else { return nil }
    var result = Int64(daysSinceEpoch(year: year, month: month, day: day)) * millisecondsPerDay
    if !scanner.isAtEnd {
      guard scanner.take("T") || scanner.take(" ") || scanner.take("t"),
        let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2),
        hour < 24, minute < 60
      else { return nil }
      result += Int64(hour * 3_600_000 + minute * 60_000)
      if scanner.take(":") {
        guard let second = scanner.number(2), second < 60 else { return nil }
        result += Int64(second * 1000)
        if scanner.take(".") {
          guard let fraction = scanner.milliseconds() else { return nil }
          result += fraction
        }
      }
      if !scanner.isAtEnd, !scanner.take("Z"), !scanner.take("z") {
        guard let offset = scanner.offset() else { return nil }
        result -= offset
      }
    }
    return scanner.isAtEnd && result >= 0 && result <= latest ? result : nil
  }

  /// Reads a time from left to right.
  private struct Scanner {
    let text: UnsafeRawBufferPointer
    private var index = 0

    init(text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { index == text.count }

    /// Exactly so many digits.
    @inline(__always)
    mutating func number(_ digits: Int) -> Int? {
      guard index + digits <= text.count else { return nil }
      var value = 0
      for offset in 0..<digits {
        let digit = text[index + offset] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value * 10 + Int(digit)
      }
      index += digits
      return value
    }

    @inline(__always)
    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    /// The digits of a fraction of a second, in milliseconds; what is finer is cut off.
    mutating func milliseconds() -> Int64? {
      var result: Int64 = 0
      var scale: Int64 = 100
      guard let first = number(1) else { return nil }
      result = Int64(first) * scale
      while let digit = number(1) {
        scale /= 10
        result += Int64(digit) * scale
      }
      return result
    }

    /// `±HH[:]mm` in milliseconds.
    mutating func offset() -> Int64? {
      let sign: Int64
      if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
      guard let hours = number(2), hours < 24 else { return nil }
      _ = take(":")
      guard let minutes = number(2), minutes < 60 else { return nil }
      return sign * Int64(hours * 3_600_000 + minutes * 60_000)
    }
  }

  /// Appends `yyyy-MM-ddTHH:mm:ss.SSSZ`.
  public static func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
    let date = civil(daysSinceEpoch: Int(floorDivide(milliseconds, millisecondsPerDay)))
    let inDay = Int(
      milliseconds - floorDivide(milliseconds, millisecondsPerDay) * millisecondsPerDay)
    func put(_ value: Int, _ width: Int) {
      var divisor = 1
      for _ in 1..<width { divisor *= 10 }
      var rest = value
      while divisor > 0 {
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor % 10))
        rest %= divisor
        divisor /= 10
      }
    }
    put(date.year, 4)
    bytes.append(UInt8(ascii: "-"))
    put(date.month, 2)
    bytes.append(UInt8(ascii: "-"))
    put(date.day, 2)
    bytes.append(UInt8(ascii: "T"))
    put(inDay / 3_600_000, 2)
    bytes.append(UInt8(ascii: ":"))
    put(inDay / 60_000 % 60, 2)
    bytes.append(UInt8(ascii: ":"))
    put(inDay / 1000 % 60, 2)
    bytes.append(UInt8(ascii: "."))
    put(inDay % 1000, 3)
    bytes.append(UInt8(ascii: "Z"))
  }

  /// `yyyy-MM-ddTHH:mm:ss.SSSZ`.
  public static func text(_ milliseconds: Int64) -> String {
    var bytes: [UInt8] = []
    append(milliseconds, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// `yyyy-MM-dd` of a day number.
  public static func dayText(_ day: Int) -> String {
    String(text(Int64(day) * millisecondsPerDay).prefix(10))
  }

  /// `yyyy-Www` of a day number, by ISO 8601: weeks begin on Mondays and belong to the year that
  /// their Thursday is in.
  public static func weekText(_ day: Int) -> String {
    let weekday = ((day + 3) % 7 + 7) % 7
    let thursday = day - weekday + 3
    let year = civil(daysSinceEpoch: thursday).year
    let week = (thursday - daysSinceEpoch(year: year, month: 1, day: 1)) / 7 + 1
    return "\(year)-W" + (week < 10 ? "0" : "") + "\(week)"
  }

  /// Days since 1970-01-01.
  @inline(__always)
  public static func day(_ milliseconds: Int64) -> Int {
    Int(floorDivide(milliseconds, millisecondsPerDay))
  }

  /// Hour of the day, 0 to 23.
  @inline(__always)
  static func hour(_ milliseconds: Int64) -> Int {
    Int((milliseconds - Int64(day(milliseconds)) * millisecondsPerDay) / 3_600_000)
  }

  /// Day of the week, Monday is 0. 1970-01-01 was a Thursday.
  @inline(__always)
  static func weekday(_ milliseconds: Int64) -> Int {
    let shifted = (day(milliseconds) + 3) % 7
    return shifted < 0 ? shifted + 7 : shifted
  }

  @inline(__always)
  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    value >= 0 ? value / divisor : (value - divisor + 1) / divisor
  }

  private static func daysInMonth(_ year: Int, _ month: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 of a date in the Gregorian calendar: years counted from March, so that
  /// the leap day is a year's last.
  static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
    let marchYear = month > 2 ? year : year - 1
    let marchMonth = (month + 9) % 12
    let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
    return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
  }

  static func civil(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
    let days = daysSinceEpoch + 719_468
    let era = days / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
      dayOfYear - (153 * marchMonth + 2) / 5 + 1
    )
  }
}
