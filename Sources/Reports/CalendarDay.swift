/// A day of the Gregorian calendar in UTC, out of `2018-04-01` or the beginning of a time.
struct CalendarDay {
  let year: Int
  let month: Int
  let day: Int

  /// Days since 1970-01-01.
  let number: Int

  init?(_ text: String?) {
    guard let text else { return nil }
    let fields = text.prefix(10).split(separator: "-", omittingEmptySubsequences: false)
    guard fields.count == 3, fields[0].utf8.count == 4, let year = Int(fields[0]),
      let month = Int(fields[1]), let day = Int(fields[2]), (1...12).contains(month),
      (1...31).contains(day), year > 0
    else { return nil }
    self.year = year
    self.month = month
    self.day = day
    number = Self.number(year: year, month: month, day: day)
  }

  /// The day after so many days since 1970-01-01.
  init(number: Int) {
    // Eras of 400 years that begin on 1 March, so that the leap day comes last.
    let shifted = number + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * ofYear + 2) / 153
    day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    self.number = number
  }

  private static func number(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear - 719_468
  }

  static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  var monthName: String { Self.months[month - 1] }

  /// `1 Apr`.
  var short: String { "\(day)\u{a0}\(monthName)" }

  /// `1 Apr 2018`.
  var long: String { "\(short)\u{a0}\(year)" }

  /// A time as days since 1970-01-01 with their fraction; only the day if no time of day follows.
  static func position(_ text: String?) -> Double? {
    guard let text, let day = CalendarDay(text) else { return nil }
    let clock = text.dropFirst(11).prefix(8).split(separator: ":").compactMap { Double($0) }
    guard clock.count == 3 else { return Double(day.number) }
    return Double(day.number) + (clock[0] * 3600 + clock[1] * 60 + clock[2]) / 86_400
  }

  /// From one day to the one before another: `8–14 Aug 2018`.
  static func range(_ from: CalendarDay, before end: CalendarDay) -> String {
    let last = CalendarDay(number: max(end.number - 1, from.number))
    if last.number == from.number { return from.long }
    if last.year != from.year { return "\(from.long) – \(last.long)" }
    return last.month == from.month
      ? "\(from.day)\u{2060}–\u{2060}\(last.long)" : "\(from.short) – \(last.long)"
  }

  /// From one day or time to before another, with times of day unless both are the beginnings of
  /// days: `20 Apr, 12:00 – 22 Apr 2018, 12:00`; nil if either is no time.
  static func range(_ from: String, before end: String) -> String? {
    guard let first = CalendarDay(from), let last = CalendarDay(end) else { return nil }
    let clocks = [clock(from), clock(end)]
    if clocks == ["00:00", "00:00"] { return range(first, before: last) }
    if first.number == last.number {
      return "\(first.long), \(clocks[0])\u{2060}–\u{2060}\(clocks[1])"
    }
    let start = first.year == last.year ? first.short : first.long
    return "\(start), \(clocks[0]) – \(last.long), \(clocks[1])"
  }

  /// The time of day, no finer than it takes: `12:00`, `12:00:30.500`.
  private static func clock(_ text: String) -> String {
    var clock = text.dropFirst(11).prefix { $0 != "Z" }
    if clock.hasSuffix(".000") { clock = clock.dropLast(4) }
    if clock.count > 5, clock.hasSuffix(":00") { clock = clock.dropLast(3) }
    return clock.isEmpty ? "00:00" : String(clock)
  }
}
