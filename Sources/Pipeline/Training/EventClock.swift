import Learners
import StateCoding

/// Follows event time. It never goes back, and a single event dated far ahead does not move it:
/// labels would come too late for everything between.
public struct EventClock: Sendable, Equatable {
  /// How far ahead an event may be dated to move the clock at once, ms.
  static let leap: Int64 = 30 * 86_400_000
  /// So many events in a row that are further ahead do move it: the stream had a gap. Among as many
  /// at the beginning one that is that much earlier sets it back: those before were dated wrongly.
  static let witnesses = 8

  /// The time, ms since 1970; nil before the first event.
  public private(set) var time: Int64?

  private var seen = 0
  private var leaps = 0
  private var leapTime = Int64.max

  /// A clock that stands still.
  public init() {}

  /// Takes an event's time into account.
  @inline(__always)
  mutating func follow(_ event: Int64) {
    guard let now = time else {
      time = event
      return
    }
    if seen < Self.witnesses {
      seen += 1
      if event < now - Self.leap {
        time = event
        return
      }
    }
    if event <= now + Self.leap {
      if event > now { time = event }
      leaps = 0
      leapTime = .max
      return
    }
    leaps += 1
    leapTime = min(leapTime, event)
    guard leaps >= Self.witnesses else { return }
    time = leapTime
    leaps = 0
    leapTime = .max
  }

  // MARK: State

  func encode(into writer: inout StateWriter) {
    writer.write(time ?? .min)
    writer.write(UInt8(seen))
    writer.write(UInt8(leaps))
    writer.write(leapTime)
  }

  init(from reader: inout StateReader) throws {
    let saved = try reader.read(Int64.self)
    time = saved == .min ? nil : saved
    seen = Int(try reader.read(UInt8.self))
    leaps = Int(try reader.read(UInt8.self))
    leapTime = try reader.read(Int64.self)
  }
}
