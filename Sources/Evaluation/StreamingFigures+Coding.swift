// The format, one byte after another:
//
//   format      1 byte, 1
//   scale       1 byte, ScoreScale
//   log loss    8 bytes, the sum as an IEEE double, least significant byte first
//   Brier       8 bytes, the sum likewise
//   positives   histogram
//   negatives   histogram
//
// A histogram is the number of non-empty bins, then for each of them the number of empty bins
// before it and its count. All of these are unsigned LEB128 varints in their shortest form. The
// numbers of events and positives follow from the histograms.
extension StreamingFigures {
  static let format: UInt8 = 1

  /// The figures as bytes, from which ``init(decoding:)`` makes equal ones; equal figures give
  /// equal bytes. At most about 20 KiB for a million events, and 20 bytes without any.
  public func encode() -> [UInt8] {
    var bytes: [UInt8] = [Self.format, scale.rawValue]
    Self.append(logLossSum, to: &bytes)
    Self.append(squaredErrorSum, to: &bytes)
    Self.append(positiveBins, to: &bytes)
    Self.append(negativeBins, to: &bytes)
    return bytes
  }

  /// Reads what ``encode()`` wrote.
  ///
  /// - Throws: ``StreamingFiguresError``.
  public init(decoding bytes: [UInt8]) throws(StreamingFiguresError) {
    var reader = ByteReader(bytes)
    let format = try reader.byte()
    guard format == Self.format else { throw .unknownFormat(format) }
    let rawScale = try reader.byte()
    guard let scale = ScoreScale(rawValue: rawScale) else { throw .unknownScale(rawScale) }
    self.init(scale: scale)
    logLossSum = try reader.double()
    squaredErrorSum = try reader.double()
    positives = try reader.histogram(into: &positiveBins)
    let negatives = try reader.histogram(into: &negativeBins)
    guard reader.remaining == 0 else { throw .trailingBytes(reader.remaining) }
    let (events, overflow) = positives.addingReportingOverflow(negatives)
    guard !overflow else { throw .inconsistent("more events than can be counted") }
    self.events = events
    guard logLossSum.isFinite, logLossSum >= 0, squaredErrorSum.isFinite, squaredErrorSum >= 0
    else { throw .inconsistent("a sum of losses is not a finite number from 0 up") }
    guard scale == .probability && events > 0 || (logLossSum == 0 && squaredErrorSum == 0)
    else { throw .inconsistent("losses without probabilities") }
  }

  private static func append(_ number: Double, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> UInt64(shift)))
    }
  }

  private static func append(_ bins: [UInt64], to bytes: inout [UInt8]) {
    append(UInt64(bins.count { $0 > 0 }), to: &bytes)
    var empty: UInt64 = 0
    for count in bins {
      if count == 0 {
        empty += 1
      } else {
        append(empty, to: &bytes)
        append(count, to: &bytes)
        empty = 0
      }
    }
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

private struct ByteReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var remaining: Int { bytes.count - position }

  mutating func byte() throws(StreamingFiguresError) -> UInt8 {
    guard position < bytes.count else { throw .truncated }
    position += 1
    return bytes[position - 1]
  }

  mutating func double() throws(StreamingFiguresError) -> Double {
    var pattern: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 8) {
      pattern |= UInt64(try byte()) << UInt64(shift)
    }
    return Double(bitPattern: pattern)
  }

  mutating func varint() throws(StreamingFiguresError) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<10 {
      let next = try byte()
      // The tenth byte has room for one bit; a closing zero byte would not be the shortest form.
      guard index < 9 || next <= 1, index == 0 || next != 0 else {
        throw .inconsistent("a malformed number")
      }
      number |= UInt64(next & 0x7f) << UInt64(7 * index)
      if next < 0x80 { return number }
    }
    throw .inconsistent("a malformed number")
  }

  /// Fills the bins and returns the sum of their counts.
  mutating func histogram(
    into bins: inout [UInt64]
  ) throws(StreamingFiguresError) -> UInt64 {
    let filled = try varint()
    guard filled <= UInt64(bins.count) else { throw .inconsistent("too many bins") }
    var bin = 0
    var total: UInt64 = 0
    for _ in 0..<filled {
      let empty = try varint()
      guard empty < UInt64(bins.count - bin) else { throw .inconsistent("too many bins") }
      bin += Int(empty)
      let count = try varint()
      let (sum, overflow) = total.addingReportingOverflow(count)
      guard count > 0, !overflow else { throw .inconsistent("an impossible count") }
      bins[bin] = count
      total = sum
      bin += 1
    }
    return total
  }
}
