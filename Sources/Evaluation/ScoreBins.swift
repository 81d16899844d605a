/// The bins of ``StreamingFigures``: a fixed, monotone map of [0, 1] to 0..<2048, symmetric about ½.
///
/// From 1/16 to 15/16 bins are 2⁻¹⁰ wide. Towards both ends they narrow in proportion, 64 to an
/// octave, and within 2⁻¹² of an end they are 2⁻¹⁸ wide: fraud probabilities crowd there.
enum ScoreBins {
  static let count = 2_048
  private static let half = 1_024
  private static let endBins = 64
  private static let binsPerOctave = 64
  private static let octaves = 8

  /// The bin of a score; scores outside the scale fall into its first or last bin.
  ///
  /// - Precondition: the score is not NaN.
  @inline(__always)
  static func bin(_ score: Float, scale: ScoreScale) -> Int {
    var value = max(Double(score), 0)
    // Rounded to double precision the quotient never reverses the order of two floats.
    if scale == .nonNegative { value = value.isInfinite ? 1 : value / (1 + value) }
    value = min(value, 1)
    // 1 − value is exact from ½ up, so the upper half mirrors the lower one bin by bin.
    return value < 0.5 ? lowerBin(value) : count - 1 - lowerBin(1 - value)
  }

  /// The bin of a value in 0...½.
  @inline(__always)
  private static func lowerBin(_ value: Double) -> Int {
    if value >= 0x1p-4 {
      return min(half - 1, endBins + octaves * binsPerOctave + Int((value - 0x1p-4) * 0x1p10))
    }
    if value < 0x1p-12 { return Int(value * 0x1p18) }
    let octave = Int(value.exponent) + 12
    return endBins + octave * binsPerOctave + Int((value.significand - 1) * Double(binsPerOctave))
  }
}
