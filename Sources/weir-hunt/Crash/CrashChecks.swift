import Files
import ModelLog
import Pipeline
import Topics

/// Reads all topics of a run that is through and says which promises hold.
struct CrashChecks {
  /// Promises that did not hold.
  private(set) var failures = 0

  private let log: EmbeddedLog
  private let pipeline: Pipeline
  private let stream: PaymentStream
  private let topics: PipelineTopics
  private var newest: [String: ServedModel] = [:]
  /// By model, how many labelled events a version of it has scored, and how many of them are fraud.
  private var scored: [String: (events: UInt64, frauds: UInt64)] = [:]

  init(log: EmbeddedLog, pipeline: Pipeline, stream: PaymentStream) {
    self.log = log
    self.pipeline = pipeline
    self.stream = stream
    topics = PipelineTopics(pipeline: pipeline.name)
  }

  /// Prints whether a promise holds.
  /// - Parameter body: gives what speaks against it, nil if nothing does.
  mutating func check(_ promise: String, _ body: () throws -> String?) {
    let objection: String?
    do { objection = try body() } catch { objection = "\(error)" }
    if let objection {
      failures += 1
      say("  FAILS \(promise): \(objection)")
    } else {
      say("  holds \(promise)")
    }
  }

  /// Checks everything.
  /// - Parameter finish: makes the trainer learn what it has gathered in part, and publish.
  mutating func all(afterFinishing finish: () throws -> Void) throws {
    check("every transaction stands on 'events' once", events)
    check("every label stands on 'labels' once", labels)
    check("nothing became a dead letter", deadLetters)
    try finish()
    let (log, pipeline, stream) = (log, pipeline, stream)
    var versions = Versions()
    check("versions rise by one, without gap or reuse, and rebuild to their digests") {
      try versions.read(log: log, pipeline: pipeline)
    }
    newest = versions.served
    say(
      "        "
        + versions.published.sorted { $0.key < $1.key }.map { model, all in
          "\(model) \(all.count) versions of \(Set(all.map(\.epoch)).count) epochs"
        }.joined(separator: ", ") + "; \(versions.chunked) in several records")
    var agreement = Agreement(pipeline: pipeline)
    check("every transaction has one decision, and 'scored' and 'decisions' agree") {
      try agreement.read(log: log, stream: stream)
    }
    check("every version that a decision names was published with that digest") {
      for (model, named) in agreement.named {
        for (number, named) in named {
          guard let all = versions.published[model], number <= all.count,
            all[Int(number) - 1].epoch == named.epoch, all[Int(number) - 1].digest == named.digest
          else { return "\(model)@\(number) of epoch \(named.epoch), \(named.digest)" }
        }
      }
      return nil
    }
    scored = agreement.scored
    check("every label was learnt once", learnt)
  }

  // MARK: Topics

  private func events() throws -> String? {
    let reader = try log.reader(PipelineTopics.events, of: PipelineTopics.producers)
    var number = 0
    var objection: String?
    _ = try reader.read(from: reader.startOffset(), limit: .max) { record in
      let id = JSONMembers(of: [UInt8](record.value)).value(of: "TRANSACTION_ID")
      guard let id, id.elementsEqual("\(number)".utf8) else {
        objection =
          "offset \(record.offset) is transaction \(String(decoding: id ?? [], as: UTF8.self))"
        return false
      }
      number += 1
      return true
    }
    return objection ?? (number == stream.count ? nil : "\(number) of \(stream.count)")
  }

  private func labels() throws -> String? {
    let reader = try log.reader(PipelineTopics.labels, of: PipelineTopics.producers)
    var isLabelled = [Bool](repeating: false, count: stream.count)
    var count = 0
    var objection: String?
    _ = try reader.read(from: reader.startOffset(), limit: .max) { record in
      let members = JSONMembers(of: [UInt8](record.value))
      let id = members.value(of: "event_id").flatMap { Int(String(decoding: $0, as: UTF8.self)) }
      guard let id, stream.isFraud.indices.contains(id), !isLabelled[id],
        members.value(of: "label")?.first == UInt8(ascii: stream.isFraud[id] ? "1" : "0")
      else {
        objection = "offset \(record.offset): \(String(decoding: record.value, as: UTF8.self))"
        return false
      }
      isLabelled[id] = true
      count += 1
      return true
    }
    return objection ?? (count == stream.count ? nil : "\(count) of \(stream.count)")
  }

  private func deadLetters() throws -> String? {
    let count = try log.describe().filter { $0.partition == PipelineTopics.deadLetters }
      .reduce(0) { $0 + $1.recordCount }
    return count == 0 ? nil : "\(count) records"
  }

  /// The trainer's own count, what its learners have counted, and its figures, which count the
  /// labels of each value.
  private func learnt() throws -> String? {
    let role = topics.trainer
    let load = { try log.state($0, role: role) }
    guard let engine = try TrainingEngine(pipeline: pipeline, epoch: 0, load: load) else {
      return "the trainer has saved no state"
    }
    let expected = UInt64(stream.count)
    let counters = engine.counters
    guard counters.examples == expected, counters.events == expected,
      counters.unlabelled == 0, counters.contradictingLabels == 0, counters.duplicateEvents == 0
    else { return "\(counters)" }
    for model in pipeline.models {
      guard let header = newest[model.name]?.header else { return "\(model.name) has no version" }
      guard header.examples == expected else {
        return "\(header.name) has learnt \(header.examples) rows"
      }
      let scored = scored[model.name] ?? (0, 0)
      guard header.figures.labelled == scored.events, header.figures.positives == scored.frauds
      else {
        return "\(header.name) counts \(header.figures.labelled) labels, of them "
          + "\(header.figures.positives) frauds, of \(scored)"
      }
    }
    return nil
  }
}
