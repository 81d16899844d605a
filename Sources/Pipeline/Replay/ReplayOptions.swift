import Features
import ModelLog

extension Replay {
  /// How a replay differs from the pipeline file, and what is evaluated.
  public struct Options: Sendable {
    /// From an event to its label, ms; nil: the pipeline file's delay.
    public var labelDelay: Int64?
    /// Versions that score the whole history, one a model: nothing is learnt or published then.
    /// Empty: the replay learns, and scores with what it learns.
    public var models: [ServedModel]
    /// Windows that are evaluated by themselves.
    public var tests: [TestWindow] = []
    /// In test windows the events of entities of this field are left out that have a positive label
    /// known before the day begins; nil: none are.
    public var leaveOutKnown: String?
    /// How long before the window a positive event may lie to count for `leaveOutKnown`, ms; nil:
    /// any.
    public var knownSince: Int64?
    /// The entity field of Card Precision; nil: the first of the schema, if there is one.
    public var cardPrecision: String?
    /// Entities a day for Card Precision; the first is the one most looked at.
    public var top = [100]
    /// Policies beside `.online`, which is always there.
    public var policies: [LearningPolicy] = []
    /// When `.frozen` freezes; nil: at the first test window.
    public var frozenAfter: FrozenAfter?
    /// The feature that the baseline `rule` scores by; nil: the first that is a number of the event.
    public var rule: String?
    /// Resamples of days for intervals; 0: none.
    public var resamples = 0
    /// Of the resampling.
    public var seed: UInt64 = 0

    /// Options, each with its default.
    public init(labelDelay: Int64? = nil, models: [ServedModel] = []) {
      self.labelDelay = labelDelay
      self.models = models
    }
  }

  /// When parameters freeze.
  public enum FrozenAfter: Sendable, Equatable {
    /// At a time, ms since 1970.
    case time(Int64)
    /// So long after the first event, ms.
    case duration(Int64)
  }

  /// Options that cannot be followed.
  public struct OptionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, and what would be right.
    public let description: String
  }
}

extension Pipeline {
  /// The place of an entity field, by its name.
  func entityIndex(_ name: String) throws -> Int {
    let names = schema.entities.map(\.name)
    guard let index = names.firstIndex(of: name) else {
      throw Replay.OptionError(
        description: "'entities' of the pipeline file does not name '\(name)'"
          + nearestName(to: name, in: names))
    }
    return index
  }

  /// The feature that the baseline `rule` scores by.
  func ruleColumn(_ name: String?) throws -> Int? {
    if let name {
      if let column = plan.names.firstIndex(of: name) {
        if column < plan.denseCount { return column }
        throw Replay.OptionError(
          description: "the feature '\(name)' is a hash of categories, nothing to rank events by")
      }
      throw Replay.OptionError(
        description: "there is no feature '\(name)'" + nearestName(to: name, in: plan.names))
    }
    let first = features.first {
      if case .number = $0.operation { true } else { false }
    }
    return first.flatMap { plan.names.firstIndex(of: $0.name) }
  }
}

extension Pipeline {
  /// The number fields of the schema that costs follow from.
  var costFields: [Int] {
    let numbers = schema.values.filter { $0.type == .number }.map(\.name)
    let fields = [decisions.cost?.missed, decisions.cost?.caught].compactMap { amount in
      if case .field(let name) = amount { numbers.firstIndex(of: name) } else { nil }
    }
    return Set(fields).sorted()
  }
}
