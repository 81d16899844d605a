import Evaluation
import Features
import Learners
import ModelLog

/// Everything a pipeline file says, validated: what trainer, scorer and replay run on.
public struct Pipeline: Sendable {
  /// 1 to 50 ASCII letters, digits, `-` or `_`: part of the names of versions and roles.
  public let name: String
  /// What is read of an event.
  public let schema: EventSchema
  /// Nil without a `label` in the file: all models then learn without labels.
  public let labels: LabelPolicy?
  /// In the file's order; one may fill several columns.
  public let features: [FeatureDefinition]
  /// How much windows may keep.
  public var windows: WindowSettings { plan.windowSettings }
  /// The features bound to the schema.
  public let plan: FeaturePlan
  /// In the file's order.
  public let models: [ModelDefinition]
  /// Which model decides and how much it flags.
  public let decisions: DecisionPolicy
  /// How often parameters are published.
  public let publishing: Publishing
  /// Seed of all randomness.
  public let seed: UInt64
  /// What the fingerprint covers: everything that changes the meaning of parameters (fields,
  /// features, label, models and their settings), a line each, and nothing else.
  public let definition: String
  /// Of the definition: parameters made under one fingerprint fit no other.
  public let fingerprint: Digest

  init(
    name: String, schema: EventSchema, labels: LabelPolicy?, features: [FeatureDefinition],
    plan: FeaturePlan, models: [ModelDefinition], decisions: DecisionPolicy,
    publishing: Publishing, seed: UInt64
  ) {
    self.name = name
    self.schema = schema
    self.labels = labels
    self.features = features
    self.plan = plan
    self.models = models
    self.decisions = decisions
    self.publishing = publishing
    self.seed = seed
    definition = Self.definition(schema: schema, features: features, models: models)
    fingerprint = Digest(of: Array(definition.utf8))
  }

  /// Index of a model.
  public func modelIndex(_ name: String) -> Int? { models.firstIndex { $0.name == name } }

