import Features
import Files
import Learners
import LinearAlgebra
import ModelLog

/// Writes decisions as JSON. What does not change between two swaps of parameters is laid out at
/// the swap, so that an event costs little more than its numbers.
struct DecisionWriter {
  /// How many reasons a flagged model gives.
  static let reasonsPerModel = 3

  private let pipeline: Pipeline
  private var thresholds: [Float?]
  /// `"fraud":{"score":` and `,"epoch":…}` a model, empty without parameters.
  private var openings: [[UInt8]]
  private var closings: [[UInt8]]

  init(pipeline: Pipeline) {
    self.pipeline = pipeline
    let models = pipeline.models.count
    thresholds = Array(repeating: nil, count: models)
    openings = Array(repeating: [], count: models)
    closings = Array(repeating: [], count: models)
  }

  mutating func swap(model: Int, to served: ServedModel, threshold: Float?) {
    thresholds[model] = threshold
    var opening: [UInt8] = []
    opening.append(jsonString: pipeline.models[model].name)
    opening.append(":{\"score\":")
    openings[model] = opening
    var closing: [UInt8] = []
    closing.append(",\"threshold\":")
    if let threshold { closing.append(decimal: threshold) } else { closing.append("null") }
    closing.append(",\"epoch\":")
    closing.append(decimal: Int64(served.header.epoch))
    closing.append(",\"version\":")
    closing.append(decimal: Int64(served.header.version))
    closing.append(",\"digest\":\"")
    closing.append(contentsOf: served.digest.description.utf8)
    closing.append("\",\"flagged\":")
    closings[model] = closing
  }

  func write(
    row: Int, block: EventBlock, features: Matrix, scores: [[Float]],
    outcome: ScoredBlock.Outcome, isLate: Bool, served: [ServedModel?], into bytes: inout [UInt8]
  ) {
    bytes.append("{\"event_id\":")
    block.id(row).withUnsafeBytes { bytes.append(jsonString: $0) }
    bytes.append(",\"time\":\"")
    EventTime.append(block.times[row], to: &bytes)
    bytes.append("\",\"pipeline\":\"")
    bytes.append(contentsOf: pipeline.name.utf8)
    if isLate { bytes.append("\",\"late\":true") } else { bytes.append(UInt8(ascii: "\"")) }
    bytes.append(",\"status\":\"")
    switch outcome {
    case .alert: bytes.append("scored\",\"outcome\":\"alert\",\"scores\":{")
    case .pass: bytes.append("scored\",\"outcome\":\"pass\",\"scores\":{")
    case .none: bytes.append("no-parameters\",\"outcome\":\"none\",\"scores\":{")
    }
    var first = true
    var anyFlagged = false
    for model in scores.indices where !openings[model].isEmpty {
      if !first { bytes.append(UInt8(ascii: ",")) }
      first = false
      let score = scores[model][row]
      let flagged = thresholds[model].map { score >= $0 } ?? false
      anyFlagged = anyFlagged || flagged
      bytes.append(contentsOf: openings[model])
      bytes.append(decimal: score)
      bytes.append(contentsOf: closings[model])
      if flagged { bytes.append("true}") } else { bytes.append("false}") }
    }
    bytes.append("},\"reasons\":[")
    if anyFlagged { writeReasons(row: row, of: block, features, scores, served, into: &bytes) }
    bytes.append("]}")
  }

  /// What made a version's score high, strongest first.
  static func reasons(
    of version: ServedModel, row: Int, _ features: Matrix
  ) -> ArraySlice<Contribution> {
    version.parameters.contributions(row: row, of: features)
      .filter { $0.contribution > 0 && $0.contribution.isFinite }
      .sorted { ($1.contribution, $0.feature) < ($0.contribution, $1.feature) }
      .prefix(reasonsPerModel)
  }

  /// Appends a category, or a list of several.
  private func append(_ categories: [ArraySlice<UInt8>], to bytes: inout [UInt8]) {
    if categories.count > 1 { bytes.append(UInt8(ascii: "[")) }
    for (place, category) in categories.enumerated() {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      category.withUnsafeBytes { bytes.append(jsonString: $0) }
    }
    if categories.count > 1 { bytes.append(UInt8(ascii: "]")) }
  }

  private func writeReasons(
    row: Int, of block: EventBlock, _ features: Matrix, _ scores: [[Float]],
    _ served: [ServedModel?],
    into bytes: inout [UInt8]
  ) {
    var first = true
    for (model, version) in served.enumerated() {
      guard let version, let threshold = thresholds[model], scores[model][row] >= threshold else {
        continue
      }
      for reason in Self.reasons(of: version, row: row, features) {
        if !first { bytes.append(UInt8(ascii: ",")) }
        first = false
        bytes.append("{\"model\":")
        bytes.append(jsonString: pipeline.models[model].name)
        bytes.append(",\"feature\":")
        bytes.append(jsonString: pipeline.plan.names[reason.feature])
        bytes.append(",\"contribution\":")
        bytes.append(decimal: reason.contribution)
        bytes.append(",\"value\":")
        if let parts = pipeline.plan.categories(reason.feature, of: block, row: row) {
          append(parts, to: &bytes)
          bytes.append(",\"typical\":null}")
          continue
        }
        bytes.append(decimal: features[row, reason.feature])
        bytes.append(",\"typical\":")
        bytes.append(decimal: reason.typical)
        bytes.append(UInt8(ascii: "}"))
      }
    }
  }
}
