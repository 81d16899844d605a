import Logging
import ModelLog
import Topics

/// Follows `models` to the newest sound parameters.
///
/// Whatever is wrong on the topic, the parameters before it are served on: the fault is noticed,
/// reported once and kept on record, and the next update that does not need what is missing heals
/// it. Where the topic already has what heals it, it is read again at once.
struct UpdateFollower {
  /// What became of updates.
  struct News: Sendable {
    /// The newest sound parameters, one a model; nil before its first.
    var served: [ServedModel?]
    /// Since the scorer started.
    var counters: ScorerService.UpdateCounters
    /// What was refused, as it is to be saved; nil if that has not changed.
    var refusals: UpdateRefusals?
  }

  private var refusals = UpdateRefusals()
  /// Whether the refusals have changed since they were given out.
  private var refusalsChanged = false
  private var counters = ScorerService.UpdateCounters()
  private var served: [ServedModel?]
  /// What was served before: let go here, a version later, because to free a forest takes as long as
  /// scoring some events.
  private var servedBefore: [ServedModel?] = []
  private let pipeline: Pipeline
  private let log: any TopicLog
  private let logger: Logger
  private let now: @Sendable () -> Int64
  private let reader: ModelReader
  private var start: NewestParameters?
  /// By model, what is wrong since its served version.
  private var gaps: [Gap?]
  private var rereads = false
  /// Where the topic ended when it was last read again: what stands before that is met once more.
  private var rereadEnd: UInt64 = 0

  /// A time in which a model is served as it was because updates were refused.
  private struct Gap {
    /// The version served meanwhile.
    var served: UInt64
    /// Refusals that it is about, by number.
    var numbers: Set<UInt64>
    /// Kinds that say nothing new when they come again.
    var codes: Set<UpdateError.Code>
    /// The highest version that could not be applied for want of its base.
    var through: UInt64 = 0

    mutating func waits(_ code: UpdateError.Code, for version: UInt64?) {
      if code == .gap, let version { through = max(through, version) }
    }
  }

  /// Finds the newest parameters; nothing is given out or reported until `begin`.
  /// - Throws: `TopicError` or `PipelineMismatch`; nobody is disturbed then.
  init(
    pipeline: Pipeline, log: any TopicLog, logger: Logger, now: @escaping @Sendable () -> Int64
  ) throws {
    self.pipeline = pipeline
    self.log = log
    self.logger = logger
    self.now = now
    gaps = Array(repeating: nil, count: pipeline.models.count)
    served = Array(repeating: nil, count: pipeline.models.count)
    reader = try ModelReader(log: log, topics: PipelineTopics(pipeline: pipeline.name))
    start = try reader.startAtNewest(of: pipeline)
  }

  /// Where the next record is read.
  var position: UInt64 { reader.position }

  /// Takes up the newest parameters and reports what is wrong with newer ones. Called once, when no
  /// other scorer of the pipeline writes any more.
  mutating func begin() -> News {
    do { refusals = try UpdateRefusals(log: log, pipeline: pipeline.name) } catch {
      logger.warning(
        "the record of refused updates cannot be read and begins anew",
        metadata: ["reason": "\(error)"])
    }
    guard let start else { return takeNews() }
    self.start = nil
    served = start.found.map { $0?.model }
    counters.applied += UInt64(start.served.count)
    resume()
    for record in start.refused {
      guard case .refused(let error) = record.content else { continue }
      refuse(error, at: record.offset)
    }
    // What stands before the update that is served is behind us.
    for (model, found) in start.found.enumerated() {
      guard let found, let gap = gaps[model] else { continue }
      let isBehind = gap.numbers.allSatisfy { refusals.offset(of: $0) ?? 0 < found.offset }
      if isBehind { close(gap, of: model, by: found.model.header) }
    }
    return takeNews()
  }

  /// Takes up what an earlier scorer refused and nothing has healed.
  private mutating func resume() {
    for number in refusals.openNumbers {
      guard let refusal = refusals[number] else { continue }
      logger.warning(
        "an update was refused before",
        metadata: [
          "code": "\(refusal.code.rawValue)", "reason": "\(refusal.reason)",
          "offset": "\(refusal.offset.map(String.init) ?? "none")",
          "served": "\(servedNames)",
        ])
      for model in models(concernedBy: refusal.subject) {
        open(model, number, refusal.code, refusal.subject?.version)
      }
    }
  }

  /// Takes in what came since the last call.
  mutating func follow() throws -> News {
    let before = (served: served, applied: counters.applied)
    defer { if counters.applied > before.applied { servedBefore = before.served } }
    try reader.readNew { record in
      switch record.content {
      case .refused(let error): refuse(error, at: record.offset)
      case .withheld(let withheld):
        logger.debug(
          "the trainer withheld an update",
          metadata: [
            "model": "\(withheld.pipeline)/\(withheld.model)", "reason": "\(withheld.reason)",
          ])
      case .update(let update):
        do throws(UpdateError) {
          try apply(update, at: record.offset)
        } catch { refuse(error, at: record.offset) }
      }
    }
    if rereads { try reread() }
    return takeNews()
  }

  private mutating func takeNews() -> News {
    defer { refusalsChanged = false }
    return News(
      served: served, counters: counters, refusals: refusalsChanged ? refusals : nil)
  }

  // MARK: Updates

