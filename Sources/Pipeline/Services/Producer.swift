import Features
import Files
import Glibc
import ModelLog
import Topics

/// Puts the rows of a file on the topics, at a given rate or as fast as they go.
///
/// Each batch of rows and how far the file is read become visible in one transaction. A producer
/// that was killed is started again and goes on behind the last batch: it reads the rows before it
/// once more, which brings event time and the labels that are still on the way back to where they
/// stood, and puts none of them anywhere.
public struct Producer {
  /// Where rows go.
  public enum Target {
    /// As they are onto one topic.
    case topic(String)
    /// Events onto `events` in event time, each label onto `labels` a delay after its event; the
    /// delay is the pipeline's if none is given, ms.
    case pipeline(Pipeline, labelDelay: Int64?)
  }

  /// What was produced since the producer was made.
  public struct Counters: Sendable {
    /// Rows put on their topic, those among them that the schema refuses.
    public var events: UInt64 = 0
    /// Labels put on `labels`.
    public var labels: UInt64 = 0
    /// Rows that are no row of the file's format: they became dead letters.
    public var refused: UInt64 = 0
    /// Rows passed over because they were produced before.
    public var resumed: UInt64 = 0
  }

  /// A file that cannot be gone on with.
  public struct ResumeError: Error, CustomStringConvertible {
    /// Why, and what to do.
    public let description: String
  }

  /// Counted up as rows are taken; a batch whose commit fails is counted too.
  public private(set) var counters = Counters()

  private let source: ProducerSource
  private let topic: TopicPartition
  private let pipeline: Pipeline?
  private let log: any TopicLog
  private let writer: any TopicWriter
  private var keeper: TopicKeeper?
  private let rate: Double?
  private let now: () -> Int64
  private let elapsed: () -> Double
  /// Under which key progress is saved; nil where the file cannot be read again.
  private let key: String?
  /// As it was saved last, and its bytes; nil before the first batch.
  private var progress: ProducerProgress
  private var saved: [UInt8]?

  private var events = RecordBatch()
  private var deadLetters = RecordBatch()
  /// Labels of rows, and the number of the row's event.
  private var queue = DueQueue<(id: [UInt8], label: Label, source: UInt64)>()
  private var clock = EventClock()
  /// Labels that go with the next batch, and the numbers of their events. Without an identifier
  /// field it is an event's offset that identifies it, which is known once the event is appended.
  private var due: [(id: [UInt8], label: Label, time: Int64, source: UInt64)] = []
  private var eventNumber: UInt64 = 0

  /// The most rows that become visible at once.
  private static let batch = 500

  /// A producer that has put nothing yet.
  /// - Parameters:
  ///   - rate: rows a second; nil: as fast as it goes.
  ///   - again: begin with the first row even if the file was produced before.
  ///   - now: the time of day, ms since 1970.
  ///   - elapsed: seconds on a clock that only goes forward.
  ///   - keeper: applies retention to what producers write; nil: everything is kept.
  /// - Throws: `TopicError`; `ResumeError` if the file was begun with another label delay.
  public init(
    source: ProducerSource, log: any TopicLog, target: Target, rate: Double?, again: Bool = false,
    now: @escaping () -> Int64, elapsed: @escaping () -> Double, keeper: TopicKeeper? = nil
  ) throws {
    self.source = source
    self.log = log
    self.keeper = keeper
    self.rate = rate
    self.now = now
    self.elapsed = elapsed
    writer = try log.writer(PipelineTopics.producers, exclusive: false)
    let name: String
    var delay: Int64 = 0
    switch target {
    case .topic(let topic):
      self.topic = TopicPartition(topic)
      pipeline = nil
      name = "topic \(topic)"
    case .pipeline(let pipeline, let labelDelay):
      topic = PipelineTopics.events
      self.pipeline = pipeline
      name = "pipeline \(pipeline.name)"
      delay = labelDelay ?? pipeline.labels?.delay ?? 0
    }
    key = source.path.map { "produce/\(Digest(of: Array("\(name)\n\($0)".utf8)))" }
    saved = try key.flatMap { try log.state($0, role: PipelineTopics.producers) }
    progress = ProducerProgress(path: source.path ?? "-", labelDelay: delay)
    guard let saved, !again else { return }
    let before = try ProducerProgress(bytes: saved)
    guard before.labelDelay == delay else {
      throw ResumeError(
        description: "\(before.path) was begun with a label delay of "
          + "\(DurationText.text(before.labelDelay)), not \(DurationText.text(delay)): go on with "
          + "that one, or put the whole file once more with --again")
    }
    progress = before
  }

  /// Rows of the file that were produced before and are passed over.
  public var resumesAfter: UInt64 { progress.rows }

