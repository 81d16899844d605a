extension Int32 {
  /// The Monday of a day's week, both as days since 1970-01-01, a Thursday.
  var monday: Int32 {
    let shifted = (Int64(self) + 3) % 7
    return Int32(clamping: Int64(self) - (shifted < 0 ? shifted + 7 : shifted))
  }
}
