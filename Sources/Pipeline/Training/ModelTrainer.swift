import Evaluation
import Features
import Learners
import LinearAlgebra
import ModelLog

/// Trains one model: gathers rows into mini-batches, learns them, and says when its parameters
/// are due to be published.
///
/// The first mini-batches and the first distances between versions are small and double, so that a
/// scorer has something to work with early and versions do not crowd later.
struct ModelTrainer {
  let definition: ModelDefinition
  private(set) var learner: any Learner
  private(set) var publisher: UpdatePublisher
  /// Of the scores as they were served.
  private(set) var figures: StreamingFigures

  private let publishing: Publishing
  private var rows: Matrix
  private var labels: [Double] = []
  private var batch: Int
  private var unpublished: UInt64 = 0
  /// Event time of the last publication, or of the first row.
  private var publishedAt: Int64?

  static let firstBatch = 16

  init(_ definition: ModelDefinition, pipeline: Pipeline) {
    let featureCount = pipeline.plan.count
    self.definition = definition
    // Each model has random numbers of its own, whatever the others are.
    learner = definition.learner.makeLearner(
      featureCount: featureCount, seed: pipeline.seed &+ stableHash(definition.name.utf8))
    publisher = UpdatePublisher(snapshotEvery: pipeline.publishing.snapshotEvery)
    figures = StreamingFigures(scale: definition.learner.kind.scoreScale)
    publishing = pipeline.publishing
    rows = Matrix(columns: featureCount, capacity: definition.batch)
    batch = min(Self.firstBatch, definition.batch)
  }

  /// Rows that can be added before parameters could change or a deadline could come up, at least 1.
  var rowsUntilChange: Int {
    publishing.interval != nil && rows.rows == 0 && unpublished == 0 ? 1 : batch - rows.rows
  }

  /// Event time from which on learnt rows are published, however few; nil if there is none.
  var deadline: Int64? {
    guard let interval = publishing.interval, let publishedAt, unpublished > 0 || rows.rows > 0
    else { return nil }
    return publishedAt + interval
  }

  mutating func addFigure(score: Float, label: Label) {
    figures.add(score: score, label: label == .positive)
  }

  mutating func correctFigure(score: Float, to label: Label) {
    figures.correct(score: score, to: label == .positive)
  }

  /// Adds a row of a block; true if parameters are due to be published.
  mutating func add(_ block: ScoredBlock, row: Int, label: Label?) -> Bool {
    let at = rows.rows
    rows.resize(rows: at + 1)
    for column in 0..<rows.columns { rows[at, column] = block.feature(column, row: row) }
    if definition.learner.isSupervised { labels.append(label == .positive ? 1 : 0) }
    if publishedAt == nil { publishedAt = block.time(row) }
    guard rows.rows == batch else { return false }
    learn()
    return isDue
  }

  /// Event time has come to `time`; true if parameters are due to be published.
  mutating func advance(to time: Int64) -> Bool {
    guard let deadline, time >= deadline else { return false }
    if rows.rows > 0 { learn() }
    return unpublished > 0
  }

  /// Learns what is gathered; true if there is something to publish.
  mutating func finish() -> Bool {
    if rows.rows > 0 { learn() }
    return unpublished > 0
  }

  private var isDue: Bool {
    let grown = min(UInt64(publishing.every), max(UInt64(Self.firstBatch), learner.examples / 2))
    return unpublished >= grown
  }

  private mutating func learn() {
    learner.learn(rows, labels: labels, weights: [])
    unpublished += UInt64(rows.rows)
    rows.resize(rows: 0)
    labels.removeAll(keepingCapacity: true)
    batch = min(batch * 2, definition.batch)
  }

  /// The parameters as they are to be published, or nil if there is nothing to score with yet.
  mutating func publish(at time: Int64) -> (any ModelParameters)? {
    guard let parameters = learner.makeParameters() else { return nil }
    unpublished = 0
    publishedAt = time
    return parameters
  }

  /// The update that brings readers to `parameters`.
  mutating func makeUpdate(
    of parameters: any ModelParameters, header: ParameterUpdate.Header, pipeline: Pipeline
  ) -> ParameterUpdate {
    publisher.makeUpdate(
      of: parameters, header: header, definition: pipeline.definition,
      features: pipeline.plan.names)
  }

  // MARK: State

  func encode() -> [UInt8] {
    var writer = StateWriter()
    writer.write(publisher.version)
    writer.write(figures.encode())
    writer.write(UInt64(batch))
    writer.write(unpublished)
    writer.write(publishedAt ?? .min)
    writer.write(labels)
    writer.write(UInt64(rows.rows))
    for row in 0..<rows.rows { writer.write(rows.row(row)) }
    writer.write(learner.encodeState())
    return writer.bytes
  }

  init(_ definition: ModelDefinition, pipeline: Pipeline, state: [UInt8]) throws {
    let featureCount = pipeline.plan.count
    var reader = StateReader(state)
    self.definition = definition
    publishing = pipeline.publishing
    publisher = UpdatePublisher(
      after: try reader.read(UInt64.self), snapshotEvery: publishing.snapshotEvery)
    figures = try StreamingFigures(decoding: try reader.readArray(of: UInt8.self))
    batch = min(try reader.readCount(limit: 1 << 20), definition.batch)
    unpublished = try reader.read(UInt64.self)
    let time = try reader.read(Int64.self)
    publishedAt = time == .min ? nil : time
    let labels = try reader.readFinites()
    let gathered = try reader.readCount(limit: 1 << 20)
    var matrix = Matrix(columns: featureCount, capacity: max(definition.batch, gathered))
    for _ in 0..<gathered { matrix.append(try reader.readFinites(count: featureCount)) }
    learner = try definition.learner.restoreLearner(
      featureCount: featureCount, state: try reader.readArray(of: UInt8.self))
    try reader.finish()
    guard batch > 0, !definition.learner.isSupervised || labels.count == gathered else {
      throw StateError.invalid("batch")
    }
    rows = matrix
    self.labels = labels
    // The file may now ask for smaller batches than were being gathered.
    if rows.rows >= batch { learn() }
  }
}

extension ModelKind {
  /// What the figures of a model's scores can be.
  public var scoreScale: ScoreScale {
    switch self {
    case .logisticRegression: .probability
    case .kMeans, .isolationForest: .unitInterval
    }
  }
}
