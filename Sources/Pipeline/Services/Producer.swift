import Features
import Files
import Glibc
import Topics

/// Puts the rows of a file on the topics, at a given rate or as fast as they go.
public struct Producer {
  /// Where rows go.
  public enum Target {
    /// As they are onto one topic.
    case topic(String)
    /// Events onto `events` in event time, each label onto `labels` a delay after its event; the
    /// delay is the pipeline's if none is given, ms.
    case pipeline(Pipeline, labelDelay: Int64?)
  }

  /// What was produced.
  public struct Counters: Sendable {
    /// Rows put on their topic, those among them that the schema refuses.
    public var events: UInt64 = 0
    /// Labels put on `labels`.
    public var labels: UInt64 = 0
    /// Rows that are no row of the file's format and were left out.
    public var refused: UInt64 = 0
  }

  /// Since the producer was made.
  public private(set) var counters = Counters()

  private let source: ProducerSource
  private let target: Target
  private let writer: any TopicWriter
  private let rate: Double?
  private let now: () -> Int64
  private let elapsed: () -> Double
  private var events = RecordBatch()
  private var labels = RecordBatch()
  private var queue = LabelQueue()
  private var clock = EventClock()
  /// Labels of the rows in `events`: without an identifier field an event's offset identifies it,
  /// which is known once the rows are appended.
  private var batchLabels: [(row: Int, id: [UInt8]?, label: Label, due: Int64)] = []

  /// The most rows that become visible at once.
  private static let batch = 500

  /// A producer that has put nothing yet.
  /// - Parameters:
  ///   - rate: rows a second; nil: as fast as it goes.
  ///   - now: the time of day, ms since 1970.
  ///   - elapsed: seconds on a clock that only goes forward.
  public init(
    source: ProducerSource, log: any TopicLog, target: Target, rate: Double?,
    now: @escaping () -> Int64, elapsed: @escaping () -> Double
  ) throws {
    self.source = source
    self.target = target
    self.rate = rate
    self.now = now
    self.elapsed = elapsed
    writer = try log.writer(PipelineTopics.producers, exclusive: false)
  }

  /// Produces the file to its end, or until it is asked to stop.
  public mutating func run(
    stop: StopSignal, progress: (ProducerSource, Counters) -> Void = { _, _ in }
  ) throws {
    let started = elapsed()
    while !stop.isRequested {
      // At a rate, rows go out in pieces of a few milliseconds, not one by one.
      let piece = rate.map { Int(max(1, min(Double(Self.batch), $0 / 200))) } ?? Self.batch
      var atEnd = false
      for _ in 0..<piece where !atEnd { atEnd = try !take() }
      try commit(isLast: false)
      if atEnd {
        // The clock runs on until the last label has come.
        try commit(isLast: true)
      }
      progress(source, counters)
      if atEnd { return }
      while let rate, !stop.isRequested {
        let ahead = started + Double(counters.events) / rate - elapsed()
        guard ahead > 0 else { break }
        usleep(UInt32(min(ahead, 0.1) * 1e6))
      }
    }
  }

  /// Takes the next row; false at the end.
  private mutating func take() throws -> Bool {
    let row = try source.next()
    switch row {
    case .end: return false
    case .malformed:
      counters.refused += 1
      return true
    case .event, .refused: break
    }
    counters.events += 1
    var time = now()
    if case .pipeline(let pipeline, let labelDelay) = target, row == .event,
      let block = source.block
    {
      time = block.times[0]
      clock.follow(time)
      if let label = Label(rawValue: UInt8(bitPattern: block.labels[0])) {
        let delay = labelDelay ?? pipeline.labels?.delay ?? 0
        let id = pipeline.schema.id == nil ? nil : Array(block.id(0))
        batchLabels.append((events.count, id, label, time + delay))
      }
    }
    events.append(key: source.key, value: source.json, timestamp: time)
    return true
  }

  /// Gathers the labels that are known by `time`; nil: all.
  private mutating func deliver(dueBy time: Int64?) {
    queue.deliver(dueBy: time) { id, label, time in
      var json: [UInt8] = []
      json.append("{\"event_id\":")
      id.withUnsafeBytes { json.append(jsonString: $0) }
      json.append(",\"label\":")
      json.append(decimal: Int64(label.rawValue))
      json.append(",\"time\":\"")
      EventTime.append(time, to: &json)
      json.append("\",\"source\":\"history\"}")
      labels.append(key: id, value: json, timestamp: time)
      counters.labels += 1
    }
  }

  private mutating func commit(isLast: Bool) throws {
    let topic: TopicPartition
    switch target {
    case .topic(let name): topic = TopicPartition(name)
    case .pipeline: topic = PipelineTopics.events
    }
    // The labels that are known by the last of these events go with them: whoever reads the events
    // finds their labels no later than the delay says.
    try writer.transact { transaction in
      let base = try transaction.append(events, to: topic)
      for (row, id, label, due) in batchLabels {
        let id = id ?? Array("\(base + UInt64(row))".utf8)
        queue.append(id: id, label, time: due)
      }
      deliver(dueBy: isLast ? nil : clock.time ?? .min)
      try transaction.append(labels, to: PipelineTopics.labels)
    }
    batchLabels.removeAll(keepingCapacity: true)
    events.removeAll()
    labels.removeAll()
  }
}
