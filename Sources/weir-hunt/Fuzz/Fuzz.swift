import ArgumentParser
import Glibc
import Processes

struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reads mutated inputs and looks for crashes, hangs, growth and broken promises.",
    discussion: """
      Each target runs in a process of its own. Its inputs follow from the seed; one that does \
      harm is written to a file, which --input reads again.
      """)

  @Argument(
    help: """
      event-json, json, csv, table, pipeline-file, update, topic-file; all of them if none is named.
      """)
  var targets: [FuzzTargetName] = []
  @Option(help: "How long each target runs.") var seconds = 600.0
  @Option(help: "What the inputs follow from.") var seed: UInt64 = 1
  @Option(help: ArgumentHelp("Read only this input.", valueName: "file")) var input: String?
  @Option(help: ArgumentHelp("Where inputs that do harm are written.", valueName: "folder"))
  var folder = "."

  /// An input may take so many seconds of processor time, and so many by the clock, as it may also
  /// wait for something; a target may grow by so many bytes.
  private static let longest = 1.0
  private static let longestByClock = 10.0
  private static let growth = 64 << 20

  func validate() throws {
    guard input == nil || targets.count == 1 else {
      throw ValidationError("--input goes with one target")
    }
  }

  func run() throws {
    var found = false
    for target in targets.isEmpty ? FuzzTargetName.allCases : targets {
      if let input {
        let worker = try start(target, ["--input", input], log: "/dev/null")
        worker.wait()
        say("\(target.rawValue): \(worker.ending == .status(0) ? "read" : "does harm")")
        found = worker.ending != .status(0)
      } else {
        found = try !fuzz(target) || found
      }
    }
    if found { throw ExitCode.failure }
  }

  private func start(
    _ target: FuzzTargetName, _ arguments: [String], log: String
  ) throws -> ChildProcess {
    try ChildProcess(
      target.rawValue, program: ChildProcess.beside("weir-hunt"),
      ["fuzz-worker", target.rawValue, "--seed", "\(seed)"] + arguments, logFile: log)
  }

  /// Watches over a target; true if nothing was found.
  private func fuzz(_ target: FuzzTargetName) throws -> Bool {
    let workplace = try Workplace(nil)
    defer { workplace.remove() }
    let state = workplace.path + "/input"
    let file = try InputFile(path: state, create: true)
    let worker = try start(target, ["--state", state], log: workplace.path + "/log")
    defer { worker.kill() }
    let started = monotonicSeconds()
    var number = 0
    var since = 0.0
    var sinceByClock = started
    var early: Int?
    var harm: String?
    while harm == nil, monotonicSeconds() - started < seconds {
      usleep(100_000)
      guard worker.isRunning, let figures = ProcessFigures(of: worker.number) else {
        worker.wait()
        harm = worker.ending == .status(1) ? worker.log.last ?? "failed" : "crash: \(ended(worker))"
        break
      }
      if file.number != number {
        number = file.number
        since = figures.processorSeconds
        sinceByClock = monotonicSeconds()
      } else if figures.processorSeconds - since > Self.longest {
        harm = "hang: the input takes longer than \(Self.longest) s"
      } else if monotonicSeconds() - sinceByClock > Self.longestByClock {
        harm = "hang: the input is not through after \(Self.longestByClock) s"
      }
      if early == nil, monotonicSeconds() - started > seconds / 4 { early = figures.ownBytes }
      if let early, figures.ownBytes > early + Self.growth {
        harm = "growth: \(early >> 20) MiB early on, now \(figures.ownBytes >> 20) MiB"
      }
    }
    worker.kill()
    let outcomes =
      worker.log.last { $0.allSatisfy { $0.isNumber || $0 == " " } }?
      .split(separator: " ").last ?? "?"
    guard let harm else {
      say(
        "\(target.rawValue): nothing found in \(number) inputs of seed \(seed), "
          + "\(outcomes) outcomes")
      return true
    }
    let path = "\(folder)/fuzz-\(target.rawValue)-\(seed)-\(file.number)"
    try write(file.input, to: path)
    say("\(target.rawValue): seed \(seed), input \(file.number): \(harm)\n  kept as \(path)")
    return false
  }

  private func ended(_ worker: ChildProcess) -> String {
    let last = worker.log.first { $0.contains("Fatal error") || $0.contains("rror:") } ?? ""
    switch worker.ending {
    case .signal(let number): return "signal \(number) \(last)"
    case .status(let status): return "status \(status) \(last)"
    case nil: return last
    }
  }
}
