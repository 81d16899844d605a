import Features
import Learners
import LinearAlgebra
import Pipeline

/// Learning and scoring, with the learners' default settings, on ``Context/stream`` in blocks of 256
/// rows.
enum LearnerBenchmarks {
  static let all = [
    forestBatch, forestOne, forestFit, forestLearn, logisticLearn, logisticScore, clusterLearn,
    clusterScore, logisticOne, clusterOne, forestExplain, logisticExplain, clusterExplain,
    eventThreeModels,
  ]

  // MARK: Isolation forest, 100 trees grown on 256 rows each

  private static let forestBatch = Benchmark.rate(
    "forest/batch", "rows", "scoring by 100 trees"
  ) { context in
    scoring(by: learned(IsolationForest(featureCount: 29, seed: 1), context), context)
  }

  private static let forestOne = one("forest/one", "scoring of a single row by 100 trees") {
    learned(IsolationForest(featureCount: 29, seed: 1), $0)
  }

  private static let forestFit = Benchmark.latency(
    "forest/fit", "fitting 100 trees to a table at once", count: 20, unit: ("ms", 1e6)
  ) { context in
    let table = Matrix(rows: context.stream.rows)
    return { _ = IsolationForest.fit(table, seed: UInt64($0)) }
  }

  private static let forestLearn = Benchmark.rate(
    "forest/learn", "rows", "learning: the forest is grown nine times, then 480 trees replaced"
  ) { context in
    learning(context) { IsolationForest(featureCount: 29, seed: 1) }
  }

  // MARK: Logistic regression, six experts

  private static let logisticLearn = Benchmark.rate(
    "logistic/learn", "rows", "test-then-train: each block is scored, then learnt"
  ) { context in
    var scores = [Float](repeating: 0, count: CardStream.blockSize)
    return (
      context.stream.rows.count,
      {
        var learner = LogisticRegression(featureCount: 29)
        for block in context.blocks {
          learner.makeParameters()?.score(block.features, into: &scores)
          learner.learn(block.features, labels: block.labels)
        }
      }
    )
  }

  private static let logisticScore = Benchmark.rate(
    "logistic/score", "rows", "scoring", passes: 10
  ) { context in
    scoring(by: learned(LogisticRegression(featureCount: 29), context), context)
  }

  // MARK: k-means, eight clusters

  private static let clusterLearn = Benchmark.rate(
    "k-means/learn", "rows", "learning of eight clusters", passes: 2
  ) { context in
    learning(context) { KMeans(featureCount: 29, seed: 1) }
  }

  private static let clusterScore = Benchmark.rate(
    "k-means/score", "rows", "scoring by eight clusters", passes: 10
  ) { context in
    scoring(by: learned(KMeans(featureCount: 29, seed: 1), context), context)
  }

  // MARK: One row, scored or explained

  private static let logisticOne = one("logistic/one", "scoring of a single row") {
    learned(LogisticRegression(featureCount: 29), $0)
  }
  private static let clusterOne = one("k-means/one", "scoring of a single row by eight clusters") {
    learned(KMeans(featureCount: 29, seed: 1), $0)
  }
  private static let forestExplain = explain("forest/explain") {
    learned(IsolationForest(featureCount: 29, seed: 1), $0)
  }
  private static let logisticExplain = explain("logistic/explain") {
    learned(LogisticRegression(featureCount: 29), $0)
  }
  private static let clusterExplain = explain("k-means/explain") {
    learned(KMeans(featureCount: 29, seed: 1), $0)
  }

  private static func one<P: ModelParameters>(
    _ name: String, _ about: String, _ make: @escaping @Sendable (Context) -> P
  ) -> Benchmark {
    .latency(name, about, count: 20_000) { context in
      let parameters = make(context)
      let rows = context.stream.blocks(of: 1)
      var scores: [Float] = [0]
      return { parameters.score(rows[$0].features, into: &scores) }
    }
  }

  private static func explain<P: ModelParameters>(
    _ name: String, _ make: @escaping @Sendable (Context) -> P
  ) -> Benchmark {
    .latency(name, "contributions to the score of a single row", count: 20_000) { context in
      let parameters = make(context)
      let rows = context.stream.blocks(of: 1)
      return { _ = parameters.contributions(row: 0, of: rows[$0].features) }
    }
  }

