import Evaluation
import Features
import Learners
import LinearAlgebra
import ModelLog
import StateCoding

/// Trains one model: gathers rows into mini-batches, learns them, says when its parameters are due
/// to be published, and keeps back those that are not fit for it.
///
/// The first mini-batches and the first distances between versions are small and double, so that a
/// scorer has something to work with early and versions do not crowd later.
struct ModelTrainer {
  let definition: ModelDefinition
  private(set) var learner: any Learner
  private(set) var publisher: UpdatePublisher
  /// Of the scores as they were served.
  private(set) var figures: StreamingFigures

  /// What the last published version was made of: the last good state to fall back on.
  struct Served {
    var learner: any Learner
    var parameters: any ModelParameters
    /// Of recent events, those that it flagged when it was published; nil with a budget.
    var flaggedShare: Double?
  }

  private let publishing: Publishing
  private let featureCount: Int
  private let seed: UInt64
  private var rows: Matrix
  private var labels: [Double] = []
  /// As ``labels``, one a row for a model that learns from labels.
  private var weights: [Double] = []
  private var batch: Int
  /// Rows learnt since the last attempt to publish.
  private var unpublished: UInt64 = 0
  /// Event time of the last attempt, or of the first row.
  private var publishedAt: Int64?
  private(set) var served: Served?
  /// Whether the learner is just as it was then.
  private var holdsServed = false
  /// Rows learnt since the last published version.
  private(set) var sinceServed: UInt64 = 0
  /// Rows that were learnt and left out again.
  private(set) var leftOut: UInt64 = 0
  private var ladder = RecoveryLadder()
  /// Nil where nothing is compared: guards are off, or there are no labels.
  private var sample: LabelledSample?
  /// The version whose learner's state is in the store beside this trainer's.
  private var savedVersion: UInt64?

  static let firstBatch = 16

  init(_ definition: ModelDefinition, pipeline: Pipeline) {
    featureCount = definition.learner.featureCount(of: pipeline.plan)
    self.definition = definition
    seed = Self.seed(definition, pipeline)
    learner = definition.learner.makeLearner(featureCount: featureCount, seed: seed)
    publisher = UpdatePublisher(snapshotEvery: pipeline.publishing.snapshotEvery)
    figures = StreamingFigures(scale: definition.learner.kind.scoreScale)
    publishing = pipeline.publishing
    sample = Self.makeSample(definition, pipeline)
    rows = Matrix(columns: featureCount, capacity: definition.batch)
    batch = min(Self.firstBatch, definition.batch)
  }

  /// Each model has random numbers of its own, whatever the others are.
  private static func seed(_ definition: ModelDefinition, _ pipeline: Pipeline) -> UInt64 {
    pipeline.seed &+ stableHash(definition.name.utf8)
  }

  private static func makeSample(
    _ definition: ModelDefinition, _ pipeline: Pipeline
  ) -> LabelledSample? {
    guard pipeline.publishing.guards != nil, pipeline.labels != nil else { return nil }
    return LabelledSample(
      featureCount: definition.learner.featureCount(of: pipeline.plan),
      scale: definition.learner.kind.scoreScale,
      seed: ~seed(definition, pipeline))
  }

  /// Rows learnt since the model began, also those that were left out again.
  var examples: UInt64 { learner.examples + leftOut }

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

  /// Takes a labelled row into the sample that versions are compared on.
  /// - Parameter time: when the label became known, in event time.
  mutating func addLabelled(_ block: ScoredBlock, row: Int, label: Label, time: Int64) {
    sample?.add(block, row: row, label: label, time: time)
  }

  /// Adds a row of a block; true if parameters are due to be published.
  /// - Parameter weight: of the row, for a model that learns from labels.
  mutating func add(_ block: ScoredBlock, row: Int, label: Label?, weight: Double) -> Bool {
    let at = rows.rows
    rows.resize(rows: at + 1)
    for column in 0..<rows.columns { rows[at, column] = block.feature(column, row: row) }
    if definition.learner.isSupervised {
      labels.append(label == .positive ? 1 : 0)
      weights.append(weight)
    }
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
    // A model that begins anew again and again comes at longer distances each time.
    let first = UInt64(Self.firstBatch) << UInt64(min(ladder.resets, 30))
    return unpublished >= min(UInt64(publishing.every), max(first, learner.examples / 2))
  }

