import ArgumentParser
import Learners

/// A program under test.
enum Service: String, CaseIterable, ExpressibleByArgument {
  case producer, scorer, trainer
}

/// Who is killed when: follows from a seed, in the services' own progress, so that it does not
/// depend on how fast the machine is.
struct KillPlan {
  /// When a service is killed.
  enum Moment {
    /// So many microseconds after it has come to that event.
    case event(Int, delay: UInt32)
    /// So many microseconds after it was started anew.
    case start(delay: UInt32)
  }

  private var moments: [Service: [Moment]] = [:]
  /// Kills that were planned, of each service.
  let counts: [Service: Int]

  /// Kills that were planned, of all services.
  var count: Int { counts.values.reduce(0, +) }

  /// - Parameters:
  ///   - victims: who is killed, at random.
  ///   - events: how far each service will come.
  init(kills: Int, victims: [Service], events: Int, random: inout RandomSource) {
    var progress: [Service: [Int]] = [:]
    var starts: [Service: Int] = [:]
    for _ in 0..<kills {
      let victim = victims[random.below(victims.count)]
      if random.below(4) == 0, progress[victim] != nil {
        starts[victim, default: 0] += 1
      } else {
        // Near its end a producer could be through before the signal reaches it.
        progress[victim, default: []].append(random.below(max(1, events * 19 / 20)))
      }
    }
    for (victim, events) in progress {
      var moments = events.sorted().map { Moment.event($0, delay: UInt32(random.below(4_000))) }
      for _ in 0..<starts[victim, default: 0] {
        // Never first: something has to be started anew.
        let place = 1 + random.below(moments.count)
        moments.insert(.start(delay: UInt32(random.below(120_000))), at: place)
      }
      self.moments[victim] = moments
    }
    counts = moments.mapValues(\.count)
  }

  /// The next kill of a service that has come to `event`, if it is due.
  mutating func take(_ service: Service, at event: Int) -> Moment? {
    guard let next = moments[service]?.first else { return nil }
    if case .event(let due, _) = next, event < due { return nil }
    moments[service]?.removeFirst()
    return next
  }

  /// Puts a kill back for which a service had ended too soon. It is due at once when the service is
  /// started anew, so that it cannot come too late again.
  mutating func retake(_ service: Service) {
    moments[service, default: []].insert(.start(delay: 0), at: 0)
  }

  /// Who has kills left.
  var unfinished: [Service] { Service.allCases.filter { moments[$0]?.isEmpty == false } }
}
