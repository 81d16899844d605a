import Features
import Foundation
import Pipeline
import Testing
import Topics

/// What features remember survives: a scorer that is replaced at any moment computes what one that
/// was never disturbed does, bit for bit.
@Suite struct MemoryRestartTests {
  private static func pipeline() throws -> Pipeline {
    try .test(
      ("events:\n", "events:\n  entities: [card]\n"),
      (
        "features:\n",
        """
        features:
          - count: card
            over: [1m, 1h, 1d]
            name: count
          - mean: amount
            by: card
            over: [1m, 1h, 1d]
            name: mean
          - rate: label
            by: card
            over: [1h, 1d]
            delay: 10m
            name: risk
          - sum: label
            by: card
            over: 1h
            name: recent
          - ratio: [amount, mean]
          - bins: mean
            count: 8

        """
      ))
  }

  /// Events of a few cards, some out of order, each with its label, in pieces of random size.
  private static func pieces(_ count: Int, seed: UInt64) -> [(events: [String], labels: [String])] {
    var random = SeededGenerator(seed: seed)
    var time = start
    var pieces: [(events: [String], labels: [String])] = []
    var number = 0
    while number < count {
      let size = Int.random(in: 1...8_000, using: &random)
      var piece: (events: [String], labels: [String]) = ([], [])
      for _ in 0..<size {
        time += Int64.random(in: 0...2000, using: &random)
        let late = Int.random(in: 0..<20, using: &random) == 0
        let at = late ? time - Int64.random(in: 0...1_000_000, using: &random) : time
        let amount = Double.random(in: 0...100, using: &random)
        let card = Int.random(in: 0..<40, using: &random)
        piece.events.append(
          "{\"id\":\"e\(number)\",\"time\":\(at),\"card\":\"c\(card)\",\"amount\":\(amount)}")
        // Labels of this event and now and then of one to come; some are taken back.
        let of = number + Int.random(in: -5000...20, using: &random)
        if of >= 0 {
          piece.labels.append(
            "{\"event_id\":\"e\(of)\",\"label\":\(Int.random(in: 0...1, using: &random)),"
              + "\"time\":\((time + Int64.random(in: 0...600_000, using: &random)) / 1000)}")
        }
        number += 1
      }
      pieces.append(piece)
    }
    return pieces
  }

  /// The features of all events, in order.
  private func features(_ services: Services) throws -> [[UInt64]] {
    try services.scored().flatMap { block in
      (0..<block.rows).map { row in
        (0..<block.features).map { block.feature($0, row: row).bitPattern }
      }
    }
  }

  @Test(arguments: Backend.allCases, [1, 2] as [UInt64])
  func restartsChangeNoFeature(_ backend: Backend, seed: UInt64) throws {
    let pipeline = try Self.pipeline()
    let pieces = Self.pieces(140_000, seed: seed)
    var undisturbed: [[UInt64]] = []
    try backend.withServices(pipeline) { services in
      let scorer = try services.scorer()
      for piece in pieces {
        try services.produce(piece.events)
        try services.produce(piece.labels, to: PipelineTopics.labels)
        try scorer.run(stop: StopSignal(), untilEnd: true)
      }
      undisturbed = try features(services)
    }
    #expect(undisturbed.count == pieces.reduce(0) { $0 + $1.events.count })
    try backend.withServices(pipeline) { services in
      for piece in pieces {
        try services.produce(piece.events)
        try services.produce(piece.labels, to: PipelineTopics.labels)
        try services.score()
      }
      let restarted = try features(services)
      let first = zip(undisturbed, restarted).enumerated().first { $1.0 != $1.1 }?.offset
      #expect(restarted.count == undisturbed.count)
      #expect(first == nil, "seed \(seed): event \(first ?? 0) has other features")
      // An image was saved, and only what came after it was taken in again.
      #expect(try services.log.stateKeys(prefix: "memory/", role: services.topics.scorer).count > 2)
    }
  }
}
