import Files
import Glibc
import Learners
import ModelLog
import Pipeline
import Processes
import Topics

/// Producer, scorer and trainer on a folder whose data files are damaged between kills; what they,
/// `weir topics verify` and `weir topics repair` make of it.
final class DamageRun {
  /// Names a version that was published at some time.
  struct VersionName: Hashable {
    var model: String
    var epoch: UInt64
    var version: UInt64
  }

  /// All that stood on `models` before each damage and at the end.
  private(set) var published: [VersionName: Digest] = [:]
  /// How many decisions there can be at most among those that repairs have named as lost from an
  /// offset on, without an end.
  private(set) var uncountedDecisions = 0
  /// Whether a repair has named the producer's progress as lost, so that it began anew.
  private(set) var losesProgress = false
  /// What did not go as it should.
  private(set) var objections: [String] = []

  private let starter: ServiceStarter
  private var random: RandomSource
  private var children: [Service: ChildProcess] = [:]
  private let rounds: [Int]
  /// Before the last damage, where 'decisions' ended, and 'events'.
  private var ends: (decisions: UInt64, events: UInt64) = (0, 0)

  private static let page = 4096
  /// How long the services run on a damaged folder.
  private static let meeting = 1.5

  /// - Parameter rounds: how often a file is damaged.
  init(starter: ServiceStarter, rounds: Int, random: RandomSource) {
    self.starter = starter
    var random = random
    let events = starter.stream.count
    self.rounds = (0..<rounds).map { _ in random.below(max(1, events * 9 / 10)) }.sorted()
    self.random = random
  }

  deinit { killAll() }

  func run() throws {
    for (number, event) in rounds.enumerated() {
      try work(untilEvent: event)
      try remember()
      let role = ["producers", "scorer-hunt", "trainer-hunt"][random.below(3)]
      let what = try damage("\(starter.topics)/\(role)/data.mdb")
      say("damage \(number + 1) of \(rounds.count): at event \(event), \(role): \(what)")
      try meet(role)
      try mend()
    }
    try work(untilEvent: nil)
    try remember()
  }

  // MARK: Services

  /// Runs the services until so many events are decided, or all is through, and kills them.
  private func work(untilEvent event: Int?) throws {
    for service in Service.allCases { children[service] = try starter.start(service) }
    defer { killAll() }
    let log = try EmbeddedLog(folder: starter.topics, access: .readWrite)
    let reader = try ProgressReader(log: log)
    var last = Progress()
    var moved = monotonicSeconds()
    while true {
      let token = log.changeToken()
      let progress = try reader.read()
      let isProduced = children[.producer]?.ending == .status(0)
      if let event, Int(progress.eventsScored) >= event { return }
      if isProduced, progress.isThrough { return }
      for (service, child) in children where !child.isRunning {
        guard service != .producer || !isProduced else { continue }
        throw Failure(
          "after the repair the \(service.rawValue) ended: \(child.log.last ?? "\(child.ending!)")")
      }
      if progress != last {
        last = progress
        moved = monotonicSeconds()
      } else if monotonicSeconds() - moved > 60 {
        throw Failure("for 60 s nothing has moved: \(progress)")
      }
      _ = log.waitForChange(since: token, timeoutMilliseconds: 100)
    }
  }

  private func killAll() {
    for child in children.values { child.kill() }
    children.removeAll()
  }

  /// Starts the services on the damaged folder: each has to run on, or to refuse in words that
  /// say where the damage is.
  private func meet(_ role: String) throws {
    for service in Service.allCases { children[service] = try starter.start(service) }
    usleep(UInt32(Self.meeting * 1e6))
    for service in Service.allCases {
      guard let child = children[service], let ending = child.ending else { continue }
      let words = child.log.last ?? ""
      switch ending {
      case .status(0): continue
      case .status(1) where namesPlace(words, role): say("  \(service.rawValue) refuses: \(words)")
      default: objections.append("damaged \(role): the \(service.rawValue) \(ending): \(words)")
      }
    }
    killAll()
  }

