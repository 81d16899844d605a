import Features
import Foundation
import Learners
import Logging
import ModelLog
import Pipeline
import Testing
import Topics

/// A generator that repeats from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

let minute: Int64 = 60_000
let hour: Int64 = 3_600_000
/// 2018-04-01 00:00 UTC.
let start: Int64 = 1_522_540_800_000

/// A pipeline file with small models, so that a few hundred events make many versions.
let pipelineText = """
  pipeline: test
  events:
    id: id
    time:
      field: time
      unit: milliseconds
    fields:
      amount: number
      balance:
        type: number
        missing: 0
    max_bytes: 400
  label:
    field: fraud
    delay: 10m
    unlabelled: ignore
  features:
    - number: amount
    - log: balance
    - time: hour
  models:
    fraud:
      kind: logistic-regression
      batch: 32
    clusters:
      kind: k-means
      clusters: 3
      batch: 32
    outlier:
      kind: isolation-forest
      trees: 20
      sample_size: 32
      reservoir_size: 128
      replace_every: 16
      batch: 64
  decisions:
    by: [fraud, outlier]
    budget: 5 %
  publish:
    every: 200
    snapshot_every: 5
  """

extension Pipeline {
  /// The pipeline of `pipelineText` with parts of it replaced.
  static func test(_ changes: (String, String)...) throws -> Pipeline {
    var text = pipelineText
    for (old, new) in changes {
      try #require(text.contains(old), "nothing to replace: \(old)")
      text = text.replacingOccurrences(of: old, with: new)
    }
    return try Pipeline(yaml: text, path: "test.yaml")
  }

  /// Without labels, and without the models that need them.
  static func unlabelled(budget: String = "5 %") throws -> Pipeline {
    try test(
      ("label:\n  field: fraud\n  delay: 10m\n  unlabelled: ignore\n", ""),
      ("  fraud:\n    kind: logistic-regression\n    batch: 32\n", ""),
      ("by: [fraud, outlier]", "by: [outlier]"), ("budget: 5 %", "budget: \(budget)"))
  }
}

/// An event of the test's stream.
struct Event: Equatable {
  var id: String
  var time: Int64
  var amount: Double
  var balance: Double?
  var fraud: Bool?

  var json: String { object(withLabel: false) }
  var history: String { object(withLabel: true) }

  private func object(withLabel: Bool) -> String {
    var text = "{\"id\":\"\(id)\",\"time\":\(time),\"amount\":\(amount)"
    if let balance { text += ",\"balance\":\(balance)" }
    if withLabel, let fraud { text += ",\"fraud\":\(fraud ? 1 : 0)" }
    return text + "}"
  }

  /// A stationary stream, an event every few seconds, one in 25 of them a fraud of high amount.
  static func stream(
    _ count: Int, seed: UInt64 = 1, spacing: Int64 = 5_000, prefix: String = "e"
  ) -> [Event] {
    var random = SeededGenerator(seed: seed)
    var time = start
    return (0..<count).map { index in
      time += Int64.random(in: 0...2 * spacing, using: &random)
      let fraud = Int.random(in: 0..<25, using: &random) == 0
      let amount = Double.random(in: 0...100, using: &random) + (fraud ? 80 : 0)
      let balance = Double.random(in: -500...500, using: &random)
      let hasBalance = Int.random(in: 0..<10, using: &random) > 0
      return Event(
        id: "\(prefix)\(index)", time: time, amount: amount, balance: hasBalance ? balance : nil,
        fraud: fraud)
    }
  }
}

/// Decodes events into blocks.
func block(_ events: [Event], of pipeline: Pipeline) throws -> EventBlock {
  let decoder = EventDecoder(schema: pipeline.schema, readsLabel: true)
  var block = EventBlock(schema: pipeline.schema, capacity: max(1, events.count))
  for event in events {
    try Array(event.history.utf8).withUnsafeBytes {
      try decoder.decode(json: $0, position: 0, timestamp: event.time, into: &block)
    }
  }
  return block
}

/// What an update says, apart from whether it is a snapshot or a delta.
struct Statement: Equatable {
  var name: String
  var digest: Digest
  var threshold: Float?
  var examples: UInt64
  var eventTime: Int64
  var figures: ParameterUpdate.Figures?

  init(_ update: ParameterUpdate, figures: Bool = true) {
    name = update.header.name
    digest = update.digest
    threshold = update.header.threshold
    examples = update.header.examples
    eventTime = update.header.eventTime
    self.figures = figures ? update.header.figures : nil
  }
}

/// Scorer and trainer in one process: scores blocks, trains on them, serves what is published.
struct Bench {
  let pipeline: Pipeline
  var scoring: ScoringEngine
  var training: TrainingEngine
  var updates: [ParameterUpdate] = []
  var withheld: [WithheldUpdate] = []
  var blocks: [ScoredBlock] = []

  init(_ pipeline: Pipeline) {
    self.pipeline = pipeline
    scoring = ScoringEngine(pipeline: pipeline)
    training = TrainingEngine(pipeline: pipeline, epoch: 1)
  }

  mutating func observe(_ events: [Event]) throws {
    let scored = scoring.score(try block(events, of: pipeline))
    blocks.append(scored)
    training.observe(scored)
  }

  mutating func label(_ id: String, _ isFraud: Bool, at time: Int64) {
    training.label(id: Array(id.utf8), isFraud ? .positive : .negative, time: time)
  }

  mutating func serve() throws {
    withheld += training.takeWithheld(time: 0)
    for update in training.takeUpdates(time: 0, positions: []) {
      try scoring.apply(update)
      updates.append(update)
    }
  }

  /// Runs events one by one, each label as soon as its delay has passed.
  /// - Parameter after: called when an event, its labels and updates are done.
  mutating func run(
    _ events: [Event], delay: Int64 = 10 * minute,
    after: (inout Bench, Int) throws -> Void = { _, _ in }
  ) throws {
    var delivered = 0
    for (index, event) in events.enumerated() {
      try observe([event])
      while delivered <= index, events[delivered].time + delay <= event.time {
        deliver(events[delivered], delay)
        delivered += 1
      }
      try serve()
      try after(&self, index)
    }
    for event in events[delivered...] { deliver(event, delay) }
    try serve()
    training.finish()
    try serve()
  }

  private mutating func deliver(_ event: Event, _ delay: Int64) {
    if let fraud = event.fraud { label(event.id, fraud, at: event.time + delay) }
  }
}

func newFolder() -> String {
  FileManager.default.temporaryDirectory.path + "/pipeline-test-\(UUID().uuidString)"
}

/// Runs `body` with the path of a new folder and removes it afterwards.
func withFolder<T>(_ body: (String) throws -> T) throws -> T {
  let folder = newFolder()
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Runs `body` with a file of the given text.
func withFile<T>(_ text: String, _ body: (String) throws -> T) throws -> T {
  try withFolder { folder in
    try text.write(toFile: folder + "/file", atomically: false, encoding: .utf8)
    return try body(folder + "/file")
  }
}

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
