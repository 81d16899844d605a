import Learners
import LinearAlgebra

/// Scores the rows of a table by how unusual they are.
public struct Detector: Sendable {
  /// What learns.
  public enum Model: String, Sendable, CaseIterable {
    /// `IsolationForest`.
    case isolationForest = "isolation-forest"
    /// `KMeans`.
    case kMeans = "k-means"
  }

  /// What learns.
  public var model: Model
  /// Of the learner, and of the order in which k-means is fitted to a table.
  public var seed: UInt64
  /// Settings of the forest.
  public var forest = IsolationForestOptions()
  /// Settings of k-means. ``fit(_:progress:)`` forgets nothing, whatever they say.
  public var clusters = KMeansOptions()
  /// How many rows are explained: those of the highest scores, of equal ones the earlier.
  public var top = 10

  /// Of a stream, rows between two models, once the first models are made. Each is scored before it
  /// is learnt.
  public static let batch = 128
  /// Of a stream, rows before there is a first model; after as many more comes the next, and so on
  /// at doubling distances up to ``batch``.
  public static let firstBatch = 16

  /// A detector with the learners' own settings.
  public init(model: Model, seed: UInt64 = 0) {
    self.model = model
    self.seed = seed
  }

  /// Fits a model to all rows, then scores them.
  ///
  /// Where k-means is fitted, the rows come in random order, and none counts less than another.
  ///
  /// - Parameter progress: Is told now and then how many rows are scored.
  /// - Returns: nil for a table of fewer rows than a first model takes, 2 or, for k-means, 16.
  public func fit(_ features: TableFeatures, progress: (Int) -> Void = { _ in }) -> Detection? {
    let rows = features.table.rows
    var scoring = Scoring(features, top: top)
    func score(_ parameters: some ModelParameters, means: FeatureMeans?) -> Detection {
      for start in stride(from: 0, to: rows, by: Scoring.block) {
        scoring.score(start..<min(start + Scoring.block, rows), with: parameters, means: means)
        progress(min(start + Scoring.block, rows))
      }
      return scoring.detection
    }
    switch model {
    case .isolationForest:
      var whole = Matrix(columns: features.count, capacity: rows)
      features.fill(0..<rows, into: &whole)
      guard let parameters = IsolationForest.fit(whole, options: forest, seed: seed) else {
        return nil
      }
      whole = Matrix(columns: 0, capacity: 0)
      return score(parameters, means: nil)
    case .kMeans:
      guard let (parameters, means) = fitClusters(features) else { return nil }
      return score(parameters, means: means)
    }
  }

  /// Scores the rows in their order, each with a model of rows before it, and learns them.
  ///
  /// The features should be made for it, see ``TableFeatures/init(_:isStream:)``.
  ///
  /// - Parameter progress: Is told now and then how many rows are scored.
  /// - Returns: nil for a table of no more rows than a first model takes.
  public func testThenTrain(
    _ features: TableFeatures, progress: (Int) -> Void = { _ in }
  ) -> Detection? {
    func run(_ learner: some Learner, means: FeatureMeans?) -> Detection? {
      var learner = learner
      var means = means
      var scoring = Scoring(features, top: top)
      let rows = features.table.rows
      var start = 0
      while start < rows {
        let size = min(max(start, Self.firstBatch), Self.batch)
        let batch = start..<min(start + size, rows)
        if let parameters = learner.makeParameters() {
          scoring.score(batch, with: parameters, means: means)
        }
        scoring.learn(batch, by: &learner, means: &means)
        start = batch.upperBound
        progress(start)
      }
      return scoring.detection.scored > 0 ? scoring.detection : nil
    }
    let count = features.count
    switch model {
    case .isolationForest:
      // A forest knows missing values.
      return run(IsolationForest(featureCount: count, options: forest, seed: seed), means: nil)
    case .kMeans:
      return run(
        KMeans(featureCount: count, options: clusters, seed: seed),
        means: FeatureMeans(featureCount: count))
    }
  }

  private func fitClusters(_ features: TableFeatures) -> (KMeansParameters, FeatureMeans)? {
    let rows = features.table.rows
    guard rows >= Self.firstBatch else { return nil }
    var options = clusters
    // Older rows are no less right than newer ones.
    options.halfLife = 1e15
    options.standardisationHalfLife = .infinity
    var order = Array(0..<rows)
    var random = RandomSource(seed: seed)
    for last in stride(from: rows - 1, to: 0, by: -1) {
      order.swapAt(last, random.below(last + 1))
    }
    var means = FeatureMeans(featureCount: features.count)
    var block = Matrix(columns: features.count, capacity: Self.batch)
    var learner = KMeans(featureCount: features.count, options: options, seed: seed)
    if features.hasMissing {
      for start in stride(from: 0, to: rows, by: Self.batch) {
        features.fill(start..<min(start + Self.batch, rows), into: &block)
        means.add(block)
      }
    }
    for start in stride(from: 0, to: rows, by: Self.batch) {
      features.fill(order[start..<min(start + Self.batch, rows)], into: &block)
      if features.hasMissing { means.fill(&block) }
      learner.learn(block)
    }
    return learner.makeParameters().map { ($0, means) }
  }
}
