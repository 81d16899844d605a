/// Scores as integers in the same order, which sort by radix.
enum ScoreKey {
  /// Keys are ordered and equal exactly as the scores are; −0 and 0 share one.
  ///
  /// - Precondition: the score is not NaN.
  @inline(__always)
  static func key(_ score: Float) -> UInt32 {
    let bits = (score + 0).bitPattern
    return bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
  }

  /// The score of a key.
  @inline(__always)
  static func score(_ key: UInt32) -> Float {
    Float(bitPattern: key >> 31 == 0 ? ~key : key & 0x7fff_ffff)
  }

  /// Sorts by three passes of 11 bits.
  ///
  /// - Parameters:
  ///   - keys: sorted in place.
  ///   - scratch: grown to the length of `keys`; its contents are of no use afterwards.
  static func sort(_ keys: inout [UInt32], scratch: inout [UInt32]) {
    if keys.count < 256 {
      keys.sort()
      return
    }
    if scratch.count < keys.count {
      scratch = [UInt32](repeating: 0, count: keys.count)
    }
    var first = [Int](repeating: 0, count: 2_048)
    var second = first
    var third = first
    for key in keys {
      first[Int(key & 2_047)] += 1
      second[Int(key >> 11 & 2_047)] += 1
      third[Int(key >> 22)] += 1
    }
    scatter(keys, count: keys.count, into: &scratch, shift: 0, counts: &first)
    scatter(scratch, count: keys.count, into: &keys, shift: 11, counts: &second)
    scatter(keys, count: keys.count, into: &scratch, shift: 22, counts: &third)
    keys.replaceSubrange(0..<keys.count, with: scratch[..<keys.count])
  }

  private static func scatter(
    _ source: [UInt32], count: Int, into target: inout [UInt32], shift: UInt32, counts: inout [Int]
  ) {
    var total = 0
    for bucket in counts.indices {
      let size = counts[bucket]
      counts[bucket] = total
      total += size
    }
    for index in 0..<count {
      let key = source[index]
      let bucket = Int(key >> shift & 2_047)
      target[counts[bucket]] = key
      counts[bucket] += 1
    }
  }
}
