import Features
import ModelLog
import Topics

/// Answers which version scored what, from the blocks that a pipeline's scorers wrote.
public struct ServingHistory {
  /// Events one after the other that were scored by the same version of a model.
  public struct Stretch: Sendable, Equatable {
    /// Name of the model.
    public var model: String
    /// What stands behind the scores; its version is 0 while there were no parameters.
    public var version: ScoredBlock.Version
    /// Earliest and latest event time, ms since 1970.
    public var times: ClosedRange<Int64>
    /// Number of events.
    public var events: UInt64
    /// Those of them whose decision was an alert, by whichever model decided.
    public var alerts: UInt64
    /// Offsets on `scored` of the first and the last block.
    public var offsets: ClosedRange<UInt64>
  }

  /// The version behind the events around a moment.
  public struct Served: Sendable {
    /// Name of the model.
    public var model: String
    /// Nil where no parameters were served, or no block is that old.
    public var version: ScoredBlock.Version?
    /// Of the block on `scored` that says so.
    public var offset: UInt64?
  }

  /// Name of the pipeline.
  public let pipeline: String
  private let reader: any TopicReader
  private let models: [String]

  /// The history of a pipeline; nothing is read yet.
  public init(log: any TopicLog, pipeline: String) throws {
    let role = PipelineTopics(pipeline: pipeline).scorer
    self.pipeline = pipeline
    reader = try log.reader(PipelineTopics.scored, of: role)
    // Blocks name models by number; the scorer's definition has their names in this order.
    let definition = try log.state(PipelineMismatch.definitionKey, role: role) ?? []
    models = String(decoding: definition, as: UTF8.self).split(separator: "\n")
      .filter { $0.hasPrefix("model ") }
      .compactMap { $0.dropFirst("model ".count).split(separator: ":").first.map(String.init) }
  }

  /// The pipelines whose scorers have written anything, by name.
  public static func pipelines(of log: any TopicLog) throws -> [String] {
    let prefix = PipelineTopics(pipeline: "").scorer.name
    return try log.describe().filter { $0.partition == PipelineTopics.scored }.compactMap {
      $0.role.name.hasPrefix(prefix) ? String($0.role.name.dropFirst(prefix.count)) : nil
    }
  }

  /// All stretches, model by model, oldest first.
  /// - Parameter damage: gets what cannot be read; it is stepped over.
  public func stretches(damage: (any Error) -> Void) throws -> [Stretch] {
    var done: [[Stretch]] = []
    var stepping = SteppingReader(reader, from: try reader.startOffset())
    try stepping.read(damage: { damage($0) }) { record in
      let block: ScoredBlock
      do { block = try ScoredBlock(bytes: [UInt8](record.value)) } catch {
        damage(TopicError(.corrupt, "\(error)", partition: reader.partition, offset: record.offset))
        return true
      }
      guard block.rows > 0 else { return true }
      let times = (0..<block.rows).map(block.time)
      let alerts = (0..<block.rows).count { block.outcome($0) == .alert }
      for (model, version) in block.versions.enumerated() {
        let piece = Stretch(
          model: name(model), version: version, times: times.min()!...times.max()!,
          events: UInt64(block.rows), alerts: UInt64(alerts), offsets: record.offset...record.offset
        )
        if model >= done.count { done.append([]) }
        if let last = done[model].last, last.version == version {
          done[model][done[model].count - 1] = last.joined(with: piece)
        } else {
          done[model].append(piece)
        }
      }
      return true
    }
    return done.flatMap { $0 }
  }

  /// What was served at an event time: the versions behind the last events at or before it. Found
  /// by bisection, however long the topic is.
  public func served(at time: Int64) throws -> [Served] {
    let later = try reader.offset(atOrAfter: time + 1)
    // The first block that goes beyond the time may begin before it.
    if let later, let block = try block(at: later),
      (0..<block.rows).contains(where: { block.time($0) <= time })
    {
      return served(block, later)
    }
    let end = try later ?? reader.endOffset()
    guard end > (try reader.startOffset()), let block = try block(at: end - 1) else {
      return models.map { Served(model: $0) }
    }
    return served(block, end - 1)
  }

  private func served(_ block: ScoredBlock, _ offset: UInt64) -> [Served] {
    block.versions.enumerated().map {
      Served(
        model: name($0.offset), version: $0.element.version > 0 ? $0.element : nil, offset: offset)
    }
  }

  private func block(at offset: UInt64) throws -> ScoredBlock? {
    var block: ScoredBlock?
    _ = try reader.read(from: offset, limit: 1) {
      block = try ScoredBlock(bytes: [UInt8]($0.value))
      return false
    }
    return block
  }

  private func name(_ model: Int) -> String {
    model < models.count ? models[model] : "model \(model)"
  }
}

extension ServingHistory.Stretch {
  fileprivate func joined(with next: Self) -> Self {
    var joined = self
    joined.times =
      min(times.lowerBound, next.times.lowerBound)...max(times.upperBound, next.times.upperBound)
    joined.events += next.events
    joined.alerts += next.alerts
    joined.offsets = offsets.lowerBound...next.offsets.upperBound
    return joined
  }
}
