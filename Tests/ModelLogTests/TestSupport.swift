import Learners
import LinearAlgebra
import ModelLog
import Testing

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

let fingerprint = Digest(of: Array("the pipeline".utf8))

/// A learner under test, fed with a stream of its own.
struct Subject {
  let kind: ModelKind
  private var learner: any Learner
  private var random: SeededGenerator

  static let featureNames = ["a", "b", "c"]

  init(_ kind: ModelKind, seed: UInt64 = 1) {
    self.kind = kind
    learner =
      switch kind {
      case .logisticRegression: LogisticRegression(featureCount: 3, options: .init(), seed: seed)
      case .kMeans: KMeans(featureCount: 3, options: .init(clusters: 5), seed: seed)
      case .isolationForest:
        IsolationForest(
          featureCount: 3,
          options: .init(trees: 20, sampleSize: 32, reservoirSize: 64, replaceEvery: 16),
          seed: seed)
      }
    random = SeededGenerator(seed: seed)
  }

  /// Learns another mini-batch and gives the parameters after it.
  mutating func next(rows: Int = 64) throws -> any ModelParameters {
    let events = (0..<rows).map { _ in
      (0..<3).map { _ in Double.random(in: -3...3, using: &random) }
    }
    learner.learn(
      Matrix(rows: events), labels: events.map { $0[0] + $0[1] > 1 ? 1 : 0 }, weights: [])
    return try #require(learner.makeParameters())
  }

  func header(epoch: UInt64 = 1, threshold: Float? = 0.5) -> ParameterUpdate.Header {
    var figures = ParameterUpdate.Figures()
    figures.labelled = 12
    figures.auroc = 0.75
    return ParameterUpdate.Header(
      pipeline: "p", model: "m", kind: kind, epoch: epoch, fingerprint: fingerprint,
      eventTime: 1_000, examples: learner.examples, figures: figures, threshold: threshold)
  }

  /// Learns another mini-batch and publishes it.
  mutating func publish(
    with publisher: inout UpdatePublisher, epoch: UInt64 = 1
  ) throws -> (update: ParameterUpdate, parameters: any ModelParameters) {
    let parameters = try next()
    let update = publisher.makeUpdate(
      of: parameters, header: header(epoch: epoch), definition: "definition\n",
      features: Self.featureNames)
    return (update, parameters)
  }
}

/// What a scorer serves after an update; the update must be new to it.
func applied(
  _ update: ParameterUpdate, to served: ServedModel? = nil,
  _ sourceLocation: SourceLocation = #_sourceLocation
) throws -> ServedModel {
  let outcome = try ServedModel.apply(update, to: served, fingerprint: fingerprint)
  guard case .applied(let model) = outcome else {
    Issue.record("known already: \(update.header.name)", sourceLocation: sourceLocation)
    return try #require(served)
  }
  return model
}

/// Expects a refusal of a kind.
func expectRefusal(
  _ code: UpdateError.Code, _ sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("not refused", sourceLocation: sourceLocation)
  } catch let error as UpdateError {
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
  } catch { Issue.record("\(error)", sourceLocation: sourceLocation) }
}

/// Whether two parameters are the same numbers, bit for bit.
func areIdentical(_ a: any ModelParameters, _ b: any ModelParameters) -> Bool {
  func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }
  func same(_ a: Standardisation, _ b: Standardisation) -> Bool {
    bits(a.mean) == bits(b.mean) && bits(a.scale) == bits(b.scale)
  }
  func same(_ a: IsolationTree, _ b: IsolationTree) -> Bool {
    guard a.serial == b.serial, a.sampleSize == b.sampleSize, a.features == b.features,
      a.children == b.children
    else { return false }
    return bits(a.typical) == bits(b.typical) && bits(a.values) == bits(b.values)
      && a.thresholds.map(\.bitPattern) == b.thresholds.map(\.bitPattern)
  }
  switch (a, b) {
  case let (a as LogisticParameters, b as LogisticParameters):
    return same(a.standardisation, b.standardisation) && bits(a.weights) == bits(b.weights)
      && a.intercept.bitPattern == b.intercept.bitPattern && a.hashed == b.hashed
  case let (a as KMeansParameters, b as KMeansParameters):
    return same(a.standardisation, b.standardisation) && bits(a.centres) == bits(b.centres)
      && bits(a.spreads) == bits(b.spreads) && bits(a.weights) == bits(b.weights)
  case let (a as IsolationForestParameters, b as IsolationForestParameters):
    return a.sampleSize == b.sampleSize && a.trees.count == b.trees.count
      && zip(a.trees, b.trees).allSatisfy { same($0, $1) }
  default: return false
  }
}

extension UpdateAssembler {
  mutating func take(bytes: [UInt8]) throws -> ParameterUpdate? {
    try result(bytes: bytes).update
  }

  mutating func result(bytes: [UInt8]) throws -> Result {
    try bytes.withUnsafeBytes { try take($0) }
  }
}

// MARK: A little of protobuf's encoding, to make messages that the program would never make

enum Wire {
  static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] {
    varint(field << 3) + varint(value)
  }

  static func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
    varint(field << 3 | 2) + varint(UInt64(value.count)) + value
  }

  static func double(_ field: UInt64, _ value: Double) -> [UInt8] {
    varint(field << 3 | 1) + little(value)
  }

  static func doubles(_ field: UInt64, _ values: [Double]) -> [UInt8] {
    bytes(field, values.flatMap(little))
  }

  private static func little(_ value: Double) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { [UInt8]($0) }
  }
}

/// A snapshot made by hand of the given parts, with the digest that belongs to them.
func handmadeSnapshot(
  kind: String, parts: [[UInt8]], version: UInt64 = 1, epoch: UInt64 = 1, format: UInt64 = 1,
  threshold: Double? = nil, digest: Digest? = nil
) -> [UInt8] {
  var bytes =
    Wire.number(1, format) + Wire.bytes(2, Array("p".utf8)) + Wire.bytes(3, Array("m".utf8))
  bytes += Wire.bytes(4, Array(kind.utf8)) + Wire.number(5, epoch) + Wire.number(6, version)
  bytes += Wire.number(8, 1) + Wire.bytes(9, fingerprint.bytes)
  if let threshold { bytes += Wire.double(17, threshold) }
  let digest = digest ?? Digest(of: parts.map { Digest(of: $0) })
  bytes += Wire.bytes(18, digest.bytes) + Wire.number(19, UInt64(parts.count))
  for (index, part) in parts.enumerated() {
    bytes += Wire.bytes(20, Wire.number(1, UInt64(index)) + Wire.bytes(2, part))
  }
  return bytes
}
