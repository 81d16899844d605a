import Features
import LinearAlgebra
import ModelLog

/// A block of events as they were scored: what stands on the `scored` topic, one record a block.
///
/// The bytes are the value: encoding is laying them out, decoding is checking them. Layout, all
/// little-endian:
///
///     "WSB2"  rows u32  features u32  models u32  fingerprint 32 bytes
///     events u64  labels u64: offsets behind what the scorer had read (0 in a history)
///     per model: epoch u64  version u64 (0: no parameters yet)  digest 32 bytes
///     times      rows × i64, ms since 1970
///     features   features × rows × f64, column by column
///     scores     models × rows × f32, NaN without parameters
///     outcomes   rows × u8 (`Outcome`)
///     id ends    rows × u32, into:
///     ids        the identifiers' bytes, one after the other
public final class ScoredBlock: Sendable {
  /// What a decision came to.
  public enum Outcome: UInt8, Sendable {
    /// The deciding model's score is below its threshold, or there is no threshold yet.
    case pass = 0
    /// The deciding model's score reaches its threshold.
    case alert = 1
    /// No model that decides had parameters.
    case none = 2
  }

  /// Which parameters stand behind a model's scores.
  public struct Version: Sendable, Equatable {
    /// Of the trainer that published the version; 0 without parameters.
    public var epoch: UInt64
    /// 0: there were no parameters yet.
    public var version: UInt64
    /// Of the parameters; nil without any.
    public var digest: Digest?
  }

  /// The record on the topic, laid out as described above.
  public let bytes: [UInt8]
  /// Number of events.
  public let rows: Int
  /// Number of features an event.
  public let features: Int
  /// Of the pipeline that computed the features.
  public let fingerprint: Digest
  /// Offsets in `events` and `labels` behind all that the scorer had read: with them the same
  /// features can be computed again.
  public let readThrough: (events: UInt64, labels: UInt64)
  /// One a model, in the pipeline's order.
  public let versions: [Version]

  private let timeStart: Int
  private let featureStart: Int
  private let scoreStart: Int
  private let outcomeStart: Int
  private let endStart: Int
  private let idStart: Int

  private static let magic: [UInt8] = Array("WSB2".utf8)
  private static let headerSize = 4 + 3 * 4 + 32 + 2 * 8
  private static let versionSize = 8 + 8 + 32

  /// Bytes that are no scored block.
  public struct FormatError: Error, CustomStringConvertible {
    /// What is wrong with the bytes.
    public let description: String
  }

  /// Checks the bytes of a block.
  /// - Throws: `FormatError` unless every part lies within them.
  public init(bytes: [UInt8]) throws(FormatError) {
    let count = bytes.count
    guard count >= Self.headerSize, bytes.starts(with: Self.magic) else {
      throw FormatError(description: "not a block of scored events")
    }
    let rows = Int(Self.load(UInt32.self, bytes, 4))
    let features = Int(Self.load(UInt32.self, bytes, 8))
    let models = Int(Self.load(UInt32.self, bytes, 12))
    let perRow = 8 + 8 * features + 4 * models + 1 + 4
    guard rows <= 1 << 20, features <= 1 << 20, models <= 1 << 10 else {
      throw FormatError(description: "a block of scored events of impossible size")
    }
    let fixed = Self.headerSize + models * Self.versionSize + rows * perRow
    guard count >= fixed else {
      throw FormatError(description: "a block of scored events that ends early")
    }
    let start = Self.headerSize + models * Self.versionSize
    featureStart = start + rows * 8
    scoreStart = featureStart + rows * features * 8
    outcomeStart = scoreStart + rows * models * 4
    endStart = outcomeStart + rows
    idStart = endStart + rows * 4
    var previous = 0
    for row in 0..<rows {
      let end = Int(Self.load(UInt32.self, bytes, endStart + row * 4))
      guard end >= previous, idStart + end <= count, bytes[outcomeStart + row] <= 2 else {
        throw FormatError(description: "a block of scored events with impossible identifiers")
      }
      previous = end
    }
    for row in 0..<rows {
      let time = Self.load(Int64.self, bytes, start + row * 8)
      guard (0...EventTime.latest).contains(time) else {
        throw FormatError(description: "a block of scored events with impossible times")
      }
    }
    for value in 0..<rows * features {
      let bits = Self.load(UInt64.self, bytes, featureStart + value * 8)
      guard Double(bitPattern: bits).isFinite else {
        throw FormatError(description: "a block of scored events with features that are not finite")
      }
    }
    guard idStart + previous == count else {
      throw FormatError(description: "a block of scored events followed by other bytes")
    }
    self.bytes = bytes
    self.rows = rows
    self.features = features
    fingerprint = Digest(bytes: Array(bytes[16..<48]))!
    readThrough = (Self.load(UInt64.self, bytes, 48), Self.load(UInt64.self, bytes, 56))
    timeStart = start
    versions = (0..<models).map { model in
      let at = Self.headerSize + model * Self.versionSize
      let version = Self.load(UInt64.self, bytes, at + 8)
      return Version(
        epoch: Self.load(UInt64.self, bytes, at), version: version,
        digest: version == 0 ? nil : Digest(bytes: Array(bytes[at + 16..<at + 48])))
    }
  }

