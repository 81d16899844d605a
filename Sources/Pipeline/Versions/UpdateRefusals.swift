import Learners
import ModelLog
import StateCoding
import Topics

/// An update that a scorer refused, and what became of it.
public struct UpdateRefusal: Sendable, Equatable {
  /// When it was refused, ms since 1970.
  public var time: Int64
  /// Where it stands on `models`; nil for updates that never came.
  public var offset: UInt64?
  /// Which update, as far as it is known.
  public var subject: UpdateError.Subject?
  /// The kind of refusal.
  public var code: UpdateError.Code
  /// One sentence.
  public var reason: String
  /// The version that was served next, `pipeline/model@version`; nil while older parameters are
  /// served on.
  public var healedBy: String?
  /// When that version took its place, ms since 1970.
  public var healedTime: Int64?
}

/// What a scorer refused on `models`: the last refusals in full, all of them by number. Kept in the
/// state of its role, so that anybody can ask for it.
public struct UpdateRefusals: Sendable, Equatable {
  /// Refusals that are kept in full.
  public static let kept = 100

  /// Oldest first.
  public private(set) var entries: [UpdateRefusal] = []
  /// How many there were, since the pipeline's first scorer.
  public private(set) var counts: [UpdateError.Code: UInt64] = [:]
  /// Updates that came again, and did no harm.
  public private(set) var doubled: UInt64 = 0
  /// Updates passed over because the ones before them had been refused.
  public private(set) var skipped: UInt64 = 0

  /// Counts entries that were let go, so that an entry has a number for good.
  private var firstNumber: UInt64 = 0

  static let key = "refusals"

  init() {}

  /// What the scorer of a pipeline refused; empty if it refused nothing or has never run.
  /// - Throws: `TopicError` or `StateError` if it cannot be read.
  public init(log: any TopicLog, pipeline: String) throws {
    let role = PipelineTopics(pipeline: pipeline).scorer
    if let bytes = try log.state(Self.key, role: role) {
      try self.init(bytes: bytes)
    } else {
      self.init()
    }
  }

  /// Takes in a refusal and gives the number by which it is known from now on.
  mutating func add(_ refusal: UpdateRefusal) -> UInt64 {
    counts[refusal.code, default: 0] += 1
    entries.append(refusal)
    if entries.count > Self.kept {
      entries.removeFirst()
      firstNumber += 1
    }
    return firstNumber + UInt64(entries.count) - 1
  }

  /// The number of the refusal of what stands at an offset, if it is known.
  func number(at offset: UInt64, code: UpdateError.Code) -> UInt64? {
    entries.firstIndex { $0.offset == offset && $0.code == code }.map { firstNumber + UInt64($0) }
  }

  /// The refusal of a number; nil once it was let go.
  subscript(number: UInt64) -> UpdateRefusal? {
    number < firstNumber ? nil : entries[Int(number - firstNumber)]
  }

  func offset(of number: UInt64) -> UInt64? { self[number]?.offset }

  /// The numbers of those that nothing has healed.
  var openNumbers: [UInt64] {
    entries.indices.filter { entries[$0].healedTime == nil }.map { firstNumber + UInt64($0) }
  }

  mutating func heal(_ number: UInt64, by version: String, time: Int64) {
    guard number >= firstNumber else { return }
    entries[Int(number - firstNumber)].healedBy = version
    entries[Int(number - firstNumber)].healedTime = time
  }

  mutating func countDoubled() { doubled += 1 }
  mutating func countSkipped() { skipped += 1 }

  // MARK: Bytes

  private static let format: UInt32 = 1

  var bytes: [UInt8] {
    var writer = StateWriter()
    writer.write(Self.format)
    writer.write(firstNumber)
    writer.write(doubled)
    writer.write(skipped)
    writer.write(UInt64(counts.count))
    for (code, count) in counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      writer.write(code.rawValue)
      writer.write(count)
    }
    writer.write(UInt64(entries.count))
    for entry in entries {
      writer.write(entry.time)
      writer.write(entry.offset ?? .max)
      writer.write(entry.code.rawValue)
      writer.write(entry.reason)
      writer.write(entry.subject?.pipeline ?? "")
      writer.write(entry.subject?.model ?? "")
      writer.write(entry.subject?.epoch ?? .max)
      writer.write(entry.subject?.version ?? .max)
      writer.write(entry.healedBy ?? "")
      writer.write(entry.healedTime ?? .min)
    }
    return writer.bytes
  }

  init(bytes: [UInt8]) throws(StateError) {
    var reader = StateReader(bytes)
    guard try reader.read(UInt32.self) == Self.format else { throw .unknownFormat }
    firstNumber = try reader.read(UInt64.self)
    doubled = try reader.read(UInt64.self)
    skipped = try reader.read(UInt64.self)
    for _ in 0..<(try reader.readCount(limit: 1 << 10)) {
      counts[try reader.readCode()] = try reader.read(UInt64.self)
    }
    for _ in 0..<(try reader.readCount(limit: Self.kept)) {
      let time = try reader.read(Int64.self)
      let offset = try reader.read(UInt64.self)
      let code = try reader.readCode()
      let reason = try reader.readString()
      var subject: UpdateError.Subject? = .init(
        pipeline: try reader.readString(), model: try reader.readString(),
        epoch: try reader.readOptional(), version: try reader.readOptional())
      if subject?.pipeline == "", subject?.model == "" { subject = nil }
      let healedBy = try reader.readString()
      let healedTime = try reader.read(Int64.self)
      entries.append(
        UpdateRefusal(
          time: time, offset: offset == .max ? nil : offset, subject: subject, code: code,
          reason: reason, healedBy: healedBy.isEmpty ? nil : healedBy,
          healedTime: healedTime == .min ? nil : healedTime))
    }
    try reader.finish()
  }
}

extension StateReader {
  fileprivate mutating func readCode() throws(StateError) -> UpdateError.Code {
    guard let code = UpdateError.Code(rawValue: try readString()) else {
      throw .invalid("kind of refusal")
    }
    return code
  }

  fileprivate mutating func readOptional() throws(StateError) -> UInt64? {
    let number = try read(UInt64.self)
    return number == .max ? nil : number
  }
}
