import Learners
import SwiftProtobuf

/// Between a learner's parameters and the parts of an update.
enum ParameterCodec {
  /// Encodes parameters.
  /// - Parameter previous: the last encoding of the same model, whose unchanged parts are reused.
  static func encode(
    _ parameters: any ModelParameters, reusing previous: EncodedParameters?
  ) -> EncodedParameters {
    switch parameters {
    case let logistic as LogisticParameters: encode(logistic)
    case let clusters as KMeansParameters: encode(clusters)
    case let forest as IsolationForestParameters: encode(forest, reusing: previous)
    default: preconditionFailure("no encoding for \(type(of: parameters))")
    }
  }

  /// Decodes parameters.
  /// - Parameter previous: what is being served: parts that did not change are taken from it.
  static func decode(
    _ encoded: EncodedParameters,
    reusing previous: (encoded: EncodedParameters, parameters: any ModelParameters)?
  ) throws(UpdateError) -> any ModelParameters {
    switch encoded.kind {
    case .logisticRegression: try decodeLogistic(encoded.parts)
    case .kMeans: try decodeClusters(encoded.parts)
    case .isolationForest:
      try decodeForest(
        encoded.parts, reusing: previous?.encoded.parts,
        of: previous?.parameters as? IsolationForestParameters)
    }
  }

  // MARK: Logistic regression

  private static func encode(_ parameters: LogisticParameters) -> EncodedParameters {
    var weights = Weir_V1_LinearWeights()
    weights.intercept = parameters.intercept
    weights.weights = parameters.weights
    return EncodedParameters(
      kind: .logisticRegression,
      parts: [part(message(parameters.standardisation)), part(weights)]
        + (parameters.hashed.map { [part(message($0))] } ?? []))
  }

  private static func decodeLogistic(
    _ parts: [EncodedParameters.Part]
  ) throws(UpdateError) -> LogisticParameters {
    guard (2...3).contains(parts.count) else {
      throw corrupt("a logistic regression has 2 or 3 parts")
    }
    let weights: Weir_V1_LinearWeights = try parse(parts[1])
    let standardisation = try standardisation(parts[0])
    guard standardisation.featureCount == weights.weights.count else {
      throw corrupt("as many weights as standardised features")
    }
    return LogisticParameters(
      standardisation: standardisation, weights: weights.weights, intercept: weights.intercept,
      hashed: parts.count > 2 ? try hashedWeights(parts[2]) : nil)
  }

  private static func message(_ hashed: HashedWeights) -> Weir_V1_HashedWeights {
    var message = Weir_V1_HashedWeights()
    message.bits = UInt32(hashed.bits)
    message.columns = UInt32(hashed.columns)
    let entries = hashed.table.indices.filter { hashed.table[$0] != 0 }
    var previous = 0
    message.gap = entries.map { entry in
      defer { previous = entry }
      return UInt32(entry - previous)
    }
    message.weight = entries.map { hashed.table[$0] }
    return message
  }

  private static func hashedWeights(
    _ part: EncodedParameters.Part
  ) throws(UpdateError) -> HashedWeights {
    let message: Weir_V1_HashedWeights = try parse(part)
    guard (1...HashedWeightsOptions.largestBits).contains(Int(message.bits)),
      message.columns > 0, message.columns <= 1 << 20, message.gap.count == message.weight.count
    else { throw corrupt("a table of hashed weights of impossible size") }
    var table = [Float](repeating: 0, count: 1 << Int(message.bits))
    var entry = 0
    for (place, (gap, weight)) in zip(message.gap, message.weight).enumerated() {
      guard gap > 0 || place == 0, weight != 0, Int(gap) < table.count - entry else {
        throw corrupt("hashed weights out of order or beyond their table")
      }
      entry += Int(gap)
      table[entry] = weight
    }
    return HashedWeights(columns: Int(message.columns), table: table)
  }

  // MARK: k-means

  private static func encode(_ parameters: KMeansParameters) -> EncodedParameters {
    let width = parameters.featureCount
    return EncodedParameters(
      kind: .kMeans,
      parts: [part(message(parameters.standardisation))]
        + (0..<parameters.clusterCount).map { cluster in
          var centre = Weir_V1_Centre()
          centre.centre = Array(parameters.centres[cluster * width..<(cluster + 1) * width])
          centre.spread = parameters.spreads[cluster]
          centre.weight = parameters.weights[cluster]
          return part(centre)
        })
  }