  private mutating func learn() {
    // Weights of 1 are left out: a learner may take sums in another order with weights.
    let areAllOne = weights.allSatisfy { $0 == 1 }
    learner.learn(rows, labels: labels, weights: areAllOne ? [] : weights)
    unpublished += UInt64(rows.rows)
    sinceServed += UInt64(rows.rows)
    holdsServed = false
    rows.resize(rows: 0)
    labels.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    batch = min(batch * 2, definition.batch)
  }

  /// What became of an attempt to publish.
  enum Attempt {
    case published(any ModelParameters, threshold: Float?)
    /// - Parameter rows: those concerned, see `WithheldUpdate.rows`.
    case withheld(GuardObjection, WithheldUpdate.Action, rows: UInt64)
  }

  /// Publishes what has been learnt unless a guard objects; nil if there is nothing to score with
  /// yet.
  mutating func publish(
    at time: Int64, recent: RecentRows, limit: DecisionPolicy.Limit
  ) -> Attempt? {
    guard let parameters = learner.makeParameters() else { return nil }
    unpublished = 0
    publishedAt = time
    // Nothing is scored by parameters that a scorer would refuse.
    if let objection = GuardObjection.toNonFinite(parameters, threshold: nil) {
      return withhold(objection)
    }
    var threshold: Float?
    var flaggedShare: Double?
    switch limit {
    case .budget(let budget): threshold = recent.threshold(of: parameters, budget: budget)
    case .thresholds(let fixed):
      threshold = fixed[definition.name]
      if publishing.guards != nil, let threshold {
        flaggedShare = recent.flaggedShare(of: parameters, threshold: threshold)
      }
    }
    if let objection = GuardObjection.toNonFinite(parameters, threshold: threshold) {
      return withhold(objection)
    }
    sample?.renew(at: time, servedBy: served?.parameters)
    let scores = sample?.score(by: parameters)
    if let guards = publishing.guards {
      let objection =
        GuardObjection.toExploding(parameters) ?? objectionToFigures(scores, guards)
        ?? objectionToAlerts(flaggedShare, threshold, recent, guards)
      if let objection, !ladder.givesWay(to: objection.code) { return withhold(objection) }
    }
    if let scores { sample?.served = scores }
    served = Served(learner: learner, parameters: parameters, flaggedShare: flaggedShare)
    holdsServed = true
    sinceServed = 0
    ladder = RecoveryLadder()
    return .published(parameters, threshold: threshold)
  }

  private func objectionToFigures(
    _ scores: LabelledSample.Scores?, _ guards: Guards
  ) -> GuardObjection? {
    guard let sample, let scores, served != nil,
      let before = sample.figures(of: sample.served), let after = sample.figures(of: scores)
    else { return nil }
    return .toFigures(after, against: before, guards)
  }

  /// A stream that changed makes what is served flag more, too: only what the new parameters add to
  /// that is held against them.
  private func objectionToAlerts(
    _ share: Double?, _ threshold: Float?, _ recent: RecentRows, _ guards: Guards
  ) -> GuardObjection? {
    guard let share, let threshold, let served, let before = served.flaggedShare,
      GuardObjection.toAlertRate(share, against: before, guards) != nil,
      let now = recent.flaggedShare(of: served.parameters, threshold: threshold)
    else { return nil }
    return .toAlertRate(share, against: max(before, now), guards)
  }

  /// Recovers from parameters that are not fit to be published.
  private mutating func withhold(_ objection: GuardObjection) -> Attempt {
    let action = ladder.step(objection.code, canFallBack: served != nil)
    var concerned = sinceServed
    switch action {
    case .fellBack:
      if let served { learner = served.learner }
      holdsServed = true
      leftOut += concerned
      sinceServed = 0
    case .reset:
      concerned = learner.examples
      leftOut += concerned
      // Other random numbers than the first time.
      learner = definition.learner.makeLearner(
        featureCount: featureCount, seed: seed &+ leftOut)
      batch = min(Self.firstBatch, definition.batch)
      sinceServed = 0
      // A forest that begins anew numbers its trees anew: none of the published ones is its.
      publisher = UpdatePublisher(
        after: publisher.version, snapshotEvery: publishing.snapshotEvery)
      holdsServed = false
    default: break
    }
    return .withheld(objection, action, rows: concerned)
  }

  /// Makes sure that the next version has a number above `version`.
  mutating func goOn(behind version: UInt64) {
    guard version > publisher.version else { return }
    publisher = UpdatePublisher(after: version, snapshotEvery: publishing.snapshotEvery)
  }

