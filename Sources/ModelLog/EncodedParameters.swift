import Learners

/// Parameters as they travel: an ordered list of parts, each with its digest.
///
/// Parts are what a delta is made of: a tree, a centre, the weights. The digest of the whole is the
/// digest of the parts' digests, so that a delta costs what it changes.
public struct EncodedParameters: Sendable {
  /// The family of model.
  public let kind: ModelKind
  /// In the order of the codec of the kind.
  public let parts: [Part]
  /// Names the parameters.
  public let digest: Digest

  /// One part.
  public struct Part: Sendable {
    /// A serialised message, see parameter_update.proto.
    public let content: [UInt8]
    /// Of the content.
    public let digest: Digest
    /// Where the learner numbers its parts (trees), the number: an unchanged one need not be
    /// encoded again.
    let serial: UInt64?

    init(_ content: [UInt8], serial: UInt64? = nil) {
      self.content = content
      digest = Digest(of: content)
      self.serial = serial
    }
  }

  init(kind: ModelKind, parts: [Part]) {
    self.kind = kind
    self.parts = parts
    digest = Digest(of: parts.lazy.map(\.digest))
  }

  /// Bytes of all parts.
  public var byteCount: Int { parts.reduce(0) { $0 + $1.content.count } }
}