  /// Whether words say where the damage is: in which file, whose role, or at which offset. That
  /// they name the folder of all topics does not count.
  private func namesPlace(_ words: String, _ role: String) -> Bool {
    let place = words.replacing(starter.topics, with: "")
    return place.contains("data.mdb") || place.contains(role)
      || place.contains(#/\boffsets? [0-9]/#)
  }

  // MARK: Damage and repair

  /// Keeps the names of the versions that stand on `models` now, and where topics end.
  private func remember() throws {
    let log = try EmbeddedLog(folder: starter.topics, access: .readOnly)
    let progress = try ProgressReader(log: log).read()
    ends = (progress.decisions, progress.events)
    try ModelHistory(log: log).forEach(pipeline: HuntPipeline.name) { record in
      guard case .update(let update) = record.content else { return }
      let header = update.header
      let name = VersionName(model: header.model, epoch: header.epoch, version: header.version)
      if let known = published[name], known != update.digest {
        objections.append("\(header.name) of epoch \(header.epoch) was published twice")
      }
      published[name] = update.digest
    }
  }

  /// Flips bits, clears a page or cuts the end off.
  private func damage(_ path: String) throws -> String {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure("\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var status = stat()
    fstat(descriptor, &status)
    let size = Int(status.st_size)
    switch random.below(4) {
    case 0:
      let kept = random.below(size)
      guard ftruncate(descriptor, kept) == 0 else { throw Failure("\(path): \(errno)") }
      return "truncated from \(size) to \(kept) bytes"
    case 1:
      let page = random.below(size / Self.page)
      let zeros = [UInt8](repeating: 0, count: Self.page)
      pwrite(descriptor, zeros, Self.page, page * Self.page)
      return "page \(page) of \(size / Self.page) cleared"
    default:
      let count = 1 << random.below(7)
      for _ in 0..<count {
        let at = random.below(size)
        var byte: [UInt8] = [0]
        pread(descriptor, &byte, 1, at)
        byte[0] ^= 1 << UInt8(random.below(8))
        pwrite(descriptor, byte, 1, at)
      }
      return "\(count) bits of \(size) bytes flipped"
    }
  }

  /// Verifies, repairs and verifies again.
  private func mend() throws {
    let before = try maintain("verify")
    guard before.ending != .status(0) else { return say("  verify: all is sound") }
    for line in before.log.filter({ $0.hasPrefix("damaged:") }).prefix(3) { say("  \(line)") }
    let repair = try maintain("repair")
    guard repair.ending == .status(0) else {
      throw Failure("the repair failed: \(repair.log.last ?? "")")
    }
    let lost = repair.log.filter { $0.hasPrefix("lost:") }
    for line in lost { noteUncounted(line) }
    losesProgress =
      losesProgress || lost.contains { Self.role($0) == "producers" && !$0.contains(" topic ") }
    for line in lost.prefix(5) { say("  \(line)") }
    if lost.count > 5 { say("  … and \(lost.count - 5) more") }
    // A role that has lost a part of its state begins anew; that is for the operator to decide.
    for role in Set(lost.filter { $0.contains(" state ") }.compactMap(Self.role)) {
      say("  the state of \(role) is dropped")
      _ = try maintain("repair", "--all", "--drop-state", role)
    }
    let after = try maintain("verify")
    if after.ending != .status(0) {
      objections.append(
        "still damaged: \(after.log.first { $0.hasPrefix("damaged:") } ?? "\(after.ending!)")")
    }
  }

  /// Notes the decisions of a line such as `lost: … topic decisions/0, offsets 17..<?: …`: they go up
  /// to where the topic ended before the damage, and what was decided on the damaged folder.
  private func noteUncounted(_ line: String) {
    guard line.contains("topic decisions/0"),
      let first = line.firstMatch(of: #/offsets ([0-9]+)\.\.<\?/#).flatMap({ Int($0.1) })
    else { return }
    let produced = Int(Double(starter.rate) * (Self.meeting + 1))
    uncountedDecisions += max(0, Int(max(ends.decisions, ends.events)) + produced - first)
  }

  /// Of a line such as `lost: role trainer-hunt, state engine: …`.
  private static func role(_ line: String) -> String? {
    line.split(separator: " ").dropFirst(2).first.map {
      String($0.prefix { $0 != "," && $0 != ":" })
    }
  }

  private func maintain(_ command: String, _ more: String...) throws -> ChildProcess {
    let process = try starter.weir(
      command, ["topics", command, "--topics", starter.topics] + more)
    process.wait()
    return process
  }
}
