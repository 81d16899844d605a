import Evaluation
import Features
import Learners
import ModelLog
import StateCoding

/// Learns from scored events and their labels and makes parameter updates. No input or output and
/// no clock of its own: a trainer service and a replay run the same engine, and the same calls
/// give the same updates, bit for bit.
public struct TrainingEngine {
  /// Events, labels and what became of them, since the pipeline began.
  public struct Counters: Sendable, Equatable {
    /// Events taken in.
    public var events: UInt64 = 0
    /// Labels taken in.
    public var labels: UInt64 = 0
    /// Labelled events learnt from.
    public var examples: UInt64 = 0
    /// Events that counted as negative because no label came in time.
    public var presumedNegative: UInt64 = 0
    /// Events that no label came for in time and that were not learnt from.
    public var unlabelled: UInt64 = 0
    /// Labels for an event that has not come yet, kept until it does.
    public var earlyLabels: UInt64 = 0
    /// Labels that say again what was learnt.
    public var duplicateLabels: UInt64 = 0
    /// Labels that contradict one before them: the last one wins.
    public var contradictingLabels: UInt64 = 0
    /// Labels that contradict one that was given later: that one stays.
    public var outdatedLabels: UInt64 = 0
    /// Labels that came after the label delay.
    public var lateLabels: UInt64 = 0
    /// Labels among those that were learnt all the same.
    public var lateLabelsLearnt: UInt64 = 0
    /// Labels for an event that had not come yet, which there was no room for.
    public var labelsRefused: UInt64 = 0
    /// Labels whose event did not come as long as they were kept for it, or had been let go of.
    public var labelsUnmatched: UInt64 = 0
    /// Negatives, labelled or presumed, that were not learnt because only a share of them is.
    public var negativesLeftOut: UInt64 = 0
    /// Events that were not learnt because more waited for their label than may be held.
    public var eventsNotSampled: UInt64 = 0
    /// Labels of such events.
    public var labelsNotSampled: UInt64 = 0
    /// The most events that were held at a time.
    public var mostHeld: UInt64 = 0
    /// Events whose id was already waiting for its label.
    public var duplicateEvents: UInt64 = 0
    /// Versions that a guard kept from being published, of all models.
    public var updatesWithheld: UInt64 = 0
    /// Rows that were learnt and left out again, of all models.
    public var rowsLeftOut: UInt64 = 0

    /// Counters at 0.
    public init() {}
  }

  /// What is learnt, and when it is published.
  public let pipeline: Pipeline
  /// Of the trainer that runs the engine: updates carry it.
  public let epoch: UInt64
  /// Saved with the state: a restored engine goes on counting.
  public private(set) var counters = Counters()
  /// Event time; nil before the first event.
  public var eventTime: Int64? { clock.time }

  /// Labels by who gave them, where they say so.
  public private(set) var labelSources = LabelSources()

  private var clock = EventClock()
  private var trainers: [ModelTrainer]
  private var pending: PendingExamples
  private var recent: RecentRows
  private let negatives: EventChoice
  private var updates: [ParameterUpdate] = []
  private var withheld: [WithheldUpdate] = []

  /// An engine that has seen nothing.
  /// - Parameters:
  ///   - epoch: of the trainer that runs it.
  ///   - load: gives what was last taken by ``takeStateChanges()`` for a key, so that events held
  ///     past the bound need not be in memory; nil: they all are.
  public init(
    pipeline: Pipeline, epoch: UInt64, load: ((String) throws -> [UInt8]?)? = nil
  ) {
    self.pipeline = pipeline
    self.epoch = epoch
    trainers = pipeline.models.map { ModelTrainer($0, pipeline: pipeline) }
    pending = PendingExamples(pipeline.labels, seed: pipeline.seed, load: load)
    recent = RecentRows(featureCount: pipeline.plan.count, seed: pipeline.seed)
    negatives = Self.negatives(pipeline)
  }

  // MARK: Learning

