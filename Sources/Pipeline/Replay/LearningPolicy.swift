/// When the versions that a trainer publishes begin to serve in a replay.
public enum LearningPolicy: String, Sendable, CaseIterable {
  /// At once.
  case online
  /// Until some time at once, from then on never: what was served then goes on.
  case frozen
  /// Once a day: those published last before it.
  case daily
  /// Once a week likewise.
  case weekly

  /// A sentence for people.
  public var description: String {
    switch self {
    case .online: "every version serves as soon as it is published"
    case .frozen: "the versions served at one time go on for ever"
    case .daily: "once a day the versions published last begin to serve"
    case .weekly: "once a week the versions published last begin to serve"
    }
  }

  var period: Int64? {
    switch self {
    case .online, .frozen: nil
    case .daily: 86_400_000
    case .weekly: 7 * 86_400_000
    }
  }
}
