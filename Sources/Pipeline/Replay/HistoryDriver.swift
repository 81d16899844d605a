import Features
import Learners
import ModelLog
import StateCoding

/// How far a history was learnt.
struct HistoryProgress: Equatable {
  var rows: UInt64 = 0
  /// Labels through this event time are delivered; nil: none.
  var labelsThrough: Int64?
  /// Whether the file's end was reached in this run; all labels are delivered then.
  var finished = false

  init() {}

  init(bytes: [UInt8]) throws {
    var reader = StateReader(bytes)
    rows = try reader.read(UInt64.self)
    let through = try reader.read(Int64.self)
    labelsThrough = through == .min ? nil : through
    try reader.finish()
  }

  var bytes: [UInt8] {
    var writer = StateWriter()
    writer.write(rows)
    writer.write(labelsThrough ?? .min)
    return writer.bytes
  }
}

/// What learns from a history on its way.
protocol HistoryLearner {
  /// How many more events, of which how many get their labels, can come before parameters could
  /// change.
  var untilChange: (events: Int, labels: Int) { get }
  /// The event time at which parameters change at the latest; nil if there is none.
  var deadline: Int64? { get }
  /// Takes a block of scored events in.
  mutating func observe(_ block: ScoredBlock)
  /// Takes a label in that was given at a time, ms since 1970.
  mutating func label(id: [UInt8], _ label: Label, time: Int64)
}

extension TrainingEngine: HistoryLearner {}

/// Learns nothing: parameters stay as they are.
struct FrozenParameters: HistoryLearner {
  var untilChange: (events: Int, labels: Int) { (.max, .max) }
  var deadline: Int64? { nil }
  mutating func observe(_ block: ScoredBlock) {}
  mutating func label(id: [UInt8], _ label: Label, time: Int64) {}
}

/// Runs a history through the scoring engine and a training engine in event time: each event is
/// scored with the parameters published before it, its label becomes known after the delay, and a
/// new version serves from the next event on.
///
/// Events are scored in blocks that end wherever parameters could change, so the result is the
/// same as if they had come one by one. (There are two exceptions. Events that mature without a
/// label are noticed with the next block. And where versions are published by time, a label that
/// becomes known just before counts for the next version.)
struct HistoryDriver {
  private(set) var progress: HistoryProgress
  private(set) var scoring: ScoringEngine

  private var block: EventBlock
  private var queue = DueQueue<(id: [UInt8], label: Label)>()
  /// Follows the same events as the training engine's.
  private var clock = EventClock()
  private let delay: Int64
  private let resumed: HistoryProgress

  /// A driver without parameters.
  /// - Parameters:
  ///   - delay: from an event to its label, ms; nil: the pipeline file's.
  ///   - resumingAt: rows before it are read for their labels only.
  init(
    pipeline: Pipeline, delay: Int64? = nil, resumingAt resumed: HistoryProgress = .init()
  ) {
    scoring = ScoringEngine(pipeline: pipeline)
    block = EventBlock(schema: pipeline.schema)
    self.delay = delay ?? pipeline.labels?.delay ?? 0
    self.resumed = resumed
    progress = resumed
  }

  /// Serves an update from the next event on.
  mutating func apply(_ update: ParameterUpdate) throws { try scoring.apply(update) }

  /// Serves a version from the next event on.
  mutating func serve(_ model: ServedModel) throws { try scoring.serve(model) }

  /// Runs to the end of the history, or until `step` returns false.
  /// - Parameters:
  ///   - scored: called for each block of scored events.
  ///   - labelled: called for each label as it becomes known.
  ///   - step: called after each block, its labels delivered: takes the updates and applies them.
  mutating func run<Learner: HistoryLearner>(
    _ history: inout HistoryReader, training: inout Learner,
    scored: (_ block: ScoredBlock, _ events: EventBlock, _ scoring: ScoringEngine) throws -> Void,
    labelled: (Label) -> Void,
    step: (inout Learner, inout HistoryDriver, HistoryReader) throws -> Bool
  ) throws {
    try skipLearntRows(&history)
    var room = training.untilChange
    var deadline = training.deadline ?? .max
    while true {
      let row = try history.next(into: &block)
      if row == .event {
        let last = block.count - 1
        let time = block.times[last]
        clock.follow(time)
        if let label = Label(rawValue: UInt8(bitPattern: block.labels[last])) {
          let id = Array(block.id(last))
          queue.append((id, label), time: due(time))
          scoring.label(id: id, label, time: due(time))
        }
        guard
          block.isFull || block.count >= room.events
            || queue.has(room.labels, dueBy: clock.time ?? time)
            || clock.time ?? time >= deadline
        else { continue }
      } else if row == .refused {
        continue
      }
      progress.rows = history.rows
      try flush(&training, scored: scored, labelled: labelled)
      guard try step(&training, &self, history) else { return }
      room = training.untilChange
      deadline = training.deadline ?? .max
      if row == .end { break }
    }
    // The clock runs on until the last label has come.
    queue.deliver(dueBy: nil) { given, time in
      training.label(id: given.id, given.label, time: time)
      labelled(given.label)
    }
    progress.finished = true
    progress.labelsThrough = .max
    _ = try step(&training, &self, history)
  }

  /// When the label of the event that came last becomes known: not before the event came, however
  /// late, and not later for an event that is dated ahead.
  private func due(_ time: Int64) -> Int64 {
    guard let now = clock.time else { return time + delay }
    return max(min(time, now) + delay, now)
  }

  private mutating func flush(
    _ training: inout some HistoryLearner,
    scored: (_ block: ScoredBlock, _ events: EventBlock, _ scoring: ScoringEngine) throws -> Void,
    labelled: (Label) -> Void
  ) throws {
    guard !block.isEmpty else { return }
    let result = scoring.score(block)
    try scored(result, block, scoring)
    training.observe(result)
    queue.deliver(dueBy: clock.time) { given, time in
      training.label(id: given.id, given.label, time: time)
      labelled(given.label)
    }
    progress.labelsThrough = clock.time
    block.removeAll()
  }

  /// Reads the rows that an earlier run learnt: their labels still on the way matter, and what
  /// features remember of them.
  private mutating func skipLearntRows(_ history: inout HistoryReader) throws {
    guard resumed.rows > 0 else { return }
    while history.rows < resumed.rows {
      switch try history.next(into: &block) {
      case .end: break
      case .refused: continue
      case .event:
        clock.follow(block.times[0])
        let due = self.due(block.times[0])
        scoring.remember(block)
        if let label = Label(rawValue: UInt8(bitPattern: block.labels[0])) {
          let id = Array(block.id(0))
          if due > resumed.labelsThrough ?? .min { queue.append((id, label), time: due) }
          scoring.label(id: id, label, time: due)
        }
        block.removeAll()
        continue
      }
      break
    }
  }
}