  /// Takes a block of scored events in: models without labels learn from it, the others once its
  /// labels come.
  public mutating func observe(_ block: ScoredBlock) {
    // Events mature by the time of the blocks before, whose labels have come by now: a block may span
    // more time than the label delay.
    mature()
    counters.events += UInt64(block.rows)
    recent.add(block)
    for row in 0..<block.rows { clock.follow(block.time(row)) }
    for index in trainers.indices where !trainers[index].definition.learner.isSupervised {
      for row in 0..<block.rows
      where trainers[index].add(block, row: row, label: nil, weight: 1) {
        publish(index)
      }
    }
    if pipeline.labels != nil {
      let now = clock.time ?? 0
      let (labelled, duplicates, notSampled) = pending.add(block, now: now)
      counters.duplicateEvents += UInt64(duplicates)
      for (place, given) in labelled { learn(place, given, at: now) }
      counters.mostHeld = max(counters.mostHeld, UInt64(pending.count))
      counters.eventsNotSampled += UInt64(notSampled + pending.keepSampleWithinBound())
    }
    if let time = eventTime {
      for index in trainers.indices where trainers[index].advance(to: time) { publish(index) }
    }
  }

  /// Takes a label of weight 1 in, see ``label(id:_:)``.
  /// - Parameter time: when the label was given, ms since 1970.
  public mutating func label(id: [UInt8], _ label: Label, time: Int64) {
    self.label(id: id, GivenLabel(label, time: time))
  }

  /// Takes a label in; a pipeline without a label policy learns from none. All labels that were
  /// given by the time of a block's last event should come before the next block.
  public mutating func label(id: [UInt8], _ given: GivenLabel) {
    guard let policy = pipeline.labels else { return }
    counters.labels += 1
    if let source = given.source { labelSources.count(source) }
    let matured = clock.time.map { $0 - policy.delay - Self.labelGrace } ?? .min
    let released = clock.time.map { _ in matured - policy.corrections } ?? .min
    let outcome = pending.label(id: id, given, matured: matured, released: released)
    switch outcome {
    case .example(let place): learn(place, given, at: given.time)
    case .early: counters.earlyLabels += 1
    case .refused: counters.labelsRefused += 1
    case .duplicate: counters.duplicateLabels += 1
    case .contradiction(let place):
      counters.contradictingLabels += 1
      if let place { learn(place, given, at: given.time, corrects: true) }
    case .outdated: counters.outdatedLabels += 1
    case .late(let place, let corrects):
      counters.lateLabels += 1
      guard let place else { break }
      counters.lateLabelsLearnt += 1
      learn(place, given, at: given.time, corrects: corrects)
    case .notSampled: counters.labelsNotSampled += 1
    }
  }

  /// Which negatives are learnt.
  private static func negatives(_ pipeline: Pipeline) -> EventChoice {
    EventChoice(seed: pipeline.seed, purpose: "negatives learnt")
  }

  /// Learns an event.
  ///
  /// It may have been learnt with the other label (`corrects`). What was learnt cannot be taken
  /// back; learning the row once more with the right one brings the parameters where the last label
  /// wants them. The figures count the event once, as it is known now.
  ///
  /// Of negatives only a share may be learnt, and each then weighs as much more, so that
  /// probabilities stay what they are. Figures count them all. One that takes a positive back is
  /// always learnt, as the positive was.
  /// - Parameter time: when the label became known, in event time.
  private mutating func learn(
    _ place: PendingExamples.Place, _ given: GivenLabel, at time: Int64, corrects: Bool = false,
    isPresumed: Bool = false
  ) {
    let block = pending.block(place)
    let row = place.row
    var weight = given.weight * pending.weight(place)
    var isLearnt = true
    if given.label == .negative, !corrects, let share = pipeline.labels?.negativeShare, share < 1 {
      isLearnt = negatives.takes(EventIndex.hash(block.id(row)), share: share)
      weight /= share
    }
    if !isLearnt { counters.negativesLeftOut += 1 }
    if !corrects, !isPresumed, isLearnt { counters.examples += 1 }
    for index in trainers.indices {
      if block.versions[index].version > 0 {
        let score = block.score(model: index, row: row)
        if corrects {
          trainers[index].correctFigure(score: score, to: given.label)
        } else {
          trainers[index].addFigure(score: score, label: given.label)
        }
      }
      trainers[index].addLabelled(block, row: row, label: given.label, time: time)
      if isLearnt, trainers[index].definition.learner.isSupervised,
        trainers[index].add(block, row: row, label: given.label, weight: weight)
      {
        publish(index)
      }
    }
  }

