/// The UTC day of a time: floor(milliseconds / 86,400,000).
///
/// - Parameter milliseconds: since 1970-01-01 UTC; may be negative.
/// - Returns: the day, or the nearest one that fits into 32 bits, more than five million years away.
public func utcDay(ofMilliseconds milliseconds: Int64) -> Int32 {
  let perDay: Int64 = 86_400_000
  let (quotient, remainder) = milliseconds.quotientAndRemainder(dividingBy: perDay)
  return Int32(clamping: remainder < 0 ? quotient - 1 : quotient)
}
