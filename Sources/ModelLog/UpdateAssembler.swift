import SwiftProtobuf

/// Puts the chunks of updates together as they come off the topic.
///
/// What it holds is bounded whatever comes: so many updates begun, so many pieces an update, so
/// many bytes in all.
public struct UpdateAssembler {
  /// What a record led to.
  public enum Result: Sendable {
    /// It is a piece of an update whose other pieces are to come, or that was refused before.
    case incomplete
    /// It completes an update.
    case update(ParameterUpdate)
    /// It says that an update was withheld.
    case withheld(WithheldUpdate)

    /// The update that is complete now, if one is.
    public var update: ParameterUpdate? {
      if case .update(let update) = self { update } else { nil }
    }
  }

  /// The most updates that are begun at once: one a model.
  public static let largestBegun = 256
  /// The most pieces an update has.
  public static let largestPieceCount = 65_536
  /// The most bytes of all pieces that are held.
  public static let largestByteCount = 512 << 20

  private struct Pending {
    var subject: UpdateError.Subject
    var count: UInt32
    var checksum: [UInt8]
    var bodies: [[UInt8]]
    var byteCount: Int { bodies.reduce(0) { $0 + $1.count } }
  }

  private struct Key: Hashable {
    var pipeline: String
    var model: String
  }

  /// The update that is half here, by model.
  private var pending: [Key: Pending] = [:]
  private var heldBytes = 0
  /// Updates that were refused at one of their pieces: the others say nothing new.
  private var refused: [Key: UpdateError.Subject] = [:]

  /// An assembler that holds no piece yet. It may start anywhere on the topic.
  public init() {}

  /// Takes the next record; gives an update once all its chunks are there. A withheld update's
  /// record may stand anywhere, also between them.
  /// - Parameter unfinished: gets the error of an update that was begun and that another one of
  ///   its model now takes the place of: its missing pieces will not come.
  /// - Throws: `UpdateError` for a record that is not a chunk, does not continue the update before
  ///   it, or completes one that is none. The assembler goes on with the next; further pieces of a
  ///   refused update are passed over.
  public mutating func take(
    _ record: UnsafeRawBufferPointer, unfinished: (UpdateError) throws -> Void = { _ in }
  ) throws -> Result {
    let chunk: Weir_V1_UpdateChunk
    do { chunk = try Weir_V1_UpdateChunk(serializedBytes: [UInt8](record)) } catch {
      throw UpdateError(.corrupt, "not a piece of an update")
    }
    if chunk.hasWithheld {
      guard chunk.count == 0, chunk.body.isEmpty else {
        throw UpdateError(
          .corrupt, "\(chunk.subject): a piece and a withheld update", subject: chunk.subject)
      }
      return .withheld(try withheld(chunk))
    }
    let key = Key(pipeline: chunk.pipeline, model: chunk.model)
    guard chunk.index < chunk.count else {
      throw UpdateError(
        .corrupt, "\(chunk.subject): piece \(chunk.index) of \(chunk.count)",
        subject: chunk.subject)
    }
    if chunk.index == 0, let abandoned = abandon(key, for: chunk) { try unfinished(abandoned) }
    guard refused[key] != chunk.subject || chunk.index == 0 else { return .incomplete }
    do throws(UpdateError) {
      guard let update = try add(chunk, key) else { return .incomplete }
      return .update(update)
    } catch {
      if pending[key]?.subject == chunk.subject { drop(key) }
      // Beyond the bound, further pieces are reported one by one: hostile, but harmless.
      if refused.count < Self.largestBegun { refused[key] = chunk.subject }
      throw error.about(chunk.subject)
    }
  }