  /// Lets the events mature whose label is waited for no longer, and lets go of those whose label
  /// can no longer be corrected.
  private mutating func mature() {
    guard let time = eventTime, let policy = pipeline.labels else { return }
    let matured = time - policy.delay - Self.labelGrace
    let released = matured - policy.corrections
    let state: HeldBlock.RowState =
      policy.unlabelled == .negative ? .presumedNegative : .expired
    // Block by block, so that those that are read back for it are not in memory together.
    while let places = pending.matureNext(through: matured, to: state) {
      switch policy.unlabelled {
      case .negative:
        counters.presumedNegative += UInt64(places.count)
        for place in places {
          learn(place, GivenLabel(.negative, time: time), at: time, isPresumed: true)
        }
      case .ignore: counters.unlabelled += UInt64(places.count)
      }
      pending.release(through: released)
    }
    pending.release(through: released)
    counters.labelsUnmatched += UInt64(pending.matureEarly(through: matured))
  }

  /// How much longer than its delay a label is waited for, ms of event time: one that is given at
  /// the very end may arrive behind later events.
  static let labelGrace: Int64 = 3_600_000

  /// Learns what is gathered in part and publishes it: at the end of a history.
  public mutating func finish() {
    for index in trainers.indices where trainers[index].finish() { publish(index) }
  }

  // MARK: Publishing

  /// Makes sure that a model's next version has a number above `version`.
  mutating func goOn(behind version: UInt64, of model: String) {
    guard let index = pipeline.modelIndex(model) else { return }
    trainers[index].goOn(behind: version)
  }

  private mutating func publish(_ index: Int) {
    guard let time = eventTime,
      let attempt = trainers[index].publish(
        at: time, recent: recent, limit: pipeline.decisions.limit)
    else { return }
    switch attempt {
    case .published(let parameters, let threshold):
      makeUpdate(index, of: parameters, threshold: threshold, time: time)
    case .withheld(let objection, let action, let rows):
      counters.updatesWithheld += 1
      if action != .learnsOn { counters.rowsLeftOut += rows }
      withheld.append(
        WithheldUpdate(
          pipeline: pipeline.name, model: trainers[index].definition.name, epoch: epoch,
          servedVersion: trainers[index].publisher.version, eventTime: time,
          code: objection.code, reason: objection.reason, action: action, rows: rows))
    }
  }

  private mutating func makeUpdate(
    _ index: Int, of parameters: any ModelParameters, threshold: Float?, time: Int64
  ) {
    var figures = ParameterUpdate.Figures()
    figures.labelled = trainers[index].figures.events
    figures.positives = trainers[index].figures.positives
    figures.auroc = trainers[index].figures.areaUnderROC
    figures.averagePrecision = trainers[index].figures.averagePrecision
    figures.logLoss = trainers[index].figures.logLoss
    figures.brier = trainers[index].figures.brierScore
    let definition = trainers[index].definition
    let header = ParameterUpdate.Header(
      pipeline: pipeline.name, model: definition.name, kind: definition.learner.kind, epoch: epoch,
      fingerprint: pipeline.fingerprint, eventTime: time,
      examples: trainers[index].examples, figures: figures, threshold: threshold)
    updates.append(trainers[index].makeUpdate(of: parameters, header: header, pipeline: pipeline))
  }

  /// The updates made since the last call, in order.
  /// - Parameters:
  ///   - time: when they are published, ms since 1970.
  ///   - positions: how far each topic was read.
  public mutating func takeUpdates(
    time: Int64, positions: [ParameterUpdate.Position]
  ) -> [ParameterUpdate] {
    defer { updates.removeAll(keepingCapacity: true) }
    return updates.map { update in
      var update = update
      update.header.time = time
      update.header.positions = positions
      return update
    }
  }

  /// The updates that guards kept from being published since the last call, in order.
  /// - Parameter time: when that is made known, ms since 1970.
  public mutating func takeWithheld(time: Int64) -> [WithheldUpdate] {
    defer { withheld.removeAll(keepingCapacity: true) }
    return withheld.map { statement in
      var statement = statement
      statement.time = time
      return statement
    }
  }

  /// Whether there are updates to take, or withheld ones to make known.
  public var hasUpdates: Bool { !updates.isEmpty || !withheld.isEmpty }

  // MARK: For drivers that choose their blocks

  /// How many more events, of which how many get their labels, can come before parameters could
  /// change. Blocks cut here are scored exactly as if events came one by one.
  public var untilChange: (events: Int, labels: Int) {
    var events = Int.max
    var labels = Int.max
    for trainer in trainers {
      if trainer.definition.learner.isSupervised {
        labels = min(labels, trainer.rowsUntilChange)
      } else {
        events = min(events, trainer.rowsUntilChange)
      }
    }
    return (events, labels)
  }

