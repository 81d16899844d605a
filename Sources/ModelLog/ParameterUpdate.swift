import Learners
import SwiftProtobuf

/// One version of a model's parameters as it stands on the `models` topic: a snapshot or a delta.
public struct ParameterUpdate: Sendable {
  /// The newest format this program writes and reads.
  public static let format: UInt32 = 2

  /// Which version of which model this is.
  public struct Header: Sendable, Equatable {
    /// Name of the pipeline; scorers of another one ignore the update.
    public var pipeline: String
    /// Name of the model within the pipeline.
    public var model: String
    /// Family of the model: how its parts are decoded.
    public var kind: ModelKind
    /// Rises at each start of a trainer.
    public var epoch: UInt64
    /// Rises by one an update, is never reused and survives restarts.
    public var version: UInt64
    /// The version a delta applies to; nil for a snapshot.
    public var base: UInt64?
    /// Of the pipeline file that made it.
    public var fingerprint: Digest
    /// When it was published, ms since 1970.
    public var time: Int64
    /// The latest event time trained on, ms since 1970.
    public var eventTime: Int64
    /// How far each topic was read, exclusive.
    public var positions: [Position]
    /// Rows learnt since the model began, also those that were left out again.
    public var examples: UInt64
    /// Test-then-train figures of the scores as they were served, so far.
    public var figures: Figures
    /// A score at or above it is flagged; nil while there is no ground for one.
    public var threshold: Float?

    /// The header of a version to be; `UpdatePublisher` fills in version and base.
    public init(
      pipeline: String, model: String, kind: ModelKind, epoch: UInt64, fingerprint: Digest,
      eventTime: Int64, examples: UInt64, figures: Figures, threshold: Float?
    ) {
      self.pipeline = pipeline
      self.model = model
      self.kind = kind
      self.epoch = epoch
      version = 0
      self.fingerprint = fingerprint
      time = 0
      self.eventTime = eventTime
      positions = []
      self.examples = examples
      self.figures = figures
      self.threshold = threshold
    }

    init(
      pipeline: String, model: String, kind: ModelKind, epoch: UInt64, version: UInt64,
      base: UInt64?, fingerprint: Digest, time: Int64, eventTime: Int64, positions: [Position],
      examples: UInt64, figures: Figures, threshold: Float?
    ) {
      self.init(
        pipeline: pipeline, model: model, kind: kind, epoch: epoch, fingerprint: fingerprint,
        eventTime: eventTime, examples: examples, figures: figures, threshold: threshold)
      self.version = version
      self.base = base
      self.time = time
      self.positions = positions
    }

    /// Whether the update carries all parts and needs no base.
    public var isSnapshot: Bool { base == nil }
    /// `pipeline/model@version`.
    public var name: String { "\(pipeline)/\(model)@\(version)" }
  }

  /// How far a partition was trained through.
  public struct Position: Sendable, Equatable {
    /// Name of a topic that was read.
    public var topic: String
    /// Partition of the topic.
    public var partition: Int
    /// The first offset not read.
    public var offset: UInt64

    /// A position, exclusive.
    public init(topic: String, partition: Int, offset: UInt64) {
      self.topic = topic
      self.partition = partition
      self.offset = offset
    }
  }

  /// Figures that travel with an update. Nil: not defined (yet).
  public struct Figures: Sendable, Equatable {
    /// Events with a label that were scored by a version of the model.
    public var labelled: UInt64 = 0
    /// Those of them with label 1.
    public var positives: UInt64 = 0
    /// Area under the ROC curve, 0 to 1; nil without events of both labels.
    public var auroc: Double?
    /// Area under the precision-recall curve, 0 to 1; nil without events of label 1.
    public var averagePrecision: Double?
    /// Mean log loss in nats; nil without events, or for scores that are no probabilities.
    public var logLoss: Double?
    /// Mean squared error of the probability; nil like the log loss.
    public var brier: Double?

    /// Figures of no events.
    public init() {}
  }

  /// Which version this is and where it comes from.
  public var header: Header
  /// What the fingerprint covers, and the features' names: snapshots carry them.
  public var definition: String?
  /// Names of the features in parameter order; empty in a delta.
  public var features: [String]
  /// Of the parameters after applying the update.
  public let digest: Digest
  /// Parts of the whole parameters.
  public let partCount: Int
  /// All parts of a snapshot, the changed ones of a delta, by index.
  let parts: [(index: Int, part: EncodedParameters.Part)]

  init(
    header: Header, definition: String?, features: [String], digest: Digest, partCount: Int,
    parts: [(index: Int, part: EncodedParameters.Part)]
  ) {
    self.header = header
    self.definition = definition
    self.features = features
    self.digest = digest
    self.partCount = partCount
    self.parts = parts
  }

  /// Number of parts that the update carries.
  public var changedParts: Int { parts.count }

  // MARK: Bytes