  private func withheld(_ chunk: Weir_V1_UpdateChunk) throws(UpdateError) -> WithheldUpdate {
    let subject = UpdateError.Subject(
      pipeline: chunk.pipeline, model: chunk.model, epoch: chunk.epoch)
    do throws(UpdateError) {
      let withheld = try WithheldUpdate(chunk.withheld)
      guard withheld.pipeline == chunk.pipeline, withheld.model == chunk.model,
        withheld.epoch == chunk.epoch
      else { throw UpdateError(.corrupt, "\(subject): a withheld update of another model") }
      return withheld
    } catch { throw error.about(subject) }
  }

  /// Gives up the update that is half here: the chunk begins one.
  private mutating func abandon(_ key: Key, for chunk: Weir_V1_UpdateChunk) -> UpdateError? {
    guard let begun = pending[key] else { return nil }
    drop(key)
    return UpdateError(
      .incomplete,
      "\(begun.subject): \(begun.bodies.count) of \(begun.count) pieces, then \(chunk.subject)",
      subject: begun.subject)
  }

  private mutating func drop(_ key: Key) {
    if let dropped = pending.removeValue(forKey: key) { heldBytes -= dropped.byteCount }
  }

  private mutating func add(
    _ chunk: Weir_V1_UpdateChunk, _ key: Key
  ) throws(UpdateError) -> ParameterUpdate? {
    let subject = chunk.subject
    guard chunk.count <= Self.largestPieceCount else {
      throw UpdateError(.tooLarge, "\(subject): \(chunk.count) pieces")
    }
    var update: Pending
    if let begun = pending[key] {
      guard begun.count == chunk.count, begun.checksum == [UInt8](chunk.checksum) else {
        throw UpdateError(.corrupt, "\(subject): pieces of different updates of this version")
      }
      guard chunk.index == begun.bodies.count else {
        throw UpdateError(
          chunk.index < begun.bodies.count ? .outOfOrder : .incomplete,
          "\(subject): piece \(chunk.index) of \(chunk.count) after \(begun.bodies.count - 1)")
      }
      update = begun
    } else {
      guard chunk.index == 0 else {
        throw UpdateError(
          .incomplete,
          "\(subject): piece \(chunk.index) of \(chunk.count) without the ones before it")
      }
      guard pending.count < Self.largestBegun else {
        throw UpdateError(.tooLarge, "\(subject): \(pending.count) updates are begun")
      }
      refused[key] = nil
      update = Pending(
        subject: subject, count: chunk.count, checksum: [UInt8](chunk.checksum), bodies: [])
    }
    guard heldBytes + chunk.body.count <= Self.largestByteCount else {
      throw UpdateError(.tooLarge, "\(subject): over \(Self.largestByteCount) bytes of pieces")
    }
    update.bodies.append([UInt8](chunk.body))
    guard update.bodies.count == update.count else {
      heldBytes += chunk.body.count
      pending[key] = update
      return nil
    }
    drop(key)
    return try complete(update)
  }

  private func complete(_ pending: Pending) throws(UpdateError) -> ParameterUpdate {
    let bodies = pending.bodies
    let bytes = bodies.count == 1 ? bodies[0] : Array(bodies.joined())
    guard blake2b(bytes, count: 16) == pending.checksum else {
      throw UpdateError(.corrupt, "\(pending.subject): does not match its checksum")
    }
    let update: ParameterUpdate
    do throws(UpdateError) { update = try ParameterUpdate(bytes: bytes) } catch {
      throw UpdateError(
        error.code, "\(pending.subject): \(error.description)", subject: pending.subject)
    }
    let inside = UpdateError.Subject(update.header)
    guard inside == pending.subject else {
      throw UpdateError(
        .corrupt,
        "\(pending.subject) of epoch \(pending.subject.epoch ?? 0) is, inside, \(inside) of epoch "
          + "\(inside.epoch ?? 0)")
    }
    return update
  }
}

extension Weir_V1_UpdateChunk {
  fileprivate var subject: UpdateError.Subject {
    .init(pipeline: pipeline, model: model, epoch: epoch, version: version)
  }
}