  /// The event time at which parameters are published at the latest; nil if there is none.
  public var deadline: Int64? { trainers.compactMap(\.deadline).min() }

  /// Events still held, how many of them are only in the store, the share of the events that come
  /// which is held, and labels held for events that have not come.
  public var held: (events: Int, inStoreOnly: Int, share: Double, earlyLabels: Int) {
    (pending.count, pending.spilled, 1 / Double(1 << pending.level), pending.earlyCount)
  }

  /// Why events that are only in the store could not be read back. An engine that has failed so is
  /// not to be used or saved any more; one restored from the store goes on.
  public var storeFailure: (any Error)? { pending.failure }

  // MARK: State

  private static let stateFormat: UInt32 = 3
  private static let engineKey = "engine"

  /// What changed since the last call: named bytes to be put into (nil: removed from) a store, in
  /// the transaction that publishes the updates.
  public mutating func takeStateChanges() -> [(key: String, bytes: [UInt8]?)] {
    var changes = pending.takeChanges()
    var writer = StateWriter()
    writer.write(Self.stateFormat)
    writer.write(pipeline.fingerprint.bytes)
    writer.write(pipeline.definition)
    pending.encode(into: &writer)
    clock.encode(into: &writer)
    for value in counters.values { writer.write(value) }
    labelSources.encode(into: &writer)
    recent.encode(into: &writer)
    changes.append((Self.engineKey, writer.bytes))
    for index in trainers.indices { changes += trainers[index].takeChanges() }
    return changes
  }

  /// An engine as it was when its state was last taken.
  /// - Parameter load: gives the bytes of a key of the store, nil if there are none; from then on
  ///   with all changes that were taken since.
  /// - Returns: nil if the store holds no state.
  /// - Throws: `StateError` for damaged state, `PipelineMismatch` if another pipeline file made it.
  public init?(
    pipeline: Pipeline, epoch: UInt64, load: @escaping (String) throws -> [UInt8]?
  ) throws {
    guard var reader = try Self.openState(pipeline: pipeline, load: load) else { return nil }
    self.pipeline = pipeline
    self.epoch = epoch
    negatives = Self.negatives(pipeline)
    pending = try PendingExamples(
      pipeline.labels, seed: pipeline.seed, from: &reader, load: load)
    clock = try EventClock(from: &reader)
    try counters.restore { try reader.read(UInt64.self) }
    labelSources = try LabelSources(from: &reader)
    recent = try RecentRows(featureCount: pipeline.plan.count, from: &reader)
    try reader.finish()
    trainers = try pipeline.models.map { try ModelTrainer($0, pipeline: pipeline, load: load) }
  }

  /// Checks that the store holds no state or one that `pipeline`'s file made.
  /// - Throws: as the restoring initialiser does.
  public static func checkState(
    pipeline: Pipeline, load: (String) throws -> [UInt8]?
  ) throws {
    _ = try openState(pipeline: pipeline, load: load)
  }

  /// The engine's own state behind its format and fingerprint; nil if there is none.
  private static func openState(
    pipeline: Pipeline, load: (String) throws -> [UInt8]?
  ) throws -> StateReader? {
    guard let bytes = try load(engineKey) else { return nil }
    var reader = StateReader(bytes)
    guard try reader.read(UInt32.self) == stateFormat else { throw StateError.unknownFormat }
    let fingerprint = try reader.readArray(of: UInt8.self)
    let definition = try reader.readString()
    guard fingerprint == pipeline.fingerprint.bytes else {
      throw PipelineMismatch(pipeline: pipeline, found: definition, where: "the trainer's state")
    }
    return reader
  }
}

extension TrainingEngine.Counters {
  private static var fields: [WritableKeyPath<Self, UInt64>] {
    [
      \.events, \.labels, \.examples, \.presumedNegative, \.unlabelled, \.earlyLabels,
      \.duplicateLabels, \.contradictingLabels, \.outdatedLabels, \.lateLabels,
      \.lateLabelsLearnt, \.labelsRefused, \.labelsUnmatched, \.negativesLeftOut,
      \.eventsNotSampled,
      \.labelsNotSampled, \.mostHeld, \.duplicateEvents, \.updatesWithheld, \.rowsLeftOut,
    ]
  }

  fileprivate var values: [UInt64] { Self.fields.map { self[keyPath: $0] } }

  fileprivate mutating func restore(_ next: () throws -> UInt64) rethrows {
    for field in Self.fields { self[keyPath: field] = try next() }
  }
}
