import Features
import Foundation
import Learners
import ModelLog
import Pipeline
import Testing

/// Features of hashed categories, from the pipeline file to decisions.
@Suite struct SparseFeatureTests {
  static let text = """
    pipeline: shops
    events:
      id: id
      time: {field: time, unit: milliseconds}
      entities: [terminal]
      fields:
        amount: number
        shop: category
    label: {field: fraud, delay: 10m, unlabelled: negative}
    features:
      - sparse: shop
      - number: amount
      - sparse: [shop, terminal]
        name: place
    models:
      fraud: {kind: logistic-regression, batch: 32, hash_bits: 12}
      clusters: {kind: k-means, clusters: 3, batch: 32}
      outlier: {kind: isolation-forest, trees: 20, sample_size: 32, reservoir_size: 128, batch: 64}
    decisions: {by: [fraud], budget: 2 %}
    publish: {every: 200, snapshot_every: 5}

    """

  private func pipeline(_ changes: (String, String)...) throws -> Pipeline {
    var text = Self.text
    for (old, new) in changes {
      try #require(text.contains(old), "nothing to replace: \(old)")
      text = text.replacingOccurrences(of: old, with: new)
    }
    return try Pipeline(yaml: text, path: "shops.yaml")
  }

  /// Forty shops, of which two are where most frauds happen; amounts say nothing.
  private struct Purchase {
    var id: String
    var time: Int64
    var shop: Int
    var terminal: Int?
    var amount: Double
    var isFraud: Bool

    func json(withLabel: Bool) -> String {
      "{\"id\":\"\(id)\",\"time\":\(time),\"shop\":\"s\(shop)\",\"amount\":\(amount)"
        + (terminal.map { ",\"terminal\":\"t\($0)\"" } ?? "")
        + (withLabel ? ",\"fraud\":\(isFraud ? 1 : 0)}" : "}")
    }

    static func stream(_ count: Int, seed: UInt64 = 1) -> [Purchase] {
      var random = SeededGenerator(seed: seed)
      return (0..<count).map { index in
        let shop = Int.random(in: 0..<40, using: &random)
        let rate = shop == 7 || shop == 23 ? 0.5 : 0.005
        return Purchase(
          id: "e\(index)", time: start + Int64(index) * 5_000, shop: shop,
          terminal: Int.random(in: 0..<10, using: &random) == 0
            ? nil : Int.random(in: 0..<5, using: &random),
          amount: .random(in: 0...100, using: &random),
          isFraud: Double.random(in: 0..<1, using: &random) < rate)
      }
    }
  }

  @Test func columnsAndSettingsAreRead() throws {
    let pipeline = try pipeline()
    #expect(pipeline.plan.names == ["amount", "shop", "place"])
    guard case .logisticRegression(let options) = pipeline.models[0].learner else {
      Issue.record("another kind")
      return
    }
    #expect(options.hashed.columns == 2)
    #expect(options.hashed.bits == 12)
    #expect(HashedWeightsOptions.largestBits == CategoryHash.bits)
    #expect(pipeline.definition.contains("feature place: sparse shop terminal\n"))
    #expect(pipeline.definition.contains("hash_bits=12"))
    let other = try self.pipeline(("hash_bits: 12", "hash_bits: 13"))
    #expect(other.fingerprint != pipeline.fingerprint)
    #expect(try !Pipeline.test().definition.contains("hash_"))
  }

