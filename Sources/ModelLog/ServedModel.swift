import Learners

/// A model as a scorer serves it: the parameters of exactly one version. A value, replaced whole.
public struct ServedModel: Sendable {
  /// Of the update applied last.
  public let header: ParameterUpdate.Header
  /// Finite, and with the digest that the update promised.
  public let parameters: any ModelParameters
  /// Of the parameters.
  public let digest: Digest
  /// Feature names in parameter order and the definition of the pipeline, from the last snapshot.
  public let features: [String]
  /// What the pipeline's fingerprint covers, as text; empty only if a snapshot came without it.
  public let definition: String
  let encoded: EncodedParameters

  /// Digests of the parts (weights, centres, trees), in order.
  public var partDigests: [Digest] { encoded.parts.map(\.digest) }

  /// What applying an update did.
  public enum Outcome: Sendable {
    /// The update is what is served now.
    case applied(ServedModel)
    /// It was applied before: nothing changes.
    case known
  }

  /// Applies an update to what is served (nil: nothing yet).
  /// - Parameter fingerprint: of the pipeline that asks; nil accepts any, for looking at versions.
  /// - Throws: `UpdateError` naming why it is refused; what is served stays.
  public static func apply(
    _ update: ParameterUpdate, to served: ServedModel?, fingerprint: Digest?
  ) throws(UpdateError) -> Outcome {
    do throws(UpdateError) {
      return try next(update, after: served, fingerprint: fingerprint)
    } catch { throw error.about(.init(update.header)) }
  }

  private static func next(
    _ update: ParameterUpdate, after served: ServedModel?, fingerprint: Digest?
  ) throws(UpdateError) -> Outcome {
    let header = update.header
    if let fingerprint, header.fingerprint != fingerprint {
      throw UpdateError(
        .fingerprint,
        "\(header.name) was made by another pipeline file (fingerprint "
          + "\(header.fingerprint.short), this one has \(fingerprint.short))")
    }
    if let served {
      guard header.epoch >= served.header.epoch else {
        throw UpdateError(
          .olderEpoch,
          "\(header.name) is from epoch \(header.epoch), served is epoch \(served.header.epoch)")
      }
      if header.version <= served.header.version {
        // A trainer that goes on where an older copy of its state ended would number other
        // parameters as versions that are known.
        guard header.epoch == served.header.epoch,
          header.version < served.header.version || update.digest == served.digest
        else {
          throw UpdateError(
            .reusedVersion,
            "\(header.name) of epoch \(header.epoch) (\(update.digest.short)) comes again: served is "
              + "version \(served.header.version) of epoch \(served.header.epoch) "
              + "(\(served.digest.short))")
        }
        return .known
      }
    }
    var parts: [EncodedParameters.Part]
    if let base = header.base {
      guard let served, served.header.version == base,
        served.encoded.parts.count == update.partCount
      else {
        throw UpdateError(
          .gap,
          "\(header.name) builds on version \(base), served is "
            + (served.map { "version \($0.header.version)" } ?? "none"))
      }
      parts = served.encoded.parts
      for (index, part) in update.parts { parts[index] = part }
    } else {
      parts = update.parts.map(\.part)
    }
    let encoded = EncodedParameters(kind: header.kind, parts: parts)
    guard encoded.digest == update.digest else {
      throw UpdateError(
        .digest,
        "\(header.name) should give parameters \(update.digest.short), it gives "
          + "\(encoded.digest.short)")
    }
    let parameters = try ParameterCodec.decode(
      encoded, reusing: served.map { ($0.encoded, $0.parameters) })
    guard parameters.isFinite, header.threshold?.isFinite ?? true else {
      throw UpdateError(.nonFinite, "\(header.name) has parameters that are not finite")
    }
    return .applied(
      ServedModel(
        header: header, parameters: parameters, digest: update.digest,
        features: header.isSnapshot ? update.features : served?.features ?? [],
        definition: header.isSnapshot
          ? update.definition ?? "" : served?.definition ?? "", encoded: encoded))
  }
}