  /// The serialised message.
  public func encode() -> [UInt8] {
    var message = Weir_V1_ParameterUpdate()
    message.format = Self.format
    message.pipeline = header.pipeline
    message.model = header.model
    message.kind = header.kind.rawValue
    message.epoch = header.epoch
    message.version = header.version
    message.baseVersion = header.base ?? 0
    message.snapshot = header.isSnapshot
    message.fingerprint = .init(header.fingerprint.bytes)
    message.definition = definition ?? ""
    message.features = features
    message.time = header.time
    message.eventTime = header.eventTime
    message.positions = header.positions.map {
      var position = Weir_V1_Position()
      position.topic = $0.topic
      position.partition = UInt32($0.partition)
      position.offset = $0.offset
      return position
    }
    message.examples = header.examples
    message.figures = header.figures.message
    if let threshold = header.threshold { message.threshold = Double(threshold) }
    message.digest = .init(digest.bytes)
    message.partCount = UInt32(partCount)
    message.parts = parts.map {
      var part = Weir_V1_Part()
      part.index = UInt32($0.index)
      part.content = .init($0.part.content)
      return part
    }
    // No required fields, the only thing that could fail.
    return try! message.serializedBytes()
  }

  /// Reads a serialised message.
  /// - Throws: `UpdateError`, also for a format this program does not know.
  public init(bytes: [UInt8]) throws(UpdateError) {
    let message: Weir_V1_ParameterUpdate
    do { message = try Weir_V1_ParameterUpdate(serializedBytes: bytes) } catch {
      throw UpdateError(.corrupt, "not a parameter update: \(error)")
    }
    guard message.format <= Self.format else {
      throw UpdateError(
        .newerFormat, "format \(message.format); this program reads up to \(Self.format)")
    }
    guard let kind = ModelKind(rawValue: message.kind) else {
      throw UpdateError(.newerFormat, "a model of the unknown kind '\(message.kind)'")
    }
    guard let fingerprint = Digest(bytes: [UInt8](message.fingerprint)),
      let digest = Digest(bytes: [UInt8](message.digest)), message.version > 0,
      message.partCount > 0, message.partCount <= 1 << 24,
      message.snapshot ? message.baseVersion == 0 : message.baseVersion < message.version,
      Self.areInRange(message)
    else { throw UpdateError(.corrupt, "an update with impossible fields") }
    header = Header(
      pipeline: message.pipeline, model: message.model, kind: kind, epoch: message.epoch,
      version: message.version, base: message.snapshot ? nil : message.baseVersion,
      fingerprint: fingerprint, time: message.time, eventTime: message.eventTime,
      positions: message.positions.map {
        Position(topic: $0.topic, partition: Int($0.partition), offset: $0.offset)
      },
      examples: message.examples, figures: Figures(message.figures),
      threshold: message.hasThreshold ? Float(message.threshold) : nil)
    definition = message.definition.isEmpty ? nil : message.definition
    features = message.features
    self.digest = digest
    partCount = Int(message.partCount)
    var previous = -1
    parts = try message.parts.map { (part) throws(UpdateError) in
      guard part.index < message.partCount, Int(part.index) > previous else {
        throw UpdateError(.corrupt, "parts out of order")
      }
      previous = Int(part.index)
      return (Int(part.index), EncodedParameters.Part([UInt8](part.content)))
    }
    guard !message.snapshot || parts.count == partCount else {
      throw UpdateError(.corrupt, "a snapshot without all of its parts")
    }
  }

  private static func areInRange(_ message: Weir_V1_ParameterUpdate) -> Bool {
    let counts = [
      message.epoch, message.version, message.examples, message.figures.labelled,
      message.figures.positives,
    ]
    return areInRange(
      counts: counts + message.positions.map(\.offset), times: [message.time, message.eventTime])
  }

  /// Counts and times that are printed and calculated with: no stream is that long, no clock that
  /// far off, and beyond these bounds such sums would overflow.
  static func areInRange(counts: [UInt64], times: [Int64]) -> Bool {
    // 9999-12-31 23:59:59.999, in ms since 1970.
    let latest: Int64 = 253_402_300_799_999
    return counts.allSatisfy { $0 < 1 << 62 } && times.allSatisfy { (0...latest).contains($0) }
  }
}

extension ParameterUpdate.Figures {
  fileprivate init(_ message: Weir_V1_Figures) {
    labelled = message.labelled
    positives = message.positives
    auroc = message.hasAuroc ? message.auroc : nil
    averagePrecision = message.hasAveragePrecision ? message.averagePrecision : nil
    logLoss = message.hasLogLoss ? message.logLoss : nil
    brier = message.hasBrier ? message.brier : nil
  }

  fileprivate var message: Weir_V1_Figures {
    var message = Weir_V1_Figures()
    message.labelled = labelled
    message.positives = positives
    if let auroc { message.auroc = auroc }
    if let averagePrecision { message.averagePrecision = averagePrecision }
    if let logLoss { message.logLoss = logLoss }
    if let brier { message.brier = brier }
    return message
  }
}
