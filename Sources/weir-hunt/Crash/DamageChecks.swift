import Files
import LinearAlgebra
import ModelLog
import Pipeline
import Topics

/// Reads the topics after damage and repair: nothing wrong was served, nothing is missing without
/// having been named.
struct DamageChecks {
  let log: EmbeddedLog
  let pipeline: Pipeline
  let published: [DamageRun.VersionName: Digest]
  /// Of the decisions that were named as lost without their number, as many as there can be.
  let uncountedDecisions: Int
  /// Whether the producer's progress was named as lost: it then produces events again.
  let losesProgress: Bool

  /// Every version that scored was published, with that digest.
  func served() throws -> String? {
    var objection: String?
    try forEachBlock { block in
      for (model, version) in zip(pipeline.models, block.versions) where version.version > 0 {
        let name = DamageRun.VersionName(
          model: model.name, epoch: version.epoch, version: version.version)
        if published[name] != version.digest {
          objection = objection ?? "\(name) scored with digest \(version.digest?.short ?? "none")"
        }
      }
    }
    return objection
  }

  /// Scores come out the same, bit for bit, when a version is rebuilt and given the features again.
  /// - Returns: what is wrong, nil if nothing is.
  func recomputed(comparing: (_ rows: Int) -> Void) throws -> String? {
    var blocks: [ScoredBlock] = []
    var number = 0
    // One in some is a sample.
    try forEachBlock { block in
      number += 1
      if number % 11 == 0 { blocks.append(block) }
    }
    var objection: String?
    var rows = 0
    var served: [String: ServedModel] = [:]
    try ModelHistory(log: log).forEach(pipeline: pipeline.name) { record in
      guard case .update(let update) = record.content, objection == nil,
        let model = pipeline.modelIndex(update.header.model),
        case .applied(let next)? = try? ServedModel.apply(
          update, to: update.header.isSnapshot ? nil : served[update.header.model],
          fingerprint: nil)
      else { return }
      served[update.header.model] = next
      for block in blocks where block.versions[model].digest == next.digest {
        var features = Matrix(columns: block.features, capacity: block.rows)
        for row in 0..<block.rows {
          features.append((0..<block.features).map { block.feature($0, row: row) })
        }
        var scores = [Float](repeating: .nan, count: block.rows)
        next.parameters.score(features, into: &scores)
        for row in 0..<block.rows where scores[row] != block.score(model: model, row: row) {
          objection = "\(next.header.name) gives \(scores[row]) where another score was served"
        }
        rows += block.rows
      }
    }
    comparing(rows)
    return objection ?? (rows == 0 ? "no version of the sample could be rebuilt" : nil)
  }

  /// No event stands twice, unless the producer had to begin anew, or has two decisions, and there
  /// are no more without one than decisions were named as lost.
  func complete(saying: (String) -> Void) throws -> String? {
    let reports = try TopicMaintenance(folder: log.folder).verify().roles
    func lost(_ partition: TopicPartition) -> Int {
      reports.flatMap(\.partitions).filter { $0.partition == partition }.flatMap(\.gaps)
        .reduce(0) { $0 + $1.count }
    }
    var events: Set<String> = []
    var decided: Set<String> = []
    var objection: String?
    var doubled = 0
    try forEach(PipelineTopics.events, of: PipelineTopics.producers) { record in
      let bytes = JSONMembers(of: [UInt8](record.value)).value(of: "TRANSACTION_ID") ?? []
      let id = String(decoding: bytes, as: UTF8.self)
      guard !events.insert(id).inserted else { return }
      doubled += 1
      guard !losesProgress else { return }
      objection = objection ?? "event \(id) stands twice, the second time at \(record.offset)"
    }
    try forEach(
      PipelineTopics.decisions, of: PipelineTopics(pipeline: pipeline.name).scorer
    ) { record in
      let id = String(decoding: record.key ?? .init(start: nil, count: 0), as: UTF8.self)
      if !decided.insert(id).inserted { objection = objection ?? "event \(id) is decided twice" }
    }
    let missing = events.subtracting(decided).count
    let named = lost(PipelineTopics.decisions)
    saying(
      "lost: \(lost(PipelineTopics.events)) events, \(lost(PipelineTopics.labels)) labels, "
        + "\(named) decisions, \(lost(PipelineTopics.scored)) blocks, "
        + "\(lost(PipelineTopics.models)) records of updates; \(missing) events without decision"
        + (uncountedDecisions > 0 ? ", up to \(uncountedDecisions) lost without number" : "")
        + "; \(doubled) events produced twice")
    if missing > named + uncountedDecisions {
      objection =
        objection ?? "\(missing) events have no decision, \(named) are named as lost, and up to "
        + "\(uncountedDecisions) without their number"
    }
    return objection
  }

  private func forEachBlock(_ body: (ScoredBlock) throws -> Void) throws {
    try forEach(PipelineTopics.scored, of: PipelineTopics(pipeline: pipeline.name).scorer) {
      try body(try ScoredBlock(bytes: [UInt8]($0.value)))
    }
  }

  private func forEach(
    _ partition: TopicPartition, of role: WriterRole, _ body: (RecordView) throws -> Void
  ) throws {
    let reader = try log.reader(partition, of: role)
    _ = try reader.read(from: reader.startOffset(), limit: .max) {
      try body($0)
      return true
    }
  }
}
