import Learners
import LinearAlgebra
import ModelLog
import Testing

/// Hashed weights as they travel.
@Suite struct HashedWeightsUpdateTests {
  private static let kind = ModelKind.logisticRegression.rawValue

  private func parameters(
    bits: Int, filled: Int, seed: UInt64 = 1
  ) -> LogisticParameters {
    var random = SeededGenerator(seed: seed)
    var table = [Float](repeating: 0, count: 1 << bits)
    for _ in 0..<filled {
      table[Int.random(in: 0..<table.count, using: &random)] = .random(in: -3...3, using: &random)
    }
    return LogisticParameters(
      standardisation: .init(mean: [1], scale: [2]), weights: [0.5], intercept: -2,
      hashed: HashedWeights(columns: 2, table: table))
  }

  private func update(_ parameters: LogisticParameters) -> ParameterUpdate {
    var publisher = UpdatePublisher(snapshotEvery: 5)
    return publisher.makeUpdate(
      of: parameters, header: Subject(.logisticRegression).header(), definition: "d",
      features: ["a", "shop", "shop*country"])
  }

  @Test(arguments: [(1, 1), (10, 0), (10, 5_000), (18, 9_000), (20, 3_000_000)])
  func updatesGiveTheSameTable(_ bits: Int, _ filled: Int) throws {
    let parameters = parameters(bits: bits, filled: filled)
    var assembler = UpdateAssembler()
    var served: ServedModel?
    let pieces = UpdateChunks.split(update(parameters))
    for piece in pieces {
      if let read = try assembler.take(bytes: piece) { served = try applied(read) }
    }
    let model = try #require(served)
    #expect(model.parameters as? LogisticParameters == parameters)
    #expect(model.parameters.featureCount == 3)
    // Megabytes travel in several records, and only what is not 0 takes room.
    let used = try #require(parameters.hashed).table.count { $0 != 0 }
    #expect(pieces.reduce(0) { $0 + $1.count } <= 700 + 7 * used)
    #expect((pieces.count > 1) == (bits == 20))
  }

  @Test func aTableThatMovedIsAnotherVersion() throws {
    var publisher = UpdatePublisher(snapshotEvery: 100)
    let header = Subject(.logisticRegression).header()
    var served: ServedModel?
    for seed in [1, 1, 2, 3] as [UInt64] {
      let parameters = parameters(bits: 8, filled: 40, seed: seed)
      let update = publisher.makeUpdate(
        of: parameters, header: header, definition: "d", features: ["a", "b", "c"])
      served = try applied(ParameterUpdate(bytes: update.encode()), to: served)
      #expect(served?.parameters as? LogisticParameters == parameters)
      if seed > 1 { #expect(update.changedParts == 1) }
    }
  }

  /// The table of a snapshot made by hand.
  private func table(
    bits: UInt64 = 4, columns: UInt64 = 1, gaps: [UInt64], weights: [Float]
  ) -> ParameterUpdate {
    let message =
      Wire.number(1, bits) + Wire.number(2, columns) + Wire.bytes(3, gaps.flatMap(Wire.varint))
      + Wire.bytes(
        4,
        weights.flatMap { weight in
          withUnsafeBytes(of: weight.bitPattern.littleEndian) { [UInt8]($0) }
        })
    let parts = [
      Wire.doubles(1, [0]) + Wire.doubles(2, [1]), Wire.double(1, 0.5) + Wire.doubles(2, [1]),
      message,
    ]
    return try! ParameterUpdate(bytes: handmadeSnapshot(kind: Self.kind, parts: parts))
  }

  @Test func tablesThatCannotBeAreRefused() throws {
    let sound = try applied(table(gaps: [0, 15], weights: [1, 2]))
    let hashed = (sound.parameters as? LogisticParameters)?.hashed
    #expect(hashed?.table == [1] + [Float](repeating: 0, count: 14) + [2])
    let malformed = [
      table(bits: 0, gaps: [], weights: []), table(bits: 21, gaps: [], weights: []),
      table(bits: 1 << 31, gaps: [], weights: []), table(columns: 0, gaps: [], weights: []),
      table(columns: 1 << 31, gaps: [], weights: []),
      table(gaps: [16], weights: [1]), table(gaps: [8, 8], weights: [1, 1]),
      table(gaps: [1 << 31, 1 << 31], weights: [1, 1]), table(gaps: [3, 0], weights: [1, 1]),
      table(gaps: [1, 1], weights: [1]), table(gaps: [1], weights: []),
      table(gaps: [1], weights: [0]),
    ]
    for update in malformed { expectRefusal(.corrupt) { _ = try applied(update) } }
    for weight in [Float.nan, .infinity, -.infinity] {
      expectRefusal(.nonFinite) { _ = try applied(table(gaps: [1], weights: [weight])) }
    }
  }
}
