import Learners
import LinearAlgebra
import ModelLog
import Pipeline
import Topics

/// Publishes versions of a pipeline's model `fraud`, a logistic regression, in the trainer's name:
/// sound ones, and ones with a fault.
public final class PretendTrainer {
  /// Versions 1 to 8: a snapshot, then deltas.
  public let updates: [ParameterUpdate]
  private let models: [ServedModel]
  private let topics: PipelineTopics
  private let writer: any TopicWriter

  /// A trainer of some epochs that has published nothing yet.
  public init(pipeline: Pipeline, log: any TopicLog) throws {
    topics = PipelineTopics(pipeline: pipeline.name)
    writer = try log.writer(topics.trainer, exclusive: true)
    var learner = LogisticRegression(featureCount: pipeline.plan.count, options: .init(), seed: 1)
    var publisher = UpdatePublisher(snapshotEvery: 100)
    var updates: [ParameterUpdate] = []
    var models: [ServedModel] = []
    for version in 1...8 {
      let rows = (0..<64).map { row in
        (0..<pipeline.plan.count).map { Double((row * 7 + $0 * 3 + version) % 13) }
      }
      learner.learn(Matrix(rows: rows), labels: rows.map { $0[0] > 6 ? 1 : 0 }, weights: [])
      let header = ParameterUpdate.Header(
        pipeline: pipeline.name, model: "fraud", kind: .logisticRegression, epoch: 5,
        fingerprint: pipeline.fingerprint, eventTime: 1_522_540_800_000,
        examples: learner.examples, figures: .init(), threshold: 0.5)
      updates.append(
        publisher.makeUpdate(
          of: learner.makeParameters()!, header: header, definition: pipeline.definition,
          features: pipeline.plan.names))
      if case .applied(let model) = try ServedModel.apply(
        updates.last!, to: models.last, fingerprint: nil)
      {
        models.append(model)
      }
    }
    self.updates = updates
    self.models = models
  }

  /// A version whole.
  public func snapshot(_ version: Int) -> ParameterUpdate { models[version - 1].snapshot }

  /// Appends updates, all in one batch.
  public func publish(_ updates: ParameterUpdate...) throws {
    try append(updates.flatMap { UpdateChunks.split($0) })
  }

  /// Appends records to `models`, all in one batch.
  public func append(_ records: [[UInt8]]) throws {
    var batch = RecordBatch()
    for record in records {
      batch.append(
        key: Array("\(updates[0].header.pipeline)/fraud".utf8), value: record, timestamp: 0)
    }
    try writer.transact { _ = try $0.append(batch, to: PipelineTopics.models) }
  }

  /// Appends version 4 with a fault in it, and version 5, a delta on it.
  public func publish(_ fault: UpdateFault) throws {
    try append(fault.records(of: updates[3]) + UpdateChunks.split(updates[4]))
  }
}
