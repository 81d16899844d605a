import ModelLog
import Pipeline
import Topics

/// Follows decisions and updates as they become readable and notes when that is.
final class Follower {
  /// Milliseconds from an event's append to its decision being readable, one list for each second
  /// since ``reset()``.
  private(set) var decisionsBySecond: [[Double]] = [[]]

  private let log: EmbeddedLog
  private let decided: any TopicReader
  private let scored: any TopicReader
  private let models: any TopicReader
  private var start = monotonicNanoseconds()
  private var nextDecision: UInt64
  private var nextBlock: UInt64
  private let firstUpdate: UInt64
  private var nextUpdate: UInt64
  /// The first offset of each batch on `models`, and when it became readable, ns on the monotonic
  /// clock. What is in them is read in the end: it would take longer than a decision does.
  private var updates: [(batch: UInt64, time: Int64)] = []
  /// By model, in order, the versions that scored and when their first block became readable.
  private var used: [[(version: UInt64, time: Int64)]]

  init(log: EmbeddedLog, pipeline: Pipeline) throws {
    self.log = log
    let topics = PipelineTopics(pipeline: pipeline.name)
    decided = try log.reader(PipelineTopics.decisions, of: topics.scorer)
    scored = try log.reader(PipelineTopics.scored, of: topics.scorer)
    models = try log.reader(PipelineTopics.models, of: topics.trainer)
    nextDecision = try decided.endOffset()
    nextBlock = try scored.endOffset()
    firstUpdate = try models.endOffset()
    nextUpdate = firstUpdate
    used = pipeline.models.map { _ in [] }
  }

  /// All of ``decisionsBySecond``.
  var decisions: [Double] { decisionsBySecond.flatMap { $0 } }

  /// Updates of each model, in the pipeline's order, that became readable.
  func updateCounts(pipeline: Pipeline) throws -> [Int] {
    var assembler = UpdateAssembler()
    var counts = pipeline.models.map { _ in 0 }
    _ = try models.read(from: firstUpdate, limit: .max) { record in
      if case .update(let update) = try assembler.take(record.value),
        let model = pipeline.modelIndex(update.header.model)
      {
        counts[model] += 1
      }
      return true
    }
    return counts
  }

  /// Forgets what was measured so far.
  func reset() {
    decisionsBySecond = [[]]
    start = monotonicNanoseconds()
    for model in used.indices { used[model] = used[model].suffix(1) }
  }

  /// Follows for so many seconds, or while `isGoing`.
  func follow(seconds: Double, while isGoing: () throws -> Bool = { true }) throws {
    let end = monotonicSeconds() + seconds
    while monotonicSeconds() < end, try isGoing() {
      let token = log.changeToken()
      if try !read() { _ = log.waitForChange(since: token, timeoutMilliseconds: 100) }
    }
  }

  /// Reads what is new; false if nothing is.
  private func read() throws -> Bool {
    let before = (nextDecision, nextUpdate)
    while let batch = try models.batch(atOrAfter: nextUpdate) {
      updates.append((batch, monotonicNanoseconds()))
      nextUpdate = batch + 1
    }
    nextDecision = try decided.read(from: nextDecision, limit: .max) { record in
      var stamp: Int64 = 0
      for digit in record.key ?? .init(start: nil, count: 0) {
        stamp = stamp &* 10 &+ Int64(digit &- UInt8(ascii: "0"))
      }
      let now = monotonicNanoseconds()
      while now - start >= Int64(decisionsBySecond.count) * 1_000_000_000 {
        decisionsBySecond.append([])
      }
      decisionsBySecond[decisionsBySecond.count - 1].append(Double(now - stamp) * 1e-6)
      return true
    }
    nextBlock = try scored.read(from: nextBlock, limit: .max) { record in
      let versions = try ScoredBlock(bytes: [UInt8](record.value)).versions
      for (model, version) in versions.enumerated()
      where version.version > (used[model].last?.version ?? 0) {
        used[model].append((version.version, monotonicNanoseconds()))
      }
      return true
    }
    return (nextDecision, nextUpdate) != before
  }

  /// Milliseconds from an update being readable to the first event scored by it, or by a version
  /// after it, being readable.
  func swaps(pipeline: Pipeline) throws -> [Double] {
    var assembler = UpdateAssembler()
    var milliseconds: [Double] = []
    var batch = 0
    // What came after the last look was not noted.
    let end = updates.isEmpty ? 0 : try models.batch(atOrAfter: nextUpdate) ?? .max
    _ = try models.read(from: firstUpdate, limit: .max) { record in
      guard record.offset < end else { return false }
      while batch + 1 < updates.count, updates[batch + 1].batch <= record.offset { batch += 1 }
      guard let update = try? assembler.take(record.value).update,
        let model = pipeline.modelIndex(update.header.model),
        let since = used[model].first?.version,
        update.header.version > since,
        let first = used[model].first(where: { $0.version >= update.header.version })
      else { return true }
      milliseconds.append(Double(max(0, first.time - updates[batch].time)) * 1e-6)
      return true
    }
    return milliseconds
  }
}
