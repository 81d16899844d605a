import Learners
import ModelLog

/// The newest sound version of each of a pipeline's models, as it can be rebuilt from a few updates.
struct NewestParameters {
  /// A version, and where its update stands.
  struct Found {
    var model: ServedModel
    var offset: UInt64
  }

  /// By index of the model; nil where there is none.
  private(set) var found: [Found?]
  /// What was refused on the way, by offset.
  private(set) var refused: [ModelRecord]

  /// Rebuilds what `candidates` hold.
  init(of pipeline: Pipeline, from candidates: UpdateCandidates) {
    found = []
    refused = candidates.refused
    for model in pipeline.models {
      found.append(candidates.newest(of: model.name, pipeline: pipeline) { refused.append($0) })
    }
    refused.sort { $0.offset < $1.offset }
  }

  /// The versions, in the pipeline's order of models.
  var served: [ServedModel] { found.compactMap { $0?.model } }
}

/// Updates that were found on the topic, in whatever order: from them each model's newest version is
/// rebuilt.
struct UpdateCandidates {
  private struct Number: Hashable, Comparable {
    var epoch: UInt64
    var version: UInt64

    static func < (a: Number, b: Number) -> Bool { (a.epoch, a.version) < (b.epoch, b.version) }
  }

  private struct Candidate {
    var update: ParameterUpdate
    var offset: UInt64
  }

  private var updates: [String: [Number: Candidate]] = [:]
  /// What is no update.
  private(set) var refused: [ModelRecord] = []
  /// The snapshot that stands last on the topic, of whichever model.
  private(set) var lastSnapshot: (update: ParameterUpdate, offset: UInt64)?

  /// Snapshots of a model that are kept with what follows them.
  private static let kept = 3

  mutating func add(_ record: ModelRecord) {
    switch record.content {
    case .withheld: break
    case .refused:
      if !refused.contains(where: { $0.offset == record.offset }) { refused.append(record) }
    case .update(let update):
      let header = update.header
      let number = Number(epoch: header.epoch, version: header.version)
      // The first of two that claim to be the same version stands, as for whoever followed.
      if updates[header.model]?[number] == nil {
        updates[header.model, default: [:]][number] = .init(update: update, offset: record.offset)
      }
      guard header.isSnapshot else { break }
      if lastSnapshot.map({ record.offset >= $0.offset }) ?? true {
        lastSnapshot = (update, record.offset)
      }
      forgetOld(header.model)
    }
  }

  private mutating func forgetOld(_ model: String) {
    let snapshots = updates[model]!.filter { $0.value.update.header.isSnapshot }.keys.sorted()
    guard snapshots.count > Self.kept else { return }
    let oldest = snapshots[snapshots.count - Self.kept]
    updates[model] = updates[model]!.filter { $0.key >= oldest }
  }

  /// The newest version that can be rebuilt: from the newest sound snapshot, delta by delta.
  func newest(
    of model: String, pipeline: Pipeline, refused: (ModelRecord) -> Void
  ) -> NewestParameters.Found? {
    guard let updates = updates[model] else { return nil }
    func applied(_ candidate: Candidate, to served: ServedModel?) -> NewestParameters.Found? {
      do throws(UpdateError) {
        return try pipeline.applying(candidate.update, to: served).map {
          .init(model: $0, offset: candidate.offset)
        }
      } catch {
        refused(.init(offset: candidate.offset, content: .refused(error)))
        return nil
      }
    }
    let snapshots = updates.filter { $0.value.update.header.isSnapshot }
    for (number, snapshot) in snapshots.sorted(by: { $1.key < $0.key }) {
      guard var found = applied(snapshot, to: nil) else { continue }
      var next = number
      next.version += 1
      while let delta = updates[next], let following = applied(delta, to: found.model) {
        found = following
        next.version += 1
      }
      return found
    }
    return nil
  }
}

extension Pipeline {
  /// What is served of one of the pipeline's models once an update is applied; nil if it was applied
  /// before.
  /// - Throws: `UpdateError` when the update is refused; what is served stays.
  func applying(
    _ update: ParameterUpdate, to served: ServedModel?
  ) throws(UpdateError) -> ServedModel? {
    guard
      case .applied(let next) = try ServedModel.apply(update, to: served, fingerprint: fingerprint)
    else { return nil }
    try check(next)
    return next
  }

  /// Checks that a version can score the pipeline's events.
  func check(_ model: ServedModel) throws(UpdateError) {
    guard let index = modelIndex(model.header.model) else { return }
    let count = models[index].learner.featureCount(of: plan)
    guard model.parameters.featureCount == count else {
      throw UpdateError(
        .corrupt,
        "\(model.header.name) has \(model.parameters.featureCount) features, the pipeline has "
          + "\(count)", subject: .init(model.header))
    }
    let hashed = (model.parameters as? LogisticParameters)?.hashed?.columns ?? 0
    guard hashed == count - plan.denseCount else {
      throw UpdateError(
        .corrupt,
        "\(model.header.name) has \(hashed) hashed features, the pipeline has "
          + "\(count - plan.denseCount)", subject: .init(model.header))
    }
  }
}