  @Test(arguments: [
    ("sparse: shop\n", "sparse: amount\n", 11, "'amount' is not a category or an entity"),
    ("sparse: shop\n", "sparse: shopp\n", 11, "did you mean 'shop'?"),
    ("sparse: shop\n", "sparse: shop\n    bits: 4\n", 12, "'bits'"),
    ("number: amount", "log: shop", 12, "'shop' is a hash of categories, not a number"),
    ("hash_bits: 12", "hash_bits: 21", 16, "from 1 to 20"),
    ("hash_bits: 12", "hash_half_life: 0", 16, "'hash_half_life' must be at least 1"),
    ("hash_bits: 12", "hash_bit: 12", 16, "did you mean 'hash_bits'?"),
    ("clusters: 3,", "hash_bits: 3,", 17, "'hash_bits'"),
    ("  - number: amount\n", "", 16, "model 'clusters' has no feature"),
  ])
  func mistakesNameTheirLine(_ old: String, _ new: String, _ line: Int, _ words: String) throws {
    #expect {
      try pipeline((old, new))
    } throws: { error in
      (error as? PipelineFileError)?.problems.contains {
        $0.line == line && $0.message.contains(words)
      } == true
    }
  }

  @Test func settingsOfHashesNeedOne() throws {
    #expect {
      try Pipeline.test(("batch: 32\n  clusters", "hash_bits: 9\n  clusters"))
    } throws: {
      "\($0)".contains("'hash_bits' is for 'sparse' features, and there is none")
    }
  }

  /// Through the topics: labels come late, scorer and trainer are started anew on the way.
  @Test(arguments: Backend.allCases)
  func guiltyShopsAreFoundAndNamed(_ backend: Backend) throws {
    let purchases = Purchase.stream(3_000)
    try backend.withServices(try pipeline()) { services in
      for part in stride(from: 0, to: 3_000, by: 500) {
        let some = purchases[part..<part + 500]
        try services.produce(some.map { $0.json(withLabel: false) })
        try services.score()
        try services.produce(
          some.filter(\.isFraud).map {
            "{\"event_id\":\"\($0.id)\",\"label\":1,\"time\":\(($0.time + 600_000) / 1000)}"
          }, to: PipelineTopics.labels)
        try services.train()
      }
      let served = try ModelHistory(log: services.log).version(
        try #require(ModelReference("shops/fraud")))
      let hashed = try #require((served.parameters as? LogisticParameters)?.hashed)
      let hash = CategoryHash(feature: "shop")
      let weights = (0..<40).map { hashed.weight(of: hash.value([Array("s\($0)".utf8)])) }
      let order = weights.indices.sorted { weights[$0] > weights[$1] }
      #expect(Set(order.prefix(2)) == [7, 23])
      #expect(served.features == ["amount", "shop", "place"])
      let clusters = try ModelHistory(log: services.log).version(
        try #require(ModelReference("shops/clusters")))
      #expect(clusters.features == ["amount"])
      #expect(clusters.parameters.featureCount == 1)

      // Of the last part, alerts are at those shops, and say so.
      var alerts = 0
      for decision in try services.decisions().suffix(500) {
        guard decision["outcome"] as? String == "alert" else { continue }
        alerts += 1
        let reasons = try #require(decision["reasons"] as? [[String: Any]])
        let shop = try #require(reasons.first { $0["feature"] as? String == "shop" })
        #expect(["s7", "s23"].contains(shop["value"] as? String))
        #expect(shop["typical"] is NSNull)
        if let place = reasons.first(where: { $0["feature"] as? String == "place" }) {
          #expect((place["value"] as? [String])?.first == shop["value"] as? String)
        }
      }
      #expect(alerts > 5)
      // What was scored carries the numbers exactly.
      let blocks = try services.scored()
      var row = 0
      for block in blocks {
        for event in 0..<block.rows {
          let purchase = purchases[row]
          #expect(block.feature(1, row: event) == hash.value([Array("s\(purchase.shop)".utf8)]))
          #expect((block.feature(2, row: event) == CategoryHash.none) == (purchase.terminal == nil))
          row += 1
        }
      }
      #expect(row == 3_000)
    }
  }

  @Test func replayIsBitExactAndKnowsThatHashesAreNoQuantities() throws {
    let lines = Purchase.stream(3_000).map { $0.json(withLabel: true) }.joined(separator: "\n")
    func replay(_ pipeline: Pipeline) throws -> (Replay, [Digest]) {
      try withFile(lines + "\n") { path in
        var history = try HistoryReader(path: path, schema: pipeline.schema)
        let replay = try Replay(pipeline: pipeline)
        var digests: [Digest] = []
        var hooks = Replay.Hooks()
        hooks.published = { digests.append($0.digest) }
        try replay.run(&history, hooks: hooks)
        return (replay, digests)
      }
    }
    let (first, digests) = try replay(try pipeline())
    #expect(digests.count > 20)
    #expect(try replay(try pipeline()).1 == digests)
    #expect(first.statistics.mean(0) != nil)
    for column in [1, 2] {
      #expect(first.statistics.mean(column) == nil)
      #expect(first.statistics.deviation(column) == nil)
    }
    var options = Replay.Options()
    options.rule = "shop"
    #expect {
      try Replay(pipeline: pipeline(), options: options)
    } throws: { "\($0)".contains("hash of categories") }
    // The others learn from the amount alone, as if the hashes were not there.
    let (plain, _) = try replay(
      try pipeline(
        ("  - sparse: shop\n", ""), ("  - sparse: [shop, terminal]\n    name: place\n", ""),
        (", hash_bits: 12", "")))
    for model in [1, 2] {
      #expect(first.final[model]?.digest == plain.final[model]?.digest)
    }
    #expect(first.final[0]?.digest != plain.final[0]?.digest)
  }
}
