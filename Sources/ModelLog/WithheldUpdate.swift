/// The statement, on the `models` topic, that a trainer withheld an update: a guard found its
/// parameters unfit to be published. What was served before is served on.
public struct WithheldUpdate: Sendable, Equatable {
  /// Which guard spoke. A newer program may know more.
  public struct Code: RawRepresentable, Sendable, Hashable {
    /// The word on the topic.
    public let rawValue: String

    /// A guard by its word.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Parameters or a threshold that are no finite numbers.
    public static let nonFinite = Code(rawValue: "non-finite")
    /// Parameters far larger than any sane model's.
    public static let exploding = Code(rawValue: "exploding")
    /// A figure of merit that is much worse than the last published version's on the same events.
    public static let figureDrop = Code(rawValue: "figure-drop")
    /// A share of flagged events that is much larger than the last published version's was.
    public static let alertRate = Code(rawValue: "alert-rate")
  }

  /// What the trainer did about it. A newer program may do more.
  public struct Action: RawRepresentable, Sendable, Hashable {
    /// The word on the topic.
    public let rawValue: String

    /// An action by its word.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// It kept what was learnt and learns on.
    public static let learnsOn = Action(rawValue: "learns-on")
    /// It went back to the learner's state as of the served version; the rows since are left out.
    public static let fellBack = Action(rawValue: "fell-back")
    /// It began the model anew; versions go on rising.
    public static let reset = Action(rawValue: "reset")
  }

  /// Name of the pipeline.
  public var pipeline: String
  /// Name of the model within the pipeline.
  public var model: String
  /// Of the trainer.
  public var epoch: UInt64
  /// The last version that was published; 0: none yet.
  public var servedVersion: UInt64
  /// When it was withheld, ms since 1970.
  public var time: Int64
  /// The latest event time trained on, ms since 1970.
  public var eventTime: Int64
  /// Which guard spoke.
  public var code: Code
  /// Why, in one sentence with the numbers.
  public var reason: String
  /// What the trainer did about it.
  public var action: Action
  /// Rows learnt since the last published version and, unless the trainer learns on, left out;
  /// with a reset all that the model had learnt.
  public var rows: UInt64

  /// A statement; `time` is 0 until it is published.
  public init(
    pipeline: String, model: String, epoch: UInt64, servedVersion: UInt64, time: Int64 = 0,
    eventTime: Int64, code: Code, reason: String, action: Action, rows: UInt64
  ) {
    self.pipeline = pipeline
    self.model = model
    self.epoch = epoch
    self.servedVersion = servedVersion
    self.time = time
    self.eventTime = eventTime
    self.code = code
    self.reason = reason
    self.action = action
    self.rows = rows
  }

  /// What the trainer did, in one sentence.
  public var actionText: String {
    let served = servedVersion > 0 ? "version \(servedVersion)" : "the beginning"
    return switch action {
    case .learnsOn: "\(rows) rows learnt since \(served) are kept; learning goes on"
    case .fellBack: "fell back to the state of \(served); \(rows) rows learnt since are left out"
    case .reset: "began anew; all \(rows) rows learnt are left out"
    default: "\(action.rawValue), \(rows) rows"
    }
  }

  // MARK: Bytes

  var message: Weir_V1_Withheld {
    var message = Weir_V1_Withheld()
    message.pipeline = pipeline
    message.model = model
    message.epoch = epoch
    message.servedVersion = servedVersion
    message.time = time
    message.eventTime = eventTime
    message.code = code.rawValue
    message.reason = reason
    message.action = action.rawValue
    message.rows = rows
    return message
  }

  init(_ message: Weir_V1_Withheld) throws(UpdateError) {
    guard !message.code.isEmpty, !message.action.isEmpty,
      ParameterUpdate.areInRange(
        counts: [message.epoch, message.servedVersion, message.rows],
        times: [message.time, message.eventTime])
    else { throw UpdateError(.corrupt, "a withheld update with impossible fields") }
    self.init(
      pipeline: message.pipeline, model: message.model, epoch: message.epoch,
      servedVersion: message.servedVersion, time: message.time, eventTime: message.eventTime,
      code: Code(rawValue: message.code), reason: message.reason,
      action: Action(rawValue: message.action), rows: message.rows)
  }
}