  private static func decodeClusters(_ parts: [EncodedParameters.Part]) throws(UpdateError)
    -> KMeansParameters
  {
    guard parts.count >= 2 else { throw corrupt("k-means has at least 2 parts") }
    let standardisation = try standardisation(parts[0])
    var centres: [Double] = []
    var spreads: [Double] = []
    var weights: [Double] = []
    for part in parts.dropFirst() {
      let centre: Weir_V1_Centre = try parse(part)
      guard centre.centre.count == standardisation.featureCount else {
        throw corrupt("as many coordinates as standardised features")
      }
      centres += centre.centre
      spreads.append(centre.spread)
      weights.append(centre.weight)
    }
    return KMeansParameters(
      standardisation: standardisation, centres: centres, spreads: spreads, weights: weights)
  }

  // MARK: Isolation forest

  private static func encode(
    _ parameters: IsolationForestParameters, reusing previous: EncodedParameters?
  ) -> EncodedParameters {
    var header = Weir_V1_ForestHeader()
    header.sampleSize = UInt32(parameters.sampleSize)
    var parts = [part(header)]
    parts.reserveCapacity(parameters.trees.count + 1)
    for (index, tree) in parameters.trees.enumerated() {
      if let previous, index + 1 < previous.parts.count,
        previous.parts[index + 1].serial == tree.serial
      {
        parts.append(previous.parts[index + 1])
      } else {
        parts.append(part(message(tree), serial: tree.serial))
      }
    }
    return EncodedParameters(kind: .isolationForest, parts: parts)
  }

  private static func decodeForest(
    _ parts: [EncodedParameters.Part], reusing previous: [EncodedParameters.Part]?,
    of forest: IsolationForestParameters?
  ) throws(UpdateError) -> IsolationForestParameters {
    guard parts.count >= 2 else { throw corrupt("a forest has at least 2 parts") }
    let header: Weir_V1_ForestHeader = try parse(parts[0])
    let trees = try (1..<parts.count).map { (index) throws(UpdateError) in
      if let previous, let forest, index < previous.count,
        previous[index].digest == parts[index].digest
      {
        return forest.trees[index - 1]
      }
      return try tree(parts[index])
    }
    do {
      return try IsolationForestParameters(sampleSize: Int(header.sampleSize), trees: trees)
    } catch {
      throw corrupt("\(error)")
    }
  }

  private static func message(_ tree: IsolationTree) -> Weir_V1_Tree {
    var message = Weir_V1_Tree()
    message.serial = tree.serial
    message.sampleSize = UInt32(tree.sampleSize)
    message.typical = tree.typical
    message.feature = tree.features
    message.threshold = tree.thresholds
    message.child = tree.children
    message.value = tree.values
    return message
  }

  private static func tree(_ part: EncodedParameters.Part) throws(UpdateError) -> IsolationTree {
    let message: Weir_V1_Tree = try parse(part)
    do {
      return try IsolationTree(
        serial: message.serial, sampleSize: Int(message.sampleSize), typical: message.typical,
        features: message.feature, thresholds: message.threshold, children: message.child,
        values: message.value)
    } catch {
      throw corrupt("\(error)")
    }
  }

  // MARK: Shared

  private static func message(_ standardisation: Standardisation) -> Weir_V1_Standardisation {
    var message = Weir_V1_Standardisation()
    message.mean = standardisation.mean
    message.scale = standardisation.scale
    // The same bytes, and so the same digests, as before there was a choice.
    if standardisation.limit != Standardisation.usualLimit { message.limit = standardisation.limit }
    message.soft = standardisation.isSoft
    return message
  }

  private static func standardisation(_ part: EncodedParameters.Part) throws(UpdateError)
    -> Standardisation
  {
    let message: Weir_V1_Standardisation = try parse(part)
    guard message.mean.count == message.scale.count else {
      throw corrupt("as many means as scales")
    }
    return Standardisation(
      mean: message.mean, scale: message.scale,
      limit: message.hasLimit ? message.limit : Standardisation.usualLimit,
      isSoft: message.soft)
  }

  private static func part(
    _ message: some SwiftProtobuf.Message, serial: UInt64? = nil
  ) -> EncodedParameters.Part {
    // These messages have no required fields, the only thing that could fail.
    EncodedParameters.Part(try! message.serializedBytes(), serial: serial)
  }

  private static func parse<M: SwiftProtobuf.Message>(_ part: EncodedParameters.Part)
    throws(UpdateError) -> M
  {
    do { return try M(serializedBytes: part.content) } catch {
      throw corrupt("a part that does not parse")
    }
  }

  private static func corrupt(_ reason: String) -> UpdateError {
    UpdateError(.corrupt, "malformed parameters: \(reason)")
  }
}