  /// Of the label only the field is named. Which examples are learnt, and with what weight, decides
  /// how well parameters are learnt; what they mean, log-odds of the same probabilities, stays.
  private static func definition(
    schema: EventSchema, features: [FeatureDefinition], models: [ModelDefinition]
  ) -> String {
    var lines: [String] = []
    if let time = schema.time {
      lines.append("time \(time.name), numbers are \(time.unit.rawValue)")
    }
    for field in schema.values {
      lines.append(
        "field \(field.name): \(field.type.rawValue), missing \(field.missing.definition)")
    }
    if let label = schema.label { lines.append("label \(label.name)") }
    for feature in features {
      lines.append(
        "feature \(feature.name): \(feature.operation.definition)"
          + (feature.isInput ? "" : ", no input"))
    }
    for model in models { lines.append("model \(model.name): \(model.learner.definition)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Whether the pipeline of a definition learns from labels.
  static func hasLabels(definition: String) -> Bool {
    definition.split(separator: "\n").contains { $0.hasPrefix("label ") }
  }

  /// The lines in which two definitions differ, `-` the other's and `+` this pipeline's.
  public func difference(from other: String) -> String {
    let theirs = other.split(separator: "\n").map(String.init)
    let ours = definition.split(separator: "\n").map(String.init)
    let removed = theirs.filter { !ours.contains($0) }.map { "- \($0)" }
    let added = ours.filter { !theirs.contains($0) }.map { "+ \($0)" }
    let lines = removed + added
    return lines.isEmpty ? "the same lines in another order" : lines.joined(separator: "\n")
  }
}

/// How labels come and what their absence means.
public struct LabelPolicy: Sendable, Equatable {
  /// How long after its event a label may come, ms. Until then an event without one is unlabelled.
  public var delay: Int64
  /// What an event counts as that has no label after the delay.
  public var unlabelled: Unlabelled
  /// How long after the delay a label is still learnt that comes for the first time or contradicts
  /// the one before, ms.
  public var corrections: Int64 = 0
  /// The share of negatives that are learnt, each with the inverse of the share as its weight:
  /// above 0, up to 1.
  public var negativeShare = 1.0
  /// Events that are held in memory until their label has come, at least 1.
  public var pending = 2_000_000
  /// What is done with more.
  public var overflow = Overflow.spill

  /// What is done with events that wait for their label past the bound.
  public enum Overflow: String, Sendable, CaseIterable {
    /// The oldest are kept in the trainer's store alone.
    case spill
    /// A sample of all is held, and weighs as much more.
    case sample
  }

  /// What no label means once the delay has passed.
  public enum Unlabelled: String, Sendable, CaseIterable {
    /// Not learnt from.
    case ignore
    /// Learnt as a negative.
    case negative
  }
}

/// One model of a pipeline.
public struct ModelDefinition: Sendable, Equatable {
  /// Unique within the pipeline; the same characters as a pipeline's name.
  public var name: String
  /// Family and settings, validated.
  public var learner: LearnerDefinition
  /// Rows of a full mini-batch; the first ones are smaller.
  public var batch: Int
}

/// A family of models with its settings.
public enum LearnerDefinition: Sendable, Equatable {
  case logisticRegression(LogisticRegressionOptions)
  case kMeans(KMeansOptions)
  case isolationForest(IsolationForestOptions)

  /// The family, as updates name it.
  public var kind: ModelKind {
    switch self {
    case .logisticRegression: .logisticRegression
    case .kMeans: .kMeans
    case .isolationForest: .isolationForest
    }
  }

  /// Whether the model learns from labels.
  public var isSupervised: Bool {
    switch self {
    case .logisticRegression: LogisticRegression.isSupervised
    case .kMeans: KMeans.isSupervised
    case .isolationForest: IsolationForest.isSupervised
    }
  }

  /// How many of a pipeline's columns the model gets: the first so many. Columns of hashes are for
  /// logistic regression alone.
  func featureCount(of plan: FeaturePlan) -> Int {
    if case .logisticRegression = self { plan.count } else { plan.denseCount }
  }

  /// Kind and settings on one line, by the names of the pipeline file.
  var definition: String {
    let settings: [(String, Any)] =
      switch self {
      case .logisticRegression(let options):
        [
          ("half_lives", options.halfLives), ("ridge", options.ridge),
          ("positive_weight", options.positiveWeight), ("negative_weight", options.negativeWeight),
        ] + (options.clip == LogisticRegressionOptions.usualClip ? [] : [("clip", options.clip)])
          + (options.optimizer == .newton
            ? []
            : [
              ("optimizer", options.optimizer.rawValue), ("l1", options.l1), ("l2", options.l2),
              (
                "learning_rate",
                options.learningRate ?? options.optimizer.usualLearningRate
              ),
            ])
          + (options.hashed.columns == 0
            ? []
            : [
              ("hash_bits", options.hashed.bits), ("hash_half_life", options.hashed.halfLife),
              ("hash_ridge", options.hashed.ridge), ("hash_l1", options.hashed.l1),
            ])
      case .kMeans(let options):
        [("clusters", options.clusters), ("half_life", options.halfLife)]
      case .isolationForest(let options):
        [
          ("trees", options.trees), ("sample_size", options.sampleSize),
          ("gain_share", options.gainShare), ("margin", options.margin),
          ("reservoir_size", options.reservoirSize), ("half_life", options.halfLife),
          ("replace_every", options.replaceEvery),
        ]
      }
    return ([kind.rawValue] + settings.map { "\($0)=\($1)" }).joined(separator: " ")
  }
}

/// How scores become decisions.
public struct DecisionPolicy: Sendable, Equatable {
  /// Models in order of preference: the first that has parameters decides.
  public var by: [String]
  /// Where thresholds come from.
  public var limit: Limit
  /// What decisions cost, for evaluations; nil: nothing is said of it.
  public var cost: CostPolicy?

  /// Where a model's threshold comes from.
  public enum Limit: Sendable, Equatable {
    /// As many alerts as people can look at.
    case budget(AlertBudget)
    /// Fixed numbers, one a model.
    case thresholds([String: Float])
  }

  /// The budget, if alerts have one.
  public var budget: AlertBudget? {
    if case .budget(let budget) = limit { budget } else { nil }
  }
}

/// When parameters are published.
public struct Publishing: Sendable, Equatable {
  /// Rows learnt between two versions of a model, once it is grown.
  public var every: Int
  /// Event time after which learnt rows are published even if they are fewer, ms; nil: never.
  public var interval: Int64?
  /// A snapshot is published at least every so many versions.
  public var snapshotEvery: Int
  /// What keeps a version from being published; nil: only what a scorer would refuse.
  public var guards: Guards?
}
