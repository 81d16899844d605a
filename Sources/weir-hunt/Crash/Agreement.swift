import Files
import ModelLog
import Pipeline
import Topics

/// Compares `scored` with `decisions`, event by event.
struct Agreement {
  /// By model and version, the epoch and digest that scored blocks name.
  private(set) var named: [String: [UInt64: (epoch: UInt64, digest: Digest)]] = [:]
  /// By model, how many events a version of it has scored, and how many of them are fraud.
  private(set) var scored: [String: (events: UInt64, frauds: UInt64)] = [:]

  private let pipeline: Pipeline

  init(pipeline: Pipeline) { self.pipeline = pipeline }

  /// Reads both topics.
  /// - Returns: the first thing that is wrong, nil if nothing is.
  mutating func read(log: EmbeddedLog, stream: PaymentStream) throws -> String? {
    let role = PipelineTopics(pipeline: pipeline.name).scorer
    let blocks = try log.reader(PipelineTopics.scored, of: role)
    let decisions = try log.reader(PipelineTopics.decisions, of: role)
    var number = 0
    var position = try decisions.startOffset()
    var objection: String?
    _ = try blocks.read(from: blocks.startOffset(), limit: .max) { record in
      let block = try ScoredBlock(bytes: [UInt8](record.value))
      objection = note(block)
      var row = 0
      position = try decisions.read(from: position, limit: block.rows) { decision in
        objection =
          objection
          ?? compare(block, row, with: [UInt8](decision.value), number: number, stream: stream)
        row += 1
        number += 1
        return objection == nil
      }
      if objection == nil, row < block.rows {
        objection = "block \(record.offset) has \(block.rows) events, \(row) of them decided"
      }
      return objection == nil
    }
    let left = try decisions.endOffset() - position
    if objection == nil, left > 0 { objection = "\(left) decisions are in no block" }
    return objection ?? (number == stream.count ? nil : "\(number) of \(stream.count)")
  }

  /// Notes the versions that a block names.
  private mutating func note(_ block: ScoredBlock) -> String? {
    guard block.fingerprint == pipeline.fingerprint, block.versions.count == pipeline.models.count
    else { return "a block of another pipeline" }
    for (model, version) in zip(pipeline.models, block.versions) where version.version > 0 {
      guard let digest = version.digest else { return "a version without a digest" }
      if let known = named[model.name]?[version.version],
        known != (version.epoch, digest)
      {
        return "\(model.name)@\(version.version) stands for two sets of parameters"
      }
      named[model.name, default: [:]][version.version] = (version.epoch, digest)
    }
    return nil
  }

  private mutating func compare(
    _ block: ScoredBlock, _ row: Int, with decision: [UInt8], number: Int, stream: PaymentStream
  ) -> String? {
    func objection(_ what: String) -> String {
      "event \(number): \(what): \(String(decoding: decision, as: UTF8.self))"
    }
    let members = JSONMembers(of: decision)
    guard block.id(row).elementsEqual("\(number)".utf8), number < stream.count,
      members.value(of: "event_id")?.elementsEqual("\(number)".utf8) == true
    else {
      return objection("stands where \(String(decoding: block.id(row), as: UTF8.self)) was scored")
    }
    guard members.value(of: "outcome")?.elementsEqual("\(block.outcome(row))".utf8) == true else {
      return objection("scored is the outcome \(block.outcome(row))")
    }
    let scores = JSONMembers(of: Array(members.value(of: "scores") ?? []))
    for (index, model) in pipeline.models.enumerated() {
      let version = block.versions[index]
      guard let digest = version.digest else {
        guard scores.value(of: model.name) == nil else { return objection("no version scored it") }
        continue
      }
      let score = JSONMembers(of: Array(scores.value(of: model.name) ?? []))
      func text(_ name: String) -> String {
        String(decoding: score.value(of: name) ?? [], as: UTF8.self)
      }
      guard Float(text("score")) == block.score(model: index, row: row),
        text("version") == "\(version.version)", text("epoch") == "\(version.epoch)",
        text("digest") == digest.description
      else { return objection("'scored' has another score or version of \(model.name)") }
      scored[model.name, default: (0, 0)].events += 1
      if stream.isFraud[number] { scored[model.name]!.frauds += 1 }
    }
    return nil
  }
}