  // MARK: All of them on one event

  private static let eventThreeModels = Benchmark.latency(
    "event/three-models", "one JSON event decoded, its 29 features scored by all three models",
    count: 20_000
  ) { context in
    let pipeline = try context.cardPipeline()
    let events = context.stream.jsonEvents(8_192)
    let decoder = EventDecoder(schema: pipeline.schema, readsLabel: false)
    // The models learn what the scorer gives them: features as the pipeline computes them.
    let blocks = try blocks(of: events, decoder, pipeline.plan)
    let forest = learned(IsolationForest(featureCount: 29, seed: 1), blocks)
    let logistic = learned(LogisticRegression(featureCount: 29), blocks)
    let clusters = learned(KMeans(featureCount: 29, seed: 1), blocks)
    var scorer = OneEventScorer(pipeline, decoder, logistic, clusters, forest)
    return { index in try scorer.score(events[index % events.count], position: UInt64(index)) }

    func blocks(
      of events: [[UInt8]], _ decoder: EventDecoder, _ plan: FeaturePlan
    ) throws -> [(features: Matrix, labels: [Double])] {
      let size = CardStream.blockSize
      return try stride(from: 0, to: events.count, by: size).map { start in
        var block = EventBlock(schema: decoder.schema, capacity: size)
        var features = Matrix(columns: plan.count, capacity: size)
        try FeatureBenchmarks.decode(
          Array(events[start..<start + size]), decoder, into: &block)
        var memory = FeatureMemory(plan, capacity: size)
        memory.compute(block, into: &features)
        return (features, Array(context.stream.labels[start..<start + size]))
      }
    }
  }

  // MARK: Shared

  /// The parameters of a learner that has learnt all of the stream.
  private static func learned<L: Learner>(_ learner: L, _ context: Context) -> L.Parameters {
    learned(learner, context.blocks)
  }

  private static func learned<L: Learner>(
    _ learner: L, _ blocks: [(features: Matrix, labels: [Double])]
  ) -> L.Parameters {
    var learner = learner
    for block in blocks { learner.learn(block.features, labels: block.labels, weights: []) }
    return learner.makeParameters()!
  }

  private static func scoring(
    by parameters: some ModelParameters, _ context: Context
  ) -> (Int, () -> Void) {
    let blocks = context.blocks
    var scores = [Float](repeating: 0, count: CardStream.blockSize)
    return (
      context.stream.rows.count,
      { for block in blocks { parameters.score(block.features, into: &scores) } }
    )
  }

  private static func learning<L: Learner>(
    _ context: Context, _ makeLearner: @escaping () -> L
  ) -> (Int, () -> Void) {
    (
      context.stream.rows.count,
      {
        var learner = makeLearner()
        for block in context.blocks {
          learner.learn(block.features, labels: [], weights: [])
        }
        precondition(learner.makeParameters() != nil, "nothing was learnt")
      }
    )
  }
}

/// Decodes an event and scores it by three models, as a scorer does with a block of one event.
private struct OneEventScorer {
  private let decoder: EventDecoder
  private let logistic: LogisticParameters
  private let clusters: KMeansParameters
  private let forest: IsolationForestParameters
  private var block: EventBlock
  private var features: Matrix
  private var memory: FeatureMemory
  private var scores: [Float] = [0]

  init(
    _ pipeline: Pipeline, _ decoder: EventDecoder, _ logistic: LogisticParameters,
    _ clusters: KMeansParameters, _ forest: IsolationForestParameters
  ) {
    self.decoder = decoder
    self.logistic = logistic
    self.clusters = clusters
    self.forest = forest
    block = EventBlock(schema: pipeline.schema, capacity: 1)
    features = Matrix(columns: pipeline.plan.count, capacity: 1)
    memory = FeatureMemory(pipeline.plan, capacity: 1)
  }

  mutating func score(_ event: [UInt8], position: UInt64) throws {
    block.removeAll()
    try event.withUnsafeBytes {
      try decoder.decode(json: $0, position: position, timestamp: 0, into: &block)
    }
    memory.compute(block, into: &features)
    logistic.score(features, into: &scores)
    clusters.score(features, into: &scores)
    forest.score(features, into: &scores)
  }
}
