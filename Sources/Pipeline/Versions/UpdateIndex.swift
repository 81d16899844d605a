import Learners
import ModelLog
import StateCoding
import Topics

/// Where the updates stand that give each model's newest version: what a reader starts from, however
/// long the topic is. The trainer keeps it in its state, written with the updates themselves.
struct UpdateIndex: Equatable {
  /// Under which key a trainer keeps it.
  static let key = "updates"

  /// Offsets of the first records of a snapshot and of the deltas on it.
  typealias Chain = [UInt64]

  /// The chain in use, and the one before it: for the time in which its snapshot is unreadable.
  struct Chains: Equatable {
    var newest: Chain = []
    var previous: Chain = []
  }

  /// By name of the model.
  private(set) var models: [String: Chains] = [:]
  /// The topic's end when the index was written. A reader follows the topic from here.
  private(set) var end: UInt64 = 0

  /// A chain that is longer is not listed further: the rest of it is found by following.
  static let longestChain = 4096

  /// Updates before it are not listed; 0 once every model of the pipeline is.
  private(set) var begun: UInt64

  /// An index that lists nothing before `offset`, the topic's end.
  init(begunAt offset: UInt64) { begun = offset }

  /// The index of a pipeline's trainer; nil if it has published nothing or its state is damaged:
  /// then updates are looked for on the topic.
  init?(log: any TopicLog, topics: PipelineTopics) throws {
    do {
      guard let bytes = try log.state(Self.key, role: topics.trainer) else { return nil }
      try self.init(bytes: bytes)
    } catch let error as TopicError where error.code == .corrupt {
      return nil
    } catch is StateError { return nil }
  }

  /// Takes in an update whose first record stands at `offset`. Updates come in order.
  mutating func add(_ header: ParameterUpdate.Header, at offset: UInt64) {
    var chains = models[header.model] ?? Chains()
    if header.isSnapshot {
      chains.previous = chains.newest
      chains.newest = [offset]
    } else if chains.newest.count < Self.longestChain {
      chains.newest.append(offset)
    }
    models[header.model] = chains
  }

  /// The topic ends at `end` now. Where a chain is not listed whole, reading goes on behind what is.
  /// - Parameter models: names of the pipeline's models.
  mutating func close(at end: UInt64, models names: some Sequence<String>) {
    self.end = end
    if names.allSatisfy({ models[$0] != nil }) { begun = 0 }
  }

  /// The first update that a reader may start from; nil before there is any, or where there may be
  /// others that are not listed.
  var oldest: UInt64? {
    begun > 0 ? nil : models.values.compactMap { $0.previous.first ?? $0.newest.first }.min()
  }

  /// Where following begins.
  var start: UInt64 {
    models.values.filter { $0.newest.count >= Self.longestChain }.compactMap(\.newest.last)
      .reduce(end, min)
  }

  // MARK: Bytes

  private static let format: UInt32 = 1

  var bytes: [UInt8] {
    var writer = StateWriter()
    writer.write(Self.format)
    writer.write(end)
    writer.write(begun)
    writer.write(UInt64(models.count))
    for (name, chains) in models.sorted(by: { $0.key < $1.key }) {
      writer.write(name)
      writer.write(chains.newest)
      writer.write(chains.previous)
    }
    return writer.bytes
  }

  init(bytes: [UInt8]) throws(StateError) {
    var reader = StateReader(bytes)
    guard try reader.read(UInt32.self) == Self.format else { throw .unknownFormat }
    end = try reader.read(UInt64.self)
    begun = try reader.read(UInt64.self)
    for _ in 0..<(try reader.readCount(limit: 1 << 16)) {
      let name = try reader.readString()
      models[name] = Chains(
        newest: try reader.readArray(of: UInt64.self),
        previous: try reader.readArray(of: UInt64.self))
    }
    try reader.finish()
  }
}