  private mutating func apply(
    _ update: ParameterUpdate, at offset: UInt64
  ) throws(UpdateError) {
    let header = update.header
    guard header.pipeline == pipeline.name, let model = pipeline.modelIndex(header.model) else {
      return
    }
    let before = served[model]?.header.version
    guard let next = try pipeline.applying(update, to: served[model]) else {
      guard offset >= rereadEnd else { return }
      refusals.countDoubled()
      counters.doubled += 1
      refusalsChanged = true
      return
    }
    served[model] = next
    counters.applied += 1
    logger.debug("update applied", metadata: ["version": "\(header.name)"])
    if let gap = gaps[model] {
      if header.isSnapshot || header.version >= gap.through {
        close(gap, of: model, by: header)
      } else {
        // It came late: those that build on it may be on the topic already.
        rereads = true
      }
    } else if let before, header.version > before + 1 {
      refuse(
        UpdateError(
          .gap, "\(header.name) came after version \(before)",
          subject: .init(
            pipeline: header.pipeline, model: header.model, epoch: header.epoch,
            version: before + 1)),
        at: nil)
      if let gap = gaps[model] { close(gap, of: model, by: header) }
    }
  }

  private mutating func refuse(_ error: UpdateError, at offset: UInt64?) {
    let models = models(concernedBy: error.subject)
    guard !models.isEmpty else { return }
    if error.subject != nil, var gap = gaps[models[0]],
      error.code == .gap || (Self.isLasting(error.code) && gap.codes.contains(error.code))
    {
      // The same fault goes on.
      gap.waits(error.code, for: error.subject?.version)
      gaps[models[0]] = gap
      refusals.countSkipped()
      counters.skipped += 1
      refusalsChanged = true
      return
    }
    // Known already to the scorer before this one: told when it was taken up.
    guard offset.flatMap({ refusals.number(at: $0, code: error.code) }) == nil else { return }
    let number = refusals.add(
      UpdateRefusal(
        time: now(), offset: offset, subject: error.subject, code: error.code,
        reason: error.description))
    refusalsChanged = true
    counters.refused += 1
    counters.refusedByCode[error.code, default: 0] += 1
    logger.warning(
      "update refused, serving on",
      metadata: [
        "code": "\(error.code.rawValue)", "reason": "\(error)",
        "topic": "\(PipelineTopics.models)", "offset": "\(offset.map(String.init) ?? "none")",
        "served": "\(servedNames)",
      ])
    for model in models { open(model, number, error.code, error.subject?.version) }
    // Updates that came in the wrong order are all there.
    if error.code == .gap, offset != nil { rereads = true }
  }

  /// Where it is not known which model is meant, all that are served; all there are before that.
  private func models(concernedBy subject: UpdateError.Subject?) -> [Int] {
    guard let subject else {
      let served = pipeline.models.indices.filter { self.served[$0] != nil }
      return served.isEmpty ? Array(pipeline.models.indices) : served
    }
    guard subject.pipeline == pipeline.name else { return [] }
    return pipeline.modelIndex(subject.model).map { [$0] } ?? []
  }

  private var servedNames: String {
    served.compactMap { $0?.header.name }.joined(separator: " ")
  }

  private mutating func open(
    _ model: Int, _ number: UInt64, _ code: UpdateError.Code, _ version: UInt64?
  ) {
    var gap =
      gaps[model]
      ?? Gap(served: served[model]?.header.version ?? 0, numbers: [], codes: [])
    gap.numbers.insert(number)
    gap.codes.insert(code)
    gap.waits(code, for: version)
    gaps[model] = gap
  }

  /// Kinds that every update of a trainer has that is older or other than what is served.
  private static func isLasting(_ code: UpdateError.Code) -> Bool {
    [.fingerprint, .newerFormat, .olderEpoch, .reusedVersion].contains(code)
  }

  // MARK: Healing

  /// Looks for newer versions on the topic as it stands, in whatever order updates came.
  private mutating func reread() throws {
    rereads = false
    let (newest, end) = try reader.newest(of: pipeline)
    rereadEnd = end
    for (model, found) in newest.found.enumerated() {
      guard let gap = gaps[model] else { continue }
      let served = served[model]?.header
      if let found, found.model.header.version > served?.version ?? 0,
        found.model.header.epoch >= served?.epoch ?? 0
      {
        self.served[model] = found.model
        counters.applied += 1
        close(gap, of: model, by: found.model.header)
      } else if let served, served.version > gap.served {
        // An update that had been waited for came, and nothing sound builds on it.
        close(gap, of: model, by: served)
      }
    }
  }

  private mutating func close(_ gap: Gap, of model: Int, by header: ParameterUpdate.Header) {
    gaps[model] = nil
    let skipped = gap.served + 1..<max(header.version, gap.served + 1)
    logger.notice(
      "parameters healed",
      metadata: [
        "version": "\(header.name)", "type": "\(header.isSnapshot ? "snapshot" : "delta")",
        "before": "\(gap.served)",
        "skipped": skipped.isEmpty
          ? "none"
          : skipped.count == 1
            ? "\(skipped.lowerBound)" : "\(skipped.lowerBound) to \(skipped.upperBound - 1)",
      ])
    for number in gap.numbers where !gaps.contains(where: { $0?.numbers.contains(number) == true })
    {
      refusals.heal(number, by: header.name, time: now())
      refusalsChanged = true
    }
  }
}
