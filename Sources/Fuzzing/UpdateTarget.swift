import Features
import LinearAlgebra
import ModelLog
import Pipeline

/// The reader of parameter updates: records, messages, parameters.
public struct UpdateTarget: FuzzTarget {
  /// As the command line names it.
  public static let name = "update"
  /// Sound inputs to start from.
  public let seeds: [[UInt8]]
  /// Pieces that inputs are made of.
  public let tokens: [[UInt8]]

  private let fingerprint: Digest
  /// What mutants are applied to: versions of each model that deltas among the seeds build on.
  private let served: [ServedModel]

  // Numbers of fields in parameter_update.proto.
  private static let digest: UInt64 = 18
  private static let part: UInt64 = 20
  private static let partContent: UInt64 = 2

  /// Of the pipeline below, with the hashed one and without.
  private static let featureCounts = 3...4

  /// The reader, with updates of all kinds of models that an engine has made.
  public init() throws {
    let text = """
      pipeline: fuzz
      events: {id: id, time: time, fields: {x: number, y: number, shop: category}}
      label: {field: label}
      features: [{number: x}, {log: y}, {time: hour}, {sparse: shop}]
      models:
        fraud: {kind: logistic-regression, batch: 16, hash_bits: 6}
        clusters: {kind: k-means, clusters: 3, batch: 16}
        outlier: {kind: isolation-forest, trees: 6, sample_size: 16, replace_every: 32, batch: 16}
      decisions: {by: [fraud], budget: 1 %}
      publish: {every: 64, snapshot_every: 4}

      """
    let pipeline = try Pipeline(yaml: text, path: "fuzz.yaml")
    fingerprint = pipeline.fingerprint
    let decoder = EventDecoder(schema: pipeline.schema, readsLabel: true)
    var scoring = ScoringEngine(pipeline: pipeline)
    var training = TrainingEngine(pipeline: pipeline, epoch: 1)
    var block = EventBlock(schema: pipeline.schema, capacity: 64)
    var updates: [ParameterUpdate] = []
    var served: [ServedModel] = []
    for start in stride(from: 0, to: 640, by: 64) {
      block.removeAll()
      for number in start..<start + 64 {
        // A few sweeps through a small grid: enough for every learner.
        let json =
          "{\"id\":\(number),\"time\":\(1_600_000_000 + number * 600),\"x\":\(number % 13),"
          + "\"y\":\(number * number % 101),\"shop\":\"s\(number % 7)\"}"
        try Array(json.utf8).withUnsafeBytes {
          try decoder.decode(json: $0, position: 0, timestamp: 0, into: &block)
        }
      }
      let scored = scoring.score(block)
      training.observe(scored)
      for row in 0..<scored.rows {
        training.label(
          id: Array(scored.id(row)), row % 7 == 0 ? .positive : .negative, time: scored.time(row))
      }
      let made = training.takeUpdates(
        time: 1_700_000_000_000, positions: [.init(topic: "scored", partition: 0, offset: 9)])
      for update in made { try scoring.apply(update) }
      updates += made
      // Later deltas build on what is served in the middle.
      if start == 320 { served = scoring.served.compactMap { $0 } }
    }
    self.served = served
    // Snapshots and what applies to the versions served.
    let chosen = updates.filter { update in
      update.header.isSnapshot
        || served.contains {
          $0.header.model == update.header.model && $0.header.version == update.header.base
        }
    }
    seeds = chosen.suffix(12).flatMap { [$0.encode()] + UpdateChunks.split($0) }
    tokens =
      ["fuzz", "fraud", "clusters", "outlier", "k-means", "isolation-forest"].map {
        Array($0.utf8)
      } + [
        [0x08], [0x12, 0x00], [0xa2, 0x01], [0xff, 0xff, 0xff, 0xff, 0x0f], [0x92, 0x01, 0x20],
      ]
  }

  /// Reads an input and checks what came of it.
  public mutating func read(_ input: [UInt8]) throws -> String {
    var assembler = UpdateAssembler()
    var outcome: String
    do {
      switch try input.withUnsafeBytes({ try assembler.take($0) }) {
      case .incomplete: outcome = "record incomplete"
      case .withheld(let withheld): outcome = "record withheld \(withheld.actionText.isEmpty)"
      case .update(let update): outcome = "record whole" + (try apply(update))
      }
    } catch let error as UpdateError { outcome = "record \(error.code)" }
    do {
      let update = try ParameterUpdate(bytes: input)
      outcome += " message" + (try apply(update))
    } catch let error as UpdateError {
      outcome += " message \(reason(error))"
    }
    return outcome
  }

  /// Malformed parameters are malformed in many ways; other refusals name versions and digests.
  private func reason(_ error: UpdateError) -> String {
    let text = error.code == .corrupt ? error.description.filter { !$0.isNumber } : ""
    return "\(error.code) \(text)"
  }

  private func apply(_ update: ParameterUpdate) throws -> String {
    let bytes = update.encode()
    let again = try ParameterUpdate(bytes: bytes)
    try Finding.unless(again.encode() == bytes, "written and read again it is another update")
    try Finding.unless(
      again.digest == update.digest && again.partCount == update.partCount, "digest or parts lost")
    var outcomes: [String] = []
    let base = served.first { $0.header.model == update.header.model }
    for served in base == nil ? [nil] : [nil, base] {
      do {
        switch try ServedModel.apply(update, to: served, fingerprint: fingerprint) {
        case .known: outcomes.append("known")
        case .applied(let model):
          try check(model, update)
          outcomes.append("applied \(update.header.kind)")
        }
      } catch let error as UpdateError {
        outcomes.append(reason(error))
      }
    }
    return " " + outcomes.joined(separator: ", ")
  }

  private func check(_ model: ServedModel, _ update: ParameterUpdate) throws {
    try Finding.unless(model.parameters.isFinite, "parameters that are not finite are served")
    try Finding.unless(
      model.digest == update.digest && Digest(of: model.partDigests) == update.digest,
      "the digest is not that of the parameters")
    _ = model.namedParameters
    // A scorer refuses parameters for another number of features than its own.
    guard Self.featureCounts.contains(model.parameters.featureCount) else { return }
    for row in [0.0, 1, -1, 1e30, -1e30, 1e-30] {
      var features = Matrix(columns: model.parameters.featureCount, capacity: 1)
      features.append([Double](repeating: row, count: model.parameters.featureCount))
      var scores: [Float] = [.nan]
      model.parameters.score(features, into: &scores)
      try Finding.unless((0...1).contains(scores[0]), "a score of \(scores[0])")
      _ = model.parameters.contributions(row: 0, of: features)
    }
  }

  /// Makes a mutant that is not refused at once.
  public func mend(_ input: [UInt8], random: inout Mutator) -> [UInt8] {
    guard random.random.below(4) > 0 else { return input }
    var message = ProtobufFields(input)
    guard !message.fields.isEmpty else { return input }
    // Now and then a field is lost, doubled or changes places.
    if random.random.below(4) == 0 {
      let from = random.random.below(message.fields.count)
      let to = random.random.below(message.fields.count)
      switch random.random.below(3) {
      case 0: message.fields.swapAt(from, to)
      case 1: message.fields.insert(message.fields[from], at: to)
      default: message.fields.remove(at: from)
      }
    }
    let parts = message.fields.filter { $0.number == Self.part && $0.wireType == 2 }.map {
      Digest(of: ProtobufFields($0.content).content(Self.partContent) ?? [])
    }
    let digest = Digest(of: parts).bytes
    for index in message.fields.indices where message.fields[index].number == Self.digest {
      message.fields[index].content = digest
    }
    return message.bytes
  }
}
