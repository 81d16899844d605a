import Features
import ModelLog
import Pipeline
import Testing

@Suite struct ScoredBlockTests {
  /// A block with parameters behind some of its scores.
  private func scored(_ count: Int = 5) throws -> (block: ScoredBlock, events: [Event]) {
    var bench = Bench(try .test())
    let events = Event.stream(100 + count)
    try bench.observe(Array(events[..<100]))
    try bench.serve()
    try bench.observe(Array(events[100...]))
    return (bench.blocks[1], Array(events[100...]))
  }

  @Test func whatWasScoredReadsBack() throws {
    let (block, events) = try scored()
    let read = try ScoredBlock(bytes: block.bytes)
    #expect(read.bytes == block.bytes)
    #expect(read.rows == 5)
    #expect(read.features == 3)
    #expect(read.fingerprint == (try Pipeline.test().fingerprint))
    #expect(read.versions.map { $0.version > 0 } == [false, true, true])
    #expect(read.versions[0].digest == nil)
    #expect(read.versions == block.versions)
    for (row, event) in events.enumerated() {
      #expect(Array(read.id(row)) == Array(event.id.utf8))
      #expect(read.time(row) == event.time)
      #expect(read.feature(0, row: row) == event.amount)
      #expect(read.feature(2, row: row) == Double((event.time / hour) % 24))
      #expect(read.score(model: 0, row: row).isNaN)
      #expect((0...1).contains(read.score(model: 1, row: row)))
      #expect(read.outcome(row) == block.outcome(row))
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = try scored().block.bytes
    for count in 0..<bytes.count {
      #expect(throws: ScoredBlock.FormatError.self) {
        try ScoredBlock(bytes: Array(bytes[..<count]))
      }
    }
    #expect(throws: ScoredBlock.FormatError.self) { try ScoredBlock(bytes: bytes + [0]) }
  }

  @Test func damagedBytesAreRefusedOrReadWithinBounds() throws {
    let seed = UInt64.random(in: 1...1_000_000)
    var random = SeededGenerator(seed: seed)
    let bytes = try scored().block.bytes
    for _ in 0..<5000 {
      var damaged = bytes
      let limit = Bool.random(using: &random) ? 48 : bytes.count
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        damaged[Int.random(in: 0..<limit, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      guard let block = try? ScoredBlock(bytes: damaged) else { continue }
      for row in 0..<block.rows {
        _ = (block.time(row), block.outcome(row), block.id(row).count)
        for feature in 0..<block.features { _ = block.feature(feature, row: row) }
        for model in block.versions.indices { _ = block.score(model: model, row: row) }
      }
      #expect(block.bytes.count == bytes.count, "seed \(seed)")
    }
  }

  @Test func sizesThatOverflowAreRefused() {
    for size in [UInt8(0x7f), 0xff] {
      var bytes: [UInt8] = Array("WSB2".utf8) + [UInt8](repeating: size, count: 12)
      bytes += [UInt8](repeating: 0, count: 32)
      #expect(throws: ScoredBlock.FormatError.self) { try ScoredBlock(bytes: bytes) }
    }
  }
}
