import ModelLog
import Topics

/// Rebuilds every version that is on the topics, in one pass, and says which are not what they
/// claim to be.
public struct ModelVerification: Sendable {
  /// What was found of a model.
  public struct Model: Sendable, Equatable {
    /// Name of the pipeline.
    public var pipeline: String
    /// Name of the model within it.
    public var model: String
    /// First and last version on the topic.
    public var versions: ClosedRange<UInt64>
    /// Versions whose parameters were rebuilt and have their digest.
    public var rebuilt: UInt64 = 0
    /// Versions whose base is not on the topic: older than the first snapshot that is kept, or
    /// behind a bad version. Nothing speaks against them, but nobody can have them.
    public var notRebuildable: UInt64 = 0
    /// Versions that stand on the topic twice, the same both times.
    public var doubled: UInt64 = 0
    /// Updates that a guard withheld.
    public var withheld: UInt64 = 0
  }

  /// Something that is not as it should be.
  public struct Bad: Sendable {
    /// Where it stands on `models`.
    public var offset: UInt64
    /// Name of the pipeline on whose topic it stands.
    public var pipeline: String
    /// What is wrong, and with which version as far as that is known.
    public var error: UpdateError
  }

  /// What was found, in the order in which models were first seen.
  public private(set) var models: [Model] = []
  /// What is wrong, in the order of the topics.
  public private(set) var bad: [Bad] = []

  /// Verifies what is on the log: all of it, or one pipeline, model or version.
  /// - Throws: `ModelHistory.NotFound` if there is no such version on the topics.
  public init(
    log: any TopicLog, pipeline: String? = nil, model: String? = nil, version: UInt64? = nil
  ) throws {
    let history = ModelHistory(log: log)
    for name in try history.pipelines() where pipeline == nil || pipeline == name {
      var walk = Walk(pipeline: name, version: version)
      try history.forEach(pipeline: name) { record in walk.take(record, only: model) }
      models += walk.order.map { walk.models[$0]!.found }
      bad += walk.bad
    }
    if let version { models.removeAll { !$0.versions.contains(version) } }
    guard !models.isEmpty || !bad.isEmpty || pipeline == nil else {
      let wanted = [pipeline, model].compactMap { $0 }.joined(separator: "/")
      throw ModelHistory.NotFound(
        description: "there is no version of '\(wanted)' on the topics"
          + (version.map { " that is \($0)" } ?? ""))
    }
  }
}

/// One pipeline's topic on its way through.
private struct Walk {
  struct State {
    var found: ModelVerification.Model
    /// The version before, rebuilt; nil if it could not be.
    var served: ServedModel?
    var fingerprint: Digest
    var epoch: UInt64 = 0
    var digests: [UInt64: Digest] = [:]
  }

  let pipeline: String
  /// Only what is found of this version is told.
  let version: UInt64?
  var models: [String: State] = [:]
  var order: [String] = []
  var bad: [ModelVerification.Bad] = []

  init(pipeline: String, version: UInt64?) {
    self.pipeline = pipeline
    self.version = version
  }

  mutating func take(_ record: ModelRecord, only model: String?) {
    func isAsked(_ name: String?) -> Bool { model == nil || name == nil || name == model }
    switch record.content {
    case .withheld(let withheld) where isAsked(withheld.model):
      models[withheld.model]?.found.withheld += 1
    case .refused(let error) where isAsked(error.subject?.model): tell(error, at: record.offset)
    case .update(let update) where isAsked(update.header.model): take(update, at: record.offset)
    default: break
    }
  }

  private mutating func tell(_ error: UpdateError, at offset: UInt64) {
    if let version, let concerned = error.subject?.version, concerned != version { return }
    bad.append(.init(offset: offset, pipeline: pipeline, error: error))
  }

  private mutating func take(_ update: ParameterUpdate, at offset: UInt64) {
    let header = update.header
    let name = header.model
    let number = header.version
    // Taken out while it is changed.
    var state: State
    if let known = models.removeValue(forKey: name) {
      state = known
    } else {
      order.append(name)
      state = State(
        found: .init(pipeline: header.pipeline, model: name, versions: number...number),
        fingerprint: header.fingerprint)
    }
    defer { models[name] = state }
    let counts = version == nil || version == number
    if let before = state.digests[number] {
      if before == update.digest {
        state.found.doubled += counts ? 1 : 0
      } else {
        tell(
          problem(.reusedVersion, header, "was published before, with other parameters"), at: offset
        )
      }
      return
    }
    state.digests[number] = update.digest
    let last = state.found.versions.upperBound
    if number > last + 1 {
      let missing =
        last + 2 == number ? "version \(last + 1) is" : "versions \(last + 1) to \(number - 1) are"
      tell(problem(.gap, header, "comes after version \(last): \(missing) missing"), at: offset)
    }
    state.found.versions =
      min(state.found.versions.lowerBound, number)...max(last, number)
    do throws(UpdateError) {
      guard header.epoch >= state.epoch else {
        throw problem(.olderEpoch, header, "is of epoch \(header.epoch), after \(state.epoch)")
      }
      state.epoch = header.epoch
      guard header.fingerprint == state.fingerprint,
        update.definition.map({ Digest(of: Array($0.utf8)) == header.fingerprint }) ?? true
      else { throw problem(.fingerprint, header, "was made by another pipeline file") }
      guard header.isSnapshot || header.base == state.served?.header.version else {
        state.served = nil
        state.found.notRebuildable += counts ? 1 : 0
        return
      }
      let base = header.isSnapshot ? nil : state.served
      if case .applied(let next) = try ServedModel.apply(update, to: base, fingerprint: nil) {
        state.served = next
        state.found.rebuilt += counts ? 1 : 0
      }
    } catch {
      state.served = nil
      tell(error, at: offset)
    }
  }

  private func problem(
    _ code: UpdateError.Code, _ header: ParameterUpdate.Header, _ text: String
  ) -> UpdateError {
    UpdateError(code, "\(header.name) \(text)", subject: .init(header))
  }
}
