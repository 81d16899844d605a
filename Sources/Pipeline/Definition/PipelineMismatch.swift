import Topics

/// A pipeline file that does not match what is on the topics.
public struct PipelineMismatch: Error, CustomStringConvertible {
  /// Where the other definition is, and the lines that differ.
  public let description: String

  init(pipeline: Pipeline, found definition: String, where place: String) {
    description = """
      the pipeline file does not match \(place) of pipeline '\(pipeline.name)'; \
      lines with - are there, lines with + are in the file:
      \(pipeline.difference(from: definition))
      Parameters made under one definition fit no other: give the pipeline another name, or \
      use another folder of topics.
      """
  }

  /// Under which key a scorer keeps its pipeline's definition.
  static let definitionKey = "definition"

  /// Checks that events were scored by `pipeline`'s file, if any were.
  static func check(_ pipeline: Pipeline, againstScorerOf log: any TopicLog) throws {
    let role = PipelineTopics(pipeline: pipeline.name).scorer
    guard let bytes = try log.state(definitionKey, role: role) else { return }
    let definition = String(decoding: bytes, as: UTF8.self)
    guard definition != pipeline.definition else { return }
    throw PipelineMismatch(pipeline: pipeline, found: definition, where: "the scored events")
  }
}
