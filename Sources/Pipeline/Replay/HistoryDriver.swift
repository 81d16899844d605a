import Features
import Learners
import ModelLog

/// How far a history was learnt.
struct HistoryProgress: Equatable {
  var rows: UInt64 = 0
  var labels: UInt64 = 0
  var finished = false

  init() {}

  init(bytes: [UInt8]) throws {
    var reader = StateReader(bytes)
    rows = try reader.read(UInt64.self)
    labels = try reader.read(UInt64.self)
    finished = try reader.readBool()
    try reader.finish()
  }

  var bytes: [UInt8] {
    var writer = StateWriter()
    writer.write(rows)
    writer.write(labels)
    writer.write(finished)
    return writer.bytes
  }
}

/// Runs a history through the scoring engine and a training engine in event time: each event is
/// scored with the parameters published before it, its label becomes known after the delay, and a
/// new version serves from the next event on.
///
/// Events are scored in blocks that end wherever parameters could change, so the result is the
/// same as if they had come one by one. (Events that mature without a label are the exception:
/// they are noticed at the end of a block.)
struct HistoryDriver {
  private(set) var progress: HistoryProgress
  private(set) var scoring: ScoringEngine

  private var block: EventBlock
  private var queue = LabelQueue()
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

  /// Runs to the end of the history, or until `step` returns false.
  /// - Parameters:
  ///   - scored: called for each block of scored events.
  ///   - labelled: called for each label as it becomes known.
  ///   - step: called after each block, its labels delivered: takes the updates and applies them.
  mutating func run(
    _ history: inout HistoryReader, training: inout TrainingEngine,
    scored: (_ block: ScoredBlock, _ events: EventBlock, _ scoring: ScoringEngine) throws -> Void,
    labelled: (Label) -> Void,
    step: (inout TrainingEngine, inout HistoryDriver, HistoryReader) throws -> Bool
  ) throws {
    try skipLearntRows(&history)
    var room = training.untilChange
    var deadline = training.deadline ?? .max
    while true {
      let row = try history.next(into: &block)
      if row == .event {
        let last = block.count - 1
        let time = block.times[last]
        if let label = Label(rawValue: UInt8(bitPattern: block.labels[last])) {
          queue.append(id: block.id(last), label, due: time + delay)
        }
        guard
          block.isFull || block.count >= room.events
            || queue.count(dueBy: time) >= room.labels
            || time >= deadline
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
    queue.deliver(dueBy: nil) { id, label, time in
      training.label(id: id, label, time: time)
      labelled(label)
    }
    progress.labels = queue.delivered
    progress.finished = true
    _ = try step(&training, &self, history)
  }

  private mutating func flush(
    _ training: inout TrainingEngine,
    scored: (_ block: ScoredBlock, _ events: EventBlock, _ scoring: ScoringEngine) throws -> Void,
    labelled: (Label) -> Void
  ) throws {
    guard !block.isEmpty else { return }
    let result = scoring.score(block)
    try scored(result, block, scoring)
    training.observe(result)
    queue.deliver(dueBy: block.times[block.count - 1]) { id, label, time in
      training.label(id: id, label, time: time)
      labelled(label)
    }
    progress.labels = queue.delivered
    block.removeAll()
  }

  /// Reads the rows that an earlier run learnt: only their labels still on the way matter.
  private mutating func skipLearntRows(_ history: inout HistoryReader) throws {
    guard resumed.rows > 0 else { return }
    while history.rows < resumed.rows {
      switch try history.next(into: &block) {
      case .end: break
      case .refused: continue
      case .event:
        if let label = Label(rawValue: UInt8(bitPattern: block.labels[0])) {
          queue.append(id: block.id(0), label, due: block.times[0] + delay)
        }
        block.removeAll()
        continue
      }
      break
    }
    queue.skip(resumed.labels)
  }
}
