import Evaluation
import Testing

@Suite("Streaming figures")
struct StreamingFiguresTests {
  /// Scores of a shape (0 spread out, 1 crowded near 0, 2 near 1, 3 a few levels, 4 in the middle).
  private func sample(seed: UInt64, scale: ScoreScale) -> (scores: [Float], labels: [Bool]) {
    var generator = SeededGenerator(seed: seed)
    let count = Int.random(in: 2...2_000, using: &generator)
    let labels = (0..<count).map { _ in Int.random(in: 0..<6, using: &generator) == 0 }
    let scores: [Float] = labels.map { label in
      let draw = Float.random(in: 0...1, using: &generator)
      let shifted = label ? draw.squareRoot() : draw
      let shaped: Float =
        switch seed % 5 {
        case 0: shifted
        case 1: shifted * shifted * shifted / 100
        case 2: 1 - (1 - shifted) / 1_000
        case 3: (shifted * 12).rounded() / 12
        default: 0.45 + shifted / 10
        }
      return scale == .nonNegative ? shaped * 50 : shaped
    }
    return (scores, labels)
  }

  private func streamed(
    _ scores: [Float], _ labels: [Bool], _ scale: ScoreScale
  ) -> StreamingFigures {
    var figures = StreamingFigures(scale: scale)
    for (score, label) in zip(scores, labels) { figures.add(score: score, label: label) }
    return figures
  }

  @Test(
    "the binned area lies within its stated bound of the exact one", arguments: ScoreScale.allCases)
  func bound(scale: ScoreScale) {
    for seed in 1...60 as ClosedRange<UInt64> {
      let (scores, labels) = sample(seed: seed, scale: scale)
      let figures = streamed(scores, labels, scale)
      let exact = table(scores, labels, isProbability: scale == .probability).figures(model: 0)
      #expect((figures.areaUnderROC == nil) == (exact.areaUnderROC == nil), "seed \(seed)")
      guard let binned = figures.areaUnderROC, let area = exact.areaUnderROC,
        let bound = figures.areaUnderROCErrorBound, let binnedPrecision = figures.averagePrecision,
        let precision = exact.averagePrecision
      else { continue }
      #expect(abs(binned - area) <= bound + 1e-12, "seed \(seed)")
      // The bound itself is worth something, except where scores are few levels or
      // crowd far up an open scale.
      if seed % 5 != 3 && scale != .nonNegative { #expect(bound < 0.02, "seed \(seed)") }
      if seed % 5 != 3 && scale != .nonNegative && labels.count > 500 {
        #expect(abs(binnedPrecision - precision) < 0.05, "seed \(seed)")
      }
      #expect(isClose(figures.logLoss, exact.logLoss, within: 1e-9), "seed \(seed)")
      #expect(isClose(figures.brierScore, exact.brierScore), "seed \(seed)")
    }
  }

  @Test("scores spread over the scale leave an error bound below 0.001")
  func spread() {
    for seed in 1...5 as ClosedRange<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var figures = StreamingFigures(scale: .probability)
      for _ in 0..<50_000 {
        let score = Float.random(in: 0..<1, using: &generator)
        figures.add(score: score, label: Float.random(in: 0..<1, using: &generator) < score)
      }
      #expect(figures.areaUnderROCErrorBound! < 0.001, "seed \(seed)")
      // With labels drawn from uniform probabilities the area is 5/6 and the Brier score 1/6.
      #expect(isClose(figures.areaUnderROC, 5.0 / 6, within: 0.01), "seed \(seed)")
      #expect(isClose(figures.brierScore, 1.0 / 6, within: 0.005), "seed \(seed)")
    }
  }

  @Test("binning keeps the order of any two scores", arguments: ScoreScale.allCases)
  func monotone(scale: ScoreScale) {
    var scores: [Float] = [0, .leastNonzeroMagnitude, 0x1p-30, 0x1p-18, 0x1p-12, 0x1p-4, 0.5, 1]
    for base in scores + [0.25, 0.75, 15.0 / 16] { scores += [base.nextUp, base.nextDown] }
    if scale == .nonNegative {
      scores += [2, 3, 100, 1e6, 1e20, .greatestFiniteMagnitude, .infinity]
    }
    scores += (1...2_000).map { Float($0) / 2_001 }
    scores.sort()
    // A positive above a negative never counts as a loss: the area is ½ within a bin and 1 else.
    for (low, high) in zip(scores, scores.dropFirst()) {
      let area = streamed([low, high], [false, true], scale).areaUnderROC!
      #expect(area == 0.5 || area == 1, "\(low) and \(high)")
      #expect(streamed([low, high], [true, false], scale).areaUnderROC! == 1 - area)
    }
  }

