import Glibc
import Pipeline
import Processes
import Topics

/// Producer, scorer and trainer on one folder, killed by plan and started again at once, until
/// everything is produced, scored and learnt.
final class CrashRun {
  /// Lines that the services logged: they are asked for warnings and errors only.
  private(set) var complaints: [String] = []
  /// Kills that were made, of each service.
  private(set) var kills: [Service: Int] = [:]
  /// How often the disk was full and somebody could not go on.
  private(set) var timesFull = 0
  let log: EmbeddedLog

  private let starter: ServiceStarter
  private var plan: KillPlan
  private let reader: ProgressReader
  private var children: [Service: ChildProcess] = [:]
  private var isProduced = false
  private let disk: SmallDisk?

  /// Seconds without any progress after which the run has failed.
  private static let patience = 60.0
  /// Seconds after which services that wait on a full disk are given room.
  private static let patienceWhenFull = 2.0

  /// - Parameter disk: where the topics lie if the disk shall be full now and then.
  init(
    starter: ServiceStarter, plan: KillPlan, disk: SmallDisk?
  ) throws {
    self.starter = starter
    self.disk = disk
    self.plan = plan
    log = try EmbeddedLog(folder: starter.topics, access: .readWrite)
    reader = try ProgressReader(log: log)
  }

  deinit { for child in children.values { child.kill() } }

  func run() throws {
    for service in Service.allCases { try start(service) }
    var last = Progress()
    var moved = monotonicSeconds()
    while true {
      let token = log.changeToken()
      try checkChildren()
      let progress = try reader.read()
      if isProduced, progress.isThrough {
        guard let service = plan.unfinished.first else { break }
        // It came to its end before its last kills; they meet it where it finds nothing to do.
        if children[service] == nil {
          isProduced = isProduced && service != .producer
          try start(service)
        }
      }
      var killed = false
      for service in Service.allCases {
        guard children[service] != nil,
          let moment = plan.take(service, at: reader.event(of: service, progress))
        else { continue }
        try kill(service, moment, at: reader.event(of: service, progress))
        killed = true
      }
      if progress != last || killed {
        last = progress
        moved = monotonicSeconds()
      } else if let disk, disk.isFull || !ended.isEmpty,
        monotonicSeconds() - moved > Self.patienceWhenFull
      {
        try makeRoom(on: disk)
        moved = monotonicSeconds()
      } else if monotonicSeconds() - moved > Self.patience {
        throw Failure("for \(Int(Self.patience)) s nothing has moved: \(progress)")
      }
      if !killed { _ = log.waitForChange(since: token, timeoutMilliseconds: 100) }
    }
    for service in [Service.scorer, .trainer] {
      try children[service]?.stop()
      listen(to: service)
    }
  }

  /// The kills made and planned, of each service.
  var killCounts: String {
    Service.allCases.map { service in
      "\(service.rawValue) \(kills[service] ?? 0) of \(plan.counts[service] ?? 0)"
    }.joined(separator: ", ")
  }

  /// Whether every planned kill was made.
  var madeAllKills: Bool { kills == plan.counts }

  private func start(_ service: Service) throws {
    children[service] = try starter.start(service)
  }

  private func kill(_ service: Service, _ moment: KillPlan.Moment, at event: Int) throws {
    let when: String
    switch moment {
    case .event(_, let delay):
      usleep(delay)
      when = "at event \(event), \(delay) µs later"
    case .start(let delay):
      usleep(delay)
      when = "\(delay) µs after its start, at event \(event)"
    }
    try checkChildren()
    guard let child = children[service], child.isRunning else { return plan.retake(service) }
    child.kill()
    listen(to: service)
    guard child.ending == .signal(SIGKILL) else { return plan.retake(service) }
    kills[service, default: 0] += 1
    let number = kills.values.reduce(0, +)
    say("kill \(number) of \(plan.count): \(service.rawValue) \(child.number) \(when)")
    try start(service)
  }

  /// Who has ended for want of space.
  private var ended: [Service] {
    Service.allCases.filter { children[$0] == nil && !($0 == .producer && isProduced) }
  }

  /// Gives the services more space and starts those that have ended for want of it.
  private func makeRoom(on disk: SmallDisk) throws {
    timesFull += 1
    try disk.grow()
    let ended = ended
    say(
      "full \(timesFull): now \(disk.megabytes) MiB; had ended: "
        + "\(ended.map(\.rawValue).joined(separator: ", "))")
    for service in ended { try start(service) }
  }

  /// A service may end only because it was killed or the disk is full; the producer also when it is
  /// through.
  private func checkChildren() throws {
    for (service, child) in children where !child.isRunning {
      listen(to: service)
      if disk != nil, case .status(1) = child.ending, child.log.last.map(Self.saysFull) ?? false {
        say("\(service.rawValue) ended: \(child.log.last ?? "")")
        children[service] = nil
        continue
      }
      try child.checkExit()
      guard service == .producer else { throw Failure("the \(service.rawValue) ended by itself") }
      isProduced = true
      children[service] = nil
    }
  }

  /// Whether a line says that the disk is full.
  static func saysFull(_ line: String) -> Bool {
    ["disk may be full", "No space left", "disk is full"].contains { line.contains($0) }
  }

  private func listen(to service: Service) {
    for line in children[service]?.log ?? [] where disk == nil || !Self.saysFull(line) {
      complaints.append("\(service.rawValue): \(line)")
    }
  }
}
