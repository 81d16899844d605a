import ArgumentParser
import Learners
import Pipeline
import Processes
import Topics

/// What goes wrong beside kills.
enum Faults: String, CaseIterable, ExpressibleByArgument {
  case none
  case diskFull = "disk-full"
  case damage
}

struct CrashTest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash",
    abstract: "Kills producer, scorer and trainer at random and checks that nothing is lost.",
    discussion: """
      Simulates card transactions, runs `weir produce`, `weir score` and `weir train` on one folder \
      and ends each of them with kill -9 at random moments, also while it starts. When everything \
      is produced, scored and learnt it reads all topics and checks every promise.
      """)

  @Option(help: "How often somebody is killed.") var kills = 200
  @Option(help: "Who is killed when follows from it.") var seed: UInt64 = 1
  @Option(help: "Transactions.") var events = 500_000
  @Option(help: "Transactions a second.") var rate = 5_000
  @Option(help: "Rows between two versions of a model.") var publishEvery = 1_000
  @Option(help: "Trees of the forest; 400 make a snapshot of more than one record.")
  var trees = 400
  @Option(parsing: .upToNextOption, help: "Who is killed: producer, scorer, trainer.")
  var victims = Service.allCases
  @Option(
    help: """
      What else goes wrong: none; disk-full (as root: it mounts a small file system); damage (to \
      data files, one in ten kills).
      """)
  var faults = Faults.none
  @Option(help: ArgumentHelp("Work here and keep everything.", valueName: "folder"))
  var folder: String?

  func validate() throws {
    guard kills >= 0, events >= 1_000, rate > 0, !victims.isEmpty else {
      throw ValidationError("--kills from 0, --events from 1000, --rate above 0")
    }
  }

  func run() throws {
    let started = monotonicSeconds()
    say("seed \(seed): \(kills) kills over \(events) events")
    let workplace = try Workplace(folder)
    do {
      try hunt(in: workplace.path)
      workplace.remove()
      say("everything held, in \(Int(monotonicSeconds() - started)) s")
    } catch let failure as Failure {
      say("FAILED with seed \(seed): \(failure)\nkept for a look: \(workplace.path)")
      throw ExitCode.failure
    } catch let failure as ProcessFailure {
      say("FAILED with seed \(seed): \(failure)\nkept for a look: \(workplace.path)")
      throw ExitCode.failure
    }
  }

  private func hunt(in folder: String) throws {
    var random = RandomSource(seed: seed)
    let file = folder + "/hunt.yaml"
    try write(
      Array(
        HuntPipeline.text(publishEvery: publishEvery, snapshotEvery: 5, trees: trees).utf8),
      to: file)
    let stream = try PaymentStream(events: events, seed: seed, folder: folder)
    if faults == .damage {
      return try damage(
        starter: ServiceStarter(
          folder: folder, topics: folder + "/topics", stream: stream, rate: rate), random)
    }
    let plan = KillPlan(kills: kills, victims: victims, events: events, random: &random)
    // A tenth of what the topics will take, so that it is full several times.
    let disk =
      faults == .diskFull
      ? try SmallDisk(
        path: folder + "/disk", megabytes: max(24, events / 6_000), log: folder + "/mount.log")
      : nil
    let starter = ServiceStarter(
      folder: folder, topics: (disk?.path ?? folder) + "/topics", stream: stream, rate: rate)
    let run = try CrashRun(starter: starter, plan: plan, disk: disk)
    try run.run()
    say(
      "kills: \(run.killCounts); \(run.timesFull) times a full disk; everything is produced, "
        + "scored and learnt")
    var checks = CrashChecks(
      log: run.log, pipeline: try Pipeline(path: file), stream: stream)
    checks.check("every planned kill was made") { run.madeAllKills ? nil : run.killCounts }
    checks.check("no service warned of anything" + (disk == nil ? "" : " but the full disk")) {
      guard let first = run.complaints.first else { return nil }
      return "\(run.complaints.count) lines, the first: \(first)"
    }
    try checks.all {
      // What was gathered in part is learnt and published, so that the last version counts all.
      let trainer = try ChildProcess(
        "trainer", program: ChildProcess.beside("weir"),
        ["train", "--pipeline", file, "--topics", run.log.folder, "--until-end"],
        logFile: folder + "/trainer.log")
      trainer.wait()
      try trainer.checkExit()
    }
    guard checks.failures == 0 else { throw Failure("\(checks.failures) promises did not hold") }
  }

  private func damage(starter: ServiceStarter, _ random: RandomSource) throws {
    let run = DamageRun(starter: starter, rounds: max(1, kills / 10), random: random)
    try run.run()
    let log = try EmbeddedLog(folder: starter.topics, access: .readOnly)
    let pipeline = try Pipeline(path: starter.folder + "/hunt.yaml")
    var checks = CrashChecks(log: log, pipeline: pipeline, stream: starter.stream)
    let damage = DamageChecks(
      log: log, pipeline: pipeline, published: run.published,
      uncountedDecisions: run.uncountedDecisions, losesProgress: run.losesProgress)
    checks.check("services ran on or refused, naming the place; repairs mended all") {
      run.objections.isEmpty ? nil : run.objections.joined(separator: "\n        ")
    }
    checks.check("every version that scored was published with that digest", damage.served)
    checks.check("scores come out the same from the rebuilt version") {
      try damage.recomputed { say("        \($0) rows compared") }
    }
    checks.check("no event stands or is decided twice, and no decision is missing unnamed") {
      try damage.complete { say("        \($0)") }
    }
    guard checks.failures == 0 else { throw Failure("\(checks.failures) promises did not hold") }
  }
}
