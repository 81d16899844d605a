import ModelLog
import Pipeline
import Topics

/// All versions on a folder's `models` topic, each rebuilt in turn.
struct Versions {
  struct Version {
    var epoch: UInt64
    var digest: Digest
    /// When it was made, ms since 1970.
    var time: Int64
  }

  /// By model, version 1 first.
  private(set) var published: [String: [Version]] = [:]
  /// By model, the newest version.
  private(set) var served: [String: ServedModel] = [:]
  /// Updates that took several records.
  private(set) var chunked = 0

  /// Reads the topic from its start.
  /// - Returns: what is wrong with it, nil if nothing is.
  mutating func read(log: EmbeddedLog, pipeline: Pipeline) throws -> String? {
    var objection: String?
    func object(_ text: String) { objection = objection ?? text }
    try ModelHistory(log: log).forEach(pipeline: pipeline.name) { record in
      switch record.content {
      case .refused(let error): object("\(error)")
      case .withheld(let withheld): object("withheld: \(withheld.reason)")
      case .update(let update):
        let header = update.header
        let before = published[header.model] ?? []
        if header.version != UInt64(before.count) + 1 {
          object("\(header.name) comes after version \(before.count)")
        }
        if let last = before.last, header.epoch < last.epoch {
          object("\(header.name) is of epoch \(header.epoch), the one before of \(last.epoch)")
        }
        if UpdateChunks.split(update).count > 1 { chunked += 1 }
        published[header.model, default: []].append(
          Version(epoch: header.epoch, digest: update.digest, time: header.time))
        do {
          let outcome = try ServedModel.apply(
            update, to: served[header.model], fingerprint: pipeline.fingerprint)
          guard case .applied(let next) = outcome else {
            return object("\(header.name) came twice")
          }
          served[header.model] = next
        } catch { object("\(error)") }
      }
    }
    for model in pipeline.models where published[model.name] == nil {
      object("\(model.name) has no version")
    }
    return objection
  }
}