  @Test("both ends are told apart finely")
  func ends() {
    #expect(streamed([1e-5, 2e-5], [false, true], .probability).areaUnderROC == 1)
    #expect(streamed([1 - 2e-5, 1 - 1e-5], [false, true], .probability).areaUnderROC == 1)
    #expect(streamed([0.3, 0.302], [false, true], .probability).areaUnderROC == 1)
  }

  @Test("scores outside the scale count at its ends, NaN not at all")
  func outside() {
    let figures = streamed([-5, .infinity, .nan], [false, true, true], .unitInterval)
    #expect(figures.events == 2 && figures.positives == 1)
    #expect(figures.areaUnderROC == 1 && figures.averagePrecision == 1)
    #expect(figures.logLoss == nil && figures.brierScore == nil)
    let empty = StreamingFigures(scale: .probability)
    #expect(empty.logLoss == nil && empty.areaUnderROC == nil && empty.averagePrecision == nil)
    #expect(empty.areaUnderROCErrorBound == nil)
  }

  @Test("figures survive encoding exactly and go on from there", arguments: ScoreScale.allCases)
  func roundTrip(scale: ScoreScale) throws {
    for seed in 1...10 as ClosedRange<UInt64> {
      let (scores, labels) = sample(seed: seed, scale: scale)
      var figures = streamed(scores, labels, scale)
      var decoded = try StreamingFigures(decoding: figures.encode())
      #expect(decoded == figures, "seed \(seed)")
      figures.add(score: 0.3, label: true)
      decoded.add(score: 0.3, label: true)
      #expect(decoded.encode() == figures.encode(), "seed \(seed)")
    }
    #expect(StreamingFigures(scale: scale).encode().count == 20)
  }

  @Test("a file of format 1 stays readable")
  func fixture() throws {
    // Two events: 0.75 positive, 0.25 negative; each loses ln(4/3) and 1/16.
    let bytes: [UInt8] = [
      1, 0, 0x91, 0xdb, 0x34, 0x11, 0x62, 0x69, 0xe2, 0x3f, 0, 0, 0, 0, 0, 0, 0xc0, 0x3f,
      1, 0xff, 0x09, 1, 1, 0x80, 0x06, 1,
    ]
    let figures = try StreamingFigures(decoding: bytes)
    #expect(figures.events == 2 && figures.positives == 1)
    #expect(figures.areaUnderROC == 1)
    #expect(isClose(figures.logLoss, 0.28768207245178093, within: 1e-9))
    #expect(isClose(figures.brierScore, 1.0 / 16))
    #expect(figures.encode() == bytes)
  }

  @Test("every truncation is refused, and no flipped byte crashes or decodes ambiguously")
  func corruption() throws {
    let (scores, labels) = sample(seed: 20, scale: .probability)
    let bytes = streamed(Array(scores.prefix(60)), Array(labels.prefix(60)), .probability).encode()
    for length in bytes.indices {
      #expect(throws: StreamingFiguresError.truncated) {
        try StreamingFigures(decoding: Array(bytes[..<length]))
      }
    }
    #expect(throws: StreamingFiguresError.trailingBytes(1)) {
      try StreamingFigures(decoding: bytes + [0])
    }
    for position in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[position] ^= 1 << UInt8(bit)
        if let figures = try? StreamingFigures(decoding: flipped) {
          #expect(figures.encode() == flipped, "byte \(position), bit \(bit)")
        }
      }
    }
  }

  @Test("refusals say why")
  func refusals() {
    var bytes = StreamingFigures(scale: .unitInterval).encode()
    bytes[0] = 9
    #expect(throws: StreamingFiguresError.unknownFormat(9)) {
      try StreamingFigures(decoding: bytes)
    }
    bytes[0] = 1
    bytes[1] = 7
    #expect(throws: StreamingFiguresError.unknownScale(7)) { try StreamingFigures(decoding: bytes) }
    bytes[1] = 1
    bytes[8] = 0x3f
    #expect(throws: StreamingFiguresError.self) { try StreamingFigures(decoding: bytes) }
    #expect(StreamingFiguresError.trailingBytes(3).description == "3 bytes follow the figures")
  }
}
