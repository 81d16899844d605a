import ModelLog
import Topics

/// What verifying and repairing a folder of topics has to know about what pipelines write: whether
/// a record makes sense, what records and positions prove of other roles, and what follows from a
/// loss.
public final class TopicInspector {
  private var assemblers: [WriterRole: UpdateAssembler] = [:]
  private var evidence = TopicMaintenance.Evidence()

  /// An inspector that has seen nothing yet; it is used for one reading of a folder.
  public init() {}

  /// What is wrong with a record, nil if nothing: a piece of an update on `models` that is none, or
  /// a block on `scored` that is none.
  public func check(role: WriterRole, partition: TopicPartition, record: RecordView) -> String? {
    switch partition {
    case PipelineTopics.models:
      do {
        if case .update(let update) = try assemblers[role, default: UpdateAssembler()].take(
          record.value)
        {
          note(update.header, by: role)
        }
      } catch { return "\(error)" }
    case PipelineTopics.scored:
      let block: ScoredBlock
      do { block = try ScoredBlock(bytes: [UInt8](record.value)) } catch { return "\(error)" }
      guard let topics = PipelineTopics(role: role) else { return nil }
      for version in block.versions { note(epoch: version.epoch, of: topics.trainer) }
    default: break
    }
    return nil
  }

  /// What is known of roles from the records checked and from the positions of others.
  public func gather(_ roles: [RoleReport]) -> TopicMaintenance.Evidence {
    for role in roles {
      for position in role.positions {
        note(end: position.offset, of: position.partition, readBy: role.role)
      }
    }
    return evidence
  }

  private func note(_ header: ParameterUpdate.Header, by role: WriterRole) {
    note(epoch: header.epoch, of: role)
    for position in header.positions {
      note(
        end: position.offset, of: TopicPartition(position.topic, partition: position.partition),
        readBy: role)
    }
  }

  private func note(epoch: UInt64, of role: WriterRole) {
    guard epoch > 0 else { return }
    evidence.epochs[role] = max(evidence.epochs[role] ?? 0, epoch)
  }

  private func note(end: UInt64, of partition: TopicPartition, readBy role: WriterRole) {
    guard let writer = PipelineTopics.writer(of: partition, for: role) else { return }
    let known = evidence.ends[writer]?[partition] ?? 0
    evidence.ends[writer, default: [:]][partition] = max(known, end)
  }

  /// What follows from a loss, for people; nil if that is plain.
  public static func consequence(of loss: TopicFinding) -> String? {
    guard let role = loss.role else { return nil }
    if let key = loss.key { return consequence(ofValue: key, role) }
    switch loss.partition {
    case PipelineTopics.events: return "events that had no decision yet get none"
    case PipelineTopics.labels: return "labels that were not learnt yet are not learnt"
    case PipelineTopics.scored: return "what was not learnt yet is not learnt"
    case PipelineTopics.decisions: return "the events were decided and are not decided again"
    case PipelineTopics.models:
      return "versions in them cannot be rebuilt, nor those up to the next snapshot"
    case PipelineTopics.deadLetters: return "what was refused cannot be shown or replayed"
    default: return nil
    }
  }

  private static func consequence(ofValue key: String, _ role: WriterRole) -> String? {
    let words = key.split(separator: " ").map(String.init)
    switch words.first {
    case "positions":
      let topic = words.count == 4 ? "'\(words[2])'" : "its topics"
      return "'\(role)' begins at the start of \(topic) and does again what it has done"
    case "state" where role.name.hasPrefix("trainer-"):
      return "'\(role)' cannot resume without it; with --drop-state \(role) it begins anew"
    default: return nil
    }
  }
}

extension PipelineTopics {
  /// The topics of the pipeline that a scorer or trainer works for; nil for other roles.
  init?(role: WriterRole) {
    for prefix in ["scorer-", "trainer-"] where role.name.hasPrefix(prefix) {
      self.init(pipeline: String(role.name.dropFirst(prefix.count)))
      return
    }
    return nil
  }

  /// Who writes a partition that a scorer or trainer reads; nil if that cannot be told.
  static func writer(of partition: TopicPartition, for reader: WriterRole) -> WriterRole? {
    switch partition {
    case events, labels: producers
    case scored: PipelineTopics(role: reader)?.scorer
    case models: PipelineTopics(role: reader)?.trainer
    default: nil
    }
  }
}
