/// What is wrong with an update or its parameters, and with which one as far as that is known.
public struct UpdateError: Error, Sendable, CustomStringConvertible {
  /// Kinds of refusal, for counting.
  public enum Code: String, Sendable, CaseIterable {
    /// Bytes that are no update, or do not match their checksum or what their pieces say.
    case corrupt
    /// A batch of the topic that is damaged: nobody knows what stood in it.
    case damagedBatch = "damaged-batch"
    /// An update that was begun and never finished, or whose beginning is not there.
    case incomplete
    /// Pieces of an update that come twice or not in their order.
    case outOfOrder = "out-of-order"
    /// More pieces or bytes than any update has.
    case tooLarge = "too-large"
    /// A format newer than this program.
    case newerFormat = "newer-format"
    /// Made by another pipeline file.
    case fingerprint
    /// From a trainer that has a successor.
    case olderEpoch = "older-epoch"
    /// A version that was published before, with other parameters.
    case reusedVersion = "reused-version"
    /// Versions in between did not come: a delta's base is not what is served.
    case gap
    /// The parameters are not what the update says they are.
    case digest
    /// Numbers that are not finite or out of range.
    case nonFinite = "non-finite"
  }

  /// The update concerned. Of one that cannot be read, no more is known than its pieces say.
  public struct Subject: Sendable, Hashable, CustomStringConvertible {
    /// Name of the pipeline.
    public var pipeline: String
    /// Name of the model within the pipeline.
    public var model: String
    /// Of the trainer that published it.
    public var epoch: UInt64?
    /// The version it would have been.
    public var version: UInt64?

    /// An update as far as it is known.
    public init(pipeline: String, model: String, epoch: UInt64? = nil, version: UInt64? = nil) {
      self.pipeline = pipeline
      self.model = model
      self.epoch = epoch
      self.version = version
    }

    /// The update of a header.
    public init(_ header: ParameterUpdate.Header) {
      self.init(
        pipeline: header.pipeline, model: header.model, epoch: header.epoch,
        version: header.version)
    }

    /// `pipeline/model@version`, or `pipeline/model`.
    public var description: String { "\(pipeline)/\(model)" + (version.map { "@\($0)" } ?? "") }
  }

  /// The kind of refusal.
  public let code: Code
  /// One sentence.
  public let description: String
  /// Nil if it is not even known which model is concerned.
  public var subject: Subject?

  /// A refusal with its one sentence.
  public init(_ code: Code, _ description: String, subject: Subject? = nil) {
    self.code = code
    self.description = description
    self.subject = subject
  }

  /// The same about `subject`, unless it is known already whom it concerns.
  func about(_ subject: Subject) -> UpdateError {
    UpdateError(code, description, subject: self.subject ?? subject)
  }
}