  /// Produces the file to its end, or until it is asked to stop.
  /// - Throws: `TopicError`, also `.fenced` if another producer has gone on with the same file
  ///   meanwhile; `ResumeError` if the file no longer begins with the rows that were produced;
  ///   `FileError`.
  public mutating func run(
    stop: StopSignal, progress report: (ProducerSource, Counters) -> Void = { _, _ in }
  ) throws {
    guard try passOverProduced(stop: stop, report) else { return }
    let started = elapsed()
    while !stop.isRequested {
      // At a rate, rows go out in pieces of a few milliseconds, not one by one.
      let piece = rate.map { Int(max(1, min(Double(Self.batch), $0 / 200))) } ?? Self.batch
      var atEnd = false
      for _ in 0..<piece where !atEnd { atEnd = try !take() }
      if atEnd {
        // The clock runs on until the last label has come.
        deliver(dueBy: nil)
      }
      try commit(atEnd: atEnd)
      try keeper?.tend(writer, on: log)
      report(source, counters)
      if atEnd { return }
      while let rate, !stop.isRequested {
        let ahead = started + Double(counters.events) / rate - elapsed()
        guard ahead > 0 else { break }
        usleep(UInt32(min(ahead, 0.1) * 1e6))
      }
    }
  }

  /// Reads the rows that were produced before; false if it was asked to stop on the way.
  private mutating func passOverProduced(
    stop: StopSignal, _ report: (ProducerSource, Counters) -> Void
  ) throws -> Bool {
    while source.rows < progress.rows {
      guard !stop.isRequested else { return false }
      let row = try source.next()
      guard row != .end else { break }
      switch row {
      case .event, .refused: follow(row)
      case .malformed, .end: break
      }
      if source.rows == progress.drained { deliver(dueBy: nil) }
      due.removeAll(keepingCapacity: true)
      counters.resumed = source.rows
      if source.rows % 100_000 == 0 { report(source, counters) }
    }
    guard source.rows == progress.rows, source.checksum == progress.checksum else {
      throw ResumeError(
        description: "\(progress.path) is not the file it was: its first \(progress.rows) rows "
          + "were produced before, and what stands there now differs; put the whole file with "
          + "--again, or give it another name")
    }
    return true
  }

  /// Takes the next row; false at the end.
  private mutating func take() throws -> Bool {
    let row = try source.next()
    switch row {
    case .end: return false
    case .malformed(let reason):
      counters.refused += 1
      DeadLetter.append(
        row: source.rows - 1, of: progress.path, value: source.malformed, reason: reason,
        time: now(), to: &deadLetters)
    case .event, .refused:
      counters.events += 1
      let time = row == .event ? source.block?.times[0] : nil
      follow(row)
      events.append(key: source.key, value: source.json, timestamp: time ?? now())
    }
    return true
  }

  /// Lets event time and labels follow the current row. What is due after it depends on the rows so
  /// far and on nothing else, so that reading them again comes to the same.
  private mutating func follow(_ row: ProducerSource.Row) {
    defer { eventNumber += 1 }
    guard row == .event, pipeline != nil, let block = source.block else { return }
    let time = block.times[0]
    clock.follow(time)
    if let label = Label(rawValue: UInt8(bitPattern: block.labels[0])) {
      queue.append((Array(block.id(0)), label, eventNumber), time: time + progress.labelDelay)
    }
    deliver(dueBy: clock.time ?? .min)
  }

  /// Gathers the labels that are known by `time`; nil: all.
  private mutating func deliver(dueBy time: Int64?) {
    queue.deliver(dueBy: time) { due.append(($0.id, $0.label, $1, $0.source)) }
  }

  private mutating func commit(atEnd: Bool) throws {
    var next = progress
    next.rows = source.rows
    next.checksum = source.checksum
    next.events += UInt64(events.count)
    next.labels += UInt64(due.count)
    if atEnd { next.drained = source.rows }
    guard next != progress || saved == nil else { return }
    // The labels that are known by the last of these events go with them: whoever reads the events
    // finds their labels no later than the delay says.
    let first = progress.events
    let result = try writer.transact { transaction in
      if let key, try transaction.state(key) != saved {
        throw TopicError(
          .fenced, "another producer has gone on with \(next.path) meanwhile", partition: topic)
      }
      let base = try transaction.append(events, to: topic)
      var next = next
      if pipeline != nil, pipeline?.schema.id == nil, !events.isEmpty {
        next.note(event: first, at: base)
        if next.runs.count > 1 {
          let sources = queue.all.map(\.element.source) + due.map(\.source)
          next.forgetRuns(before: sources.min() ?? next.events)
        }
      }
      try transaction.append(labelRecords(next), to: PipelineTopics.labels)
      try transaction.append(deadLetters, to: PipelineTopics.deadLetters)
      if let key { try transaction.put(state: next.bytes, for: key) }
      return next
    }
    progress = result
    saved = key == nil ? nil : result.bytes
    counters.labels += UInt64(due.count)
    due.removeAll(keepingCapacity: true)
    events.removeAll()
    deadLetters.removeAll()
  }

  private func labelRecords(_ progress: ProducerProgress) -> RecordBatch {
    var batch = RecordBatch()
    var json: [UInt8] = []
    for (id, label, time, number) in due {
      var id = id
      if pipeline?.schema.id == nil, let offset = progress.offset(of: number) {
        id = Array("\(offset)".utf8)
      }
      json.removeAll(keepingCapacity: true)
      json.append("{\"event_id\":")
      id.withUnsafeBytes { json.append(jsonString: $0) }
      json.append(",\"label\":")
      json.append(decimal: Int64(label.rawValue))
      json.append(",\"time\":\"")
      EventTime.append(time, to: &json)
      json.append("\",\"source\":\"history\"}")
      batch.append(key: id, value: json, timestamp: time)
    }
    return batch
  }
}
