import Glibc
import Learners
import Pipeline
import Processes
import Topics

/// Producer, scorer and trainer on one folder, killed by plan and started again at once, until
/// everything is produced, scored and learnt.
final class CrashRun {
  /// Lines that the services logged: they are asked for warnings and errors only.
  private(set) var complaints: [String] = []
  private(set) var kills = 0
  let log: EmbeddedLog

  private let folder: String
  private let stream: PaymentStream
  private let rate: Int
  private var plan: KillPlan
  private var random: RandomSource
  private let reader: ProgressReader
  private var children: [Service: ChildProcess] = [:]
  private var isProduced = false

  /// Seconds without any progress after which the run has failed.
  private static let patience = 60.0

  init(
    folder: String, stream: PaymentStream, rate: Int, plan: KillPlan, random: RandomSource
  ) throws {
    self.folder = folder
    self.stream = stream
    self.rate = rate
    self.plan = plan
    self.random = random
    log = try EmbeddedLog(folder: folder + "/topics", access: .readWrite)
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
      if isProduced, progress.isThrough { break }
      var killed = false
      for service in Service.allCases {
        guard !(service == .producer && isProduced),
          let moment = plan.take(service, at: reader.event(of: service, progress))
        else { continue }
        try kill(service, moment, at: reader.event(of: service, progress))
        killed = true
      }
      if progress != last || killed {
        last = progress
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

  private func start(_ service: Service) throws {
    let pipeline = ["--pipeline", folder + "/hunt.yaml", "--topics", log.folder]
    let arguments =
      switch service {
      case .producer: ["produce", stream.path, "--rate", "\(rate)"]
      case .scorer: ["score"]
      case .trainer: ["train"]
      }
    children[service] = try ChildProcess(
      service.rawValue, program: ChildProcess.beside("weir"),
      arguments + pipeline + ["--log-level", "warning"],
      logFile: "\(folder)/\(service.rawValue).log")
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
    guard let child = children[service], child.isRunning else { return }
    child.kill()
    listen(to: service)
    kills += 1
    say("kill \(kills) of \(plan.count): \(service.rawValue) \(child.number) \(when)")
    try start(service)
  }

  /// A service may end only because it was killed; the producer also when it is through.
  private func checkChildren() throws {
    for (service, child) in children where !child.isRunning {
      listen(to: service)
      try child.checkExit()
      guard service == .producer else { throw Failure("the \(service.rawValue) ended by itself") }
      isProduced = true
      children[service] = nil
    }
  }

  private func listen(to service: Service) {
    for line in children[service]?.log ?? [] { complaints.append("\(service.rawValue): \(line)") }
  }
}