  /// Lays out a block.
  /// - Parameters:
  ///   - scores: one array a model, at least one score an event each.
  ///   - outcomes: at least one an event.
  init(
    events: EventBlock, features: Matrix, fingerprint: Digest, versions: [Version],
    scores: [[Float]], outcomes: [Outcome], readThrough: (events: UInt64, labels: UInt64)
  ) {
    let rows = events.count
    self.rows = rows
    self.features = features.columns
    self.fingerprint = fingerprint
    self.readThrough = readThrough
    self.versions = versions
    timeStart = Self.headerSize + versions.count * Self.versionSize
    featureStart = timeStart + rows * 8
    scoreStart = featureStart + rows * features.columns * 8
    outcomeStart = scoreStart + rows * versions.count * 4
    endStart = outcomeStart + rows
    idStart = endStart + rows * 4
    let (ids, ends) = events.identifiers
    var bytes: [UInt8] = []
    bytes.reserveCapacity(idStart + ids.count)
    func put<T: FixedWidthInteger>(_ value: T) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    bytes += Self.magic
    put(UInt32(rows))
    put(UInt32(features.columns))
    put(UInt32(versions.count))
    bytes += fingerprint.bytes
    put(readThrough.events)
    put(readThrough.labels)
    for version in versions {
      put(version.epoch)
      put(version.version)
      bytes += version.digest?.bytes ?? [UInt8](repeating: 0, count: 32)
    }
    func append<T>(_ values: [T], _ range: Range<Int>) {
      values.withUnsafeBytes { raw in
        let size = MemoryLayout<T>.stride
        bytes.append(
          contentsOf: UnsafeRawBufferPointer(
            rebasing: raw[range.lowerBound * size..<range.upperBound * size]))
      }
    }
    // The machine is little-endian, as the format: columns are copied whole.
    append(events.times, 0..<rows)
    for column in 0..<features.columns {
      append(features.values, column * features.stride..<column * features.stride + rows)
    }
    for model in scores { append(model, 0..<rows) }
    for row in 0..<rows { bytes.append(outcomes[row].rawValue) }
    for end in ends { put(UInt32(end)) }
    bytes += ids
    self.bytes = bytes
  }

  /// Event time, ms since 1970.
  @inline(__always)
  public func time(_ row: Int) -> Int64 { Self.load(Int64.self, bytes, timeStart + row * 8) }

  /// A feature as it was scored.
  @inline(__always)
  public func feature(_ column: Int, row: Int) -> Double {
    Double(bitPattern: Self.load(UInt64.self, bytes, featureStart + (column * rows + row) * 8))
  }

  /// A model's score, NaN without parameters.
  @inline(__always)
  public func score(model: Int, row: Int) -> Float {
    Float(bitPattern: Self.load(UInt32.self, bytes, scoreStart + (model * rows + row) * 4))
  }

  /// The decision on an event.
  public func outcome(_ row: Int) -> Outcome { Outcome(rawValue: bytes[outcomeStart + row])! }

  /// An identifier's bytes.
  public func id(_ row: Int) -> ArraySlice<UInt8> {
    let from = row == 0 ? 0 : Int(Self.load(UInt32.self, bytes, endStart + (row - 1) * 4))
    let to = Int(Self.load(UInt32.self, bytes, endStart + row * 4))
    return bytes[idStart + from..<idStart + to]
  }

  /// Gives the identifiers of a record's block, and looks at nothing else in it.
  /// - Throws: `FormatError` if there is no block there.
  static func forEachIdentifier(
    in record: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(FormatError) {
    func number(_ at: Int) -> Int {
      Int(UInt32(littleEndian: record.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    }
    guard record.count >= headerSize, record.starts(with: magic) else {
      throw FormatError(description: "not a block of scored events")
    }
    let rows = number(4)
    let perRow = 8 + 8 * number(8) + 4 * number(12) + 1
    let ends = headerSize + number(12) * versionSize + rows * perRow
    let ids = ends + rows * 4
    guard rows <= 1 << 20, ids <= record.count else {
      throw FormatError(description: "a block of scored events that ends early")
    }
    var start = 0
    for row in 0..<rows {
      let end = number(ends + 4 * row)
      guard end >= start, end <= record.count - ids else {
        throw FormatError(description: "a block of scored events with impossible identifiers")
      }
      body(UnsafeRawBufferPointer(rebasing: record[ids + start..<ids + end]))
      start = end
    }
  }

  /// A block of some of the events.
  /// - Parameter kept: their rows, in rising order.
  func keeping(rows kept: [Int]) -> ScoredBlock {
    var next = Array(bytes[..<timeStart])
    next.reserveCapacity(bytes.count)
    next.replaceSubrange(
      4..<8, with: withUnsafeBytes(of: UInt32(kept.count).littleEndian, Array.init))
    func copy(_ start: Int, size: Int, columns: Int) {
      for column in 0..<columns {
        for row in kept {
          let at = start + (column * rows + row) * size
          next += bytes[at..<at + size]
        }
      }
    }
    copy(timeStart, size: 8, columns: 1)
    copy(featureStart, size: 8, columns: features)
    copy(scoreStart, size: 4, columns: versions.count)
    copy(outcomeStart, size: 1, columns: 1)
    var end: UInt32 = 0
    for row in kept {
      end += UInt32(id(row).count)
      withUnsafeBytes(of: end.littleEndian) { next.append(contentsOf: $0) }
    }
    for row in kept { next += id(row) }
    do { return try ScoredBlock(bytes: next) } catch { preconditionFailure("\(error)") }
  }

  /// Whether an event's identifier is `id`.
  func hasID(_ id: ArraySlice<UInt8>, row: Int) -> Bool { self.id(row) == id }

  @inline(__always)
  private static func load<T: FixedWidthInteger>(_: T.Type, _ bytes: [UInt8], _ at: Int) -> T {
    bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self)) }
  }
}
