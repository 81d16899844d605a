import Learners
import Features
import StateCoding

/// Labels that came before their event. They are kept until it comes, or until it would have
/// matured by their time.
struct EarlyLabels {
  private var labels: [[UInt8]: GivenLabel] = [:]
  private var changed = false
  /// Event time through which labels were let go.
  private var swept = Int64.min

  var count: Int { labels.count }
  var isEmpty: Bool { labels.isEmpty }

  /// Takes a label in; of several the one given last stays.
  /// - Parameter limit: how many events' labels there is room for.
  mutating func add(_ id: [UInt8], _ given: GivenLabel, limit: Int)
    -> PendingExamples.LabelOutcome
  {
    guard let before = labels[id] else {
      guard labels.count < limit else { return .refused }
      labels[id] = given
      changed = true
      return .early
    }
    if before.label == given.label {
      if given.time > before.time {
        labels[id]!.time = given.time
        changed = true
      }
      return .duplicate
    }
    guard given.time >= before.time else { return .outdated }
    labels[id] = given
    changed = true
    return .contradiction(nil)
  }

  /// Takes the label of an event out, if there is one.
  mutating func remove(_ id: ArraySlice<UInt8>) -> GivenLabel? {
    guard !labels.isEmpty, let label = labels.removeValue(forKey: Array(id)) else { return nil }
    changed = true
    return label
  }

  /// Lets go of the labels given at or before `time`, now and then: looking at all of them costs,
  /// and once an hour of event time is soon enough.
  /// - Returns: how many were let go of.
  mutating func mature(through time: Int64) -> Int {
    guard !labels.isEmpty, time - 3_600_000 >= swept else { return 0 }
    swept = time
    let before = labels.count
    labels = labels.filter { $0.value.time > time }
    changed = changed || labels.count != before
    return before - labels.count
  }

  // MARK: State

  private static let key = "pending/early"

  /// What is to be put into the store; nil: nothing changed since the last call.
  mutating func takeChange() -> (key: String, bytes: [UInt8]?)? {
    guard changed else { return nil }
    changed = false
    var writer = StateWriter()
    writer.write(UInt64(labels.count))
    for (id, given) in labels.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      writer.write(id)
      writer.write(given.label.rawValue)
      writer.write(given.time)
      writer.write(given.weight)
    }
    return (Self.key, writer.bytes)
  }

  init() {}

  init(load: (String) throws -> [UInt8]?) throws {
    guard let bytes = try load(Self.key) else { return }
    var reader = StateReader(bytes)
    for _ in 0..<(try reader.readCount(limit: bytes.count)) {
      let id = try reader.readArray(of: UInt8.self)
      guard let label = Label(rawValue: try reader.read(UInt8.self)) else {
        throw StateError.invalid("label")
      }
      let time = try reader.read(Int64.self)
      labels[id] = GivenLabel(label, time: time, weight: try reader.readFinite())
    }
    try reader.finish()
  }
}
