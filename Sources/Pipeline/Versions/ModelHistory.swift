import Learners
import ModelLog
import Topics

/// A model or one of its versions, as people write it: `pipeline/model` or `pipeline/model@version`.
public struct ModelReference: Sendable, Equatable, CustomStringConvertible {
  /// Name of the pipeline.
  public var pipeline: String
  /// Name of the model within it.
  public var model: String
  /// Nil: the newest.
  public var version: UInt64?

  /// Reads a reference; nil if `text` is none.
  public init?(_ text: String) {
    let halves = text.split(separator: "@", omittingEmptySubsequences: false)
    let names = halves[0].split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count <= 2, names.count == 2, !names[0].isEmpty, !names[1].isEmpty else {
      return nil
    }
    if halves.count == 2 {
      guard let number = UInt64(halves[1]), number > 0 else { return nil }
      version = number
    }
    pipeline = String(names[0])
    model = String(names[1])
  }

  /// The text it was read from.
  public var description: String { "\(pipeline)/\(model)" + (version.map { "@\($0)" } ?? "") }
}

/// Answers which versions there are and what they were, from the `models` topics of a log.
public struct ModelHistory {
  private let log: any TopicLog

  /// The history on a log; nothing is read yet.
  public init(log: any TopicLog) { self.log = log }

  /// A version that cannot be had.
  public struct NotFound: Error, CustomStringConvertible {
    /// Which version, and what there is instead.
    public let description: String

    /// A version that cannot be had, in one sentence.
    public init(description: String) { self.description = description }
  }

  /// The pipelines that have a topic of updates, by name.
  public func pipelines() throws -> [String] {
    let prefix = PipelineTopics(pipeline: "").trainer.name
    return try log.describe().filter { $0.partition == PipelineTopics.models }.compactMap {
      $0.role.name.hasPrefix(prefix) ? String($0.role.name.dropFirst(prefix.count)) : nil
    }
  }

  /// Calls `body` for each record on the log that completes an update or is none, pipeline by
  /// pipeline, in order. Damage is stepped over.
  /// - Parameter pipeline: only this one's; nil: all.
  public func forEach(pipeline: String? = nil, _ body: (ModelRecord) throws -> Void) throws {
    for name in try pipelines() where pipeline == nil || pipeline == name {
      let reader = try log.reader(
        PipelineTopics.models, of: PipelineTopics(pipeline: name).trainer)
      var records = ModelRecords(reader, from: try reader.startOffset())
      try records.read {
        try body($0)
        return true
      }
    }
  }

  /// The parameters of a version, rebuilt from the last snapshot before it and what followed.
  /// - Throws: `NotFound`; `UpdateError` if what is on the topic does not give the version's digest.
  public func version(_ reference: ModelReference) throws -> ServedModel {
    // Only the updates since the last snapshot are kept, and nothing is applied on the way.
    var chain: [ParameterUpdate] = []
    var newest: UInt64?
    var isFound = false
    try forEach(pipeline: reference.pipeline) { record in
      guard case .update(let update) = record.content, update.header.model == reference.model
      else { return }
      newest = max(newest ?? 0, update.header.version)
      guard !isFound, update.header.version <= reference.version ?? .max else { return }
      if update.header.isSnapshot { chain.removeAll() }
      chain.append(update)
      isFound = update.header.version == reference.version
    }
    var served: ServedModel?
    var failure: (any Error)?
    for update in chain {
      do throws(UpdateError) {
        guard
          case .applied(let next) = try ServedModel.apply(update, to: served, fingerprint: nil)
        else { continue }
        served = next
        failure = nil
      } catch { failure = error }
    }
    if let served, reference.version == nil || served.header.version == reference.version {
      return served
    }
    if let failure { throw failure }
    throw NotFound(
      description: newest.map { "there is no \(reference); the newest version is \($0)" }
        ?? "there is no model \(reference.pipeline)/\(reference.model) on the topics")
  }
}

/// One number of a model's parameters, by name.
public struct NamedParameter: Sendable, Equatable {
  /// `weight`, `centre 3`, `splits`, …
  public var group: String
  /// A feature's name, or empty for a number of the model as a whole.
  public var feature: String
  /// In the unit of the group: log-odds, a feature's own, a count.
  public var value: Double
}

extension ServedModel {
  /// A table of weights of hashed categories, summed up: an entry by itself has no name.
  private static func summary(_ hashed: HashedWeights) -> [NamedParameter] {
    let weights = hashed.table.filter { $0 != 0 }
    return [
      NamedParameter(group: "hashed weights", feature: "(number)", value: Double(weights.count)),
      NamedParameter(
        group: "hashed weights", feature: "(smallest)", value: Double(weights.min() ?? 0)),
      NamedParameter(
        group: "hashed weights", feature: "(largest)", value: Double(weights.max() ?? 0)),
    ]
  }

  /// The parameters as people read them. Forests, whose thresholds say little one by one, are
  /// summed up by feature, hashed weights altogether.
  public var namedParameters: [NamedParameter] {
    func name(_ feature: Int) -> String {
      feature < features.count ? features[feature] : "feature \(feature)"
    }
    func named(_ group: String, _ values: some Collection<Double>) -> [NamedParameter] {
      values.enumerated().map {
        NamedParameter(group: group, feature: name($0.offset), value: $0.element)
      }
    }
    func deviations(_ standardisation: Standardisation) -> [Double] {
      standardisation.scale.map { $0 > 0 ? 1 / $0 : 0 }
    }
    switch parameters {
    case let logistic as LogisticParameters:
      return [NamedParameter(group: "intercept", feature: "", value: logistic.intercept)]
        + named("weight", logistic.weights) + named("mean", logistic.standardisation.mean)
        + named("standard deviation", deviations(logistic.standardisation))
        + (logistic.hashed.map(Self.summary) ?? [])
    case let clusters as KMeansParameters:
      let width = clusters.featureCount
      let centres = (0..<clusters.clusterCount).flatMap { cluster in
        named("centre \(cluster)", clusters.centres[cluster * width..<(cluster + 1) * width])
          + [
            NamedParameter(
              group: "centre \(cluster)", feature: "(spread)", value: clusters.spreads[cluster]),
            NamedParameter(
              group: "centre \(cluster)", feature: "(share)", value: clusters.weights[cluster]),
          ]
      }
      return centres + named("mean", clusters.standardisation.mean)
        + named("standard deviation", deviations(clusters.standardisation))
    case let forest as IsolationForestParameters:
      var splits = [Double](repeating: 0, count: forest.featureCount)
      var thresholds = splits
      for tree in forest.trees {
        for (node, child) in tree.children.enumerated() where child != 0 {
          splits[Int(tree.features[node])] += 1
          thresholds[Int(tree.features[node])] += Double(tree.thresholds[node])
        }
      }
      let means = zip(thresholds, splits).map { $1 > 0 ? $0 / $1 : 0 }
      return [
        NamedParameter(group: "trees", feature: "", value: Double(forest.trees.count)),
        NamedParameter(group: "rows a tree", feature: "", value: Double(forest.sampleSize)),
      ] + named("splits", splits) + named("mean threshold", means)
    default: return []
    }
  }
}
