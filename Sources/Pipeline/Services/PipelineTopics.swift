import Topics

/// The topics of a pipeline: their names and who writes them.
///
/// Events and labels are shared by all pipelines of a log. What a pipeline's scorer and trainer
/// write is theirs alone, so that pipelines side by side neither wait for nor fence each other.
public struct PipelineTopics: Sendable {
  /// One JSON object a record, for all pipelines.
  public static let events = TopicPartition("events")
  /// What events turned out to be, one JSON object a record, for all pipelines.
  public static let labels = TopicPartition("labels")
  /// Blocks of events as they were scored, see `ScoredBlock`.
  public static let scored = TopicPartition("scored")
  /// One JSON object an event.
  public static let decisions = TopicPartition("decisions")
  /// Parameter updates or their pieces, see `UpdateChunks`.
  public static let models = TopicPartition("models")
  /// What was refused and why, one JSON object a record.
  public static let deadLetters = TopicPartition("dead-letters")

  /// All topics by name.
  public static let names = [events, labels, scored, decisions, models, deadLetters].map(\.topic)

  /// Writes `scored`, `decisions` and the dead letters of `events`.
  public let scorer: WriterRole
  /// Writes `models` and the dead letters of `labels`.
  public let trainer: WriterRole

  /// The topics of the pipeline of this name.
  public init(pipeline: String) {
    scorer = WriterRole("scorer-\(pipeline)")
    trainer = WriterRole("trainer-\(pipeline)")
  }

  /// Under which name the scorer's position in `events` is kept, by its role.
  public static let scorerGroup = "scorer"
  /// Under which name a trainer and a scorer say how far they have read `labels`, which is further
  /// than what they have to read again: a repair gives no offset before that to another label.
  public static let readGroup = "read"
  /// Under which name the scorer says from where on it needs `events`, `labels` and `scored` to
  /// restore what its features remember.
  public static let memoryGroup = "memory"
  /// Under which name the trainer's positions in `scored` and `labels` are kept, by its role.
  public static let trainerGroup = "trainer"

  /// The role that producers write as: `events` and `labels`.
  public static let producers = WriterRole.producers
}