  /// The update that brings readers to `parameters`.
  mutating func makeUpdate(
    of parameters: any ModelParameters, header: ParameterUpdate.Header, pipeline: Pipeline
  ) -> ParameterUpdate {
    publisher.makeUpdate(
      of: parameters, header: header, definition: pipeline.definition,
      features: Array(pipeline.plan.names.prefix(featureCount)))
  }

  // MARK: State

  private static func key(_ definition: ModelDefinition) -> String { "model/\(definition.name)" }
  private static func servedKey(_ definition: ModelDefinition) -> String {
    "served/\(definition.name)"
  }

  /// What is to be put into (nil: removed from) a store of named bytes.
  mutating func takeChanges() -> [(key: String, bytes: [UInt8]?)] {
    var changes: [(key: String, bytes: [UInt8]?)] = [(Self.key(definition), encode())]
    if let served, !holdsServed {
      if savedVersion != publisher.version {
        changes.append((Self.servedKey(definition), served.learner.encodeState()))
        savedVersion = publisher.version
      }
    } else if savedVersion != nil {
      changes.append((Self.servedKey(definition), nil))
      savedVersion = nil
    }
    return changes
  }

  private func encode() -> [UInt8] {
    var writer = StateWriter()
    writer.write(publisher.version)
    writer.write(figures.encode())
    writer.write(UInt64(batch))
    writer.write(unpublished)
    writer.write(publishedAt ?? .min)
    writer.write(labels)
    writer.write(weights)
    writer.write(UInt64(rows.rows))
    for row in 0..<rows.rows { writer.write(rows.row(row)) }
    writer.write(learner.encodeState())
    writer.write(served != nil)
    writer.write(holdsServed)
    writer.write(served?.flaggedShare ?? -1)
    writer.write(sinceServed)
    writer.write(leftOut)
    ladder.encode(into: &writer)
    writer.write(sample != nil)
    sample?.encode(into: &writer)
    return writer.bytes
  }

  /// A trainer as it was when its changes were last taken.
  init(
    _ definition: ModelDefinition, pipeline: Pipeline, load: (String) throws -> [UInt8]?
  ) throws {
    guard let state = try load(Self.key(definition)) else { throw StateError.truncated }
    featureCount = definition.learner.featureCount(of: pipeline.plan)
    seed = Self.seed(definition, pipeline)
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
    let weights = try reader.readFinites()
    let gathered = try reader.readCount(limit: 1 << 20)
    var matrix = Matrix(columns: featureCount, capacity: max(definition.batch, gathered))
    for _ in 0..<gathered { matrix.append(try reader.readFinites(count: featureCount)) }
    learner = try definition.learner.restoreLearner(
      featureCount: featureCount, state: try reader.readArray(of: UInt8.self))
    let hasServed = try reader.readBool()
    holdsServed = try reader.readBool()
    let share = try reader.readFinite()
    sinceServed = try reader.read(UInt64.self)
    leftOut = try reader.read(UInt64.self)
    ladder = try RecoveryLadder(from: &reader)
    guard sinceServed < 1 << 62, leftOut < 1 << 62 else {
      throw StateError.invalid("number of rows")
    }
    if hasServed {
      var last = learner
      if !holdsServed {
        guard let bytes = try load(Self.servedKey(definition)) else { throw StateError.truncated }
        last = try definition.learner.restoreLearner(featureCount: featureCount, state: bytes)
        savedVersion = publisher.version
      }
      guard let parameters = last.makeParameters() else { throw StateError.invalid("last version") }
      served = Served(
        learner: last, parameters: parameters, flaggedShare: share < 0 ? nil : share)
    }
    if try reader.readBool() {
      sample = try LabelledSample(
        featureCount: featureCount, scale: definition.learner.kind.scoreScale,
        servedBy: served?.parameters, from: &reader)
    }
    // The file may have turned guards on or off since.
    if let fresh = Self.makeSample(definition, pipeline) {
      sample = sample ?? fresh
    } else {
      sample = nil
    }
    try reader.finish()
    let labelled = definition.learner.isSupervised ? gathered : 0
    guard batch > 0, labels.count == labelled, weights.count == labelled else {
      throw StateError.invalid("batch")
    }
    rows = matrix
    self.labels = labels
    self.weights = weights
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
