import CFaults
import Foundation
import Testing
import Topics

/// The log on disk while writing and syncing fail.
@Suite("Faults", .timeLimit(.minutes(30)))
struct FaultTests {
  private let events = TopicPartition("events")

  /// Each call of a commit in turn finds the disk full.
  @Test(arguments: Durability.allCases)
  func aFullDiskIsNamedAndLeavesNothingHalfWritten(_ durability: Durability) throws {
    try withFolder { folder in
      func open() throws -> (log: EmbeddedLog, writer: any TopicWriter) {
        let log = try EmbeddedLog(folder: folder, access: .readWrite, durability: durability)
        return (log, try log.writer(.producers, exclusive: false))
      }
      var opened: (log: EmbeddedLog, writer: any TopicWriter)? = try open()
      try opened!.writer.append(["first"], to: events)
      var countdown: Int32 = 0
      var isDone = false
      while !isDone {
        weir_faults_arm(countdown, .max, ENOSPC)
        let result = Result {
          try opened!.writer.transact { transaction in
            try transaction.append(RecordBatch(["a", "b"]), to: events)
            try transaction.put(state: [UInt8](repeating: 1, count: 100_000), for: "k")
          }
        }
        let failed = weir_faults_disarm()
        if case .failure(let error) = result {
          #expect((error as? TopicError)?.code == .full)
          #expect(failed > 0)
          if (try? opened!.log.describe()) == nil {
            // A failure of the very last write, which a full disk cannot cause as it stores nothing
            // new, ends the use of the file by this process. Opened anew, it is as it was.
            let next = try topicError { try opened!.writer.append(["c"], to: events) }
            #expect(next.code == .io)
            #expect(next.reason.contains("open it again"))
            opened = nil
            opened = try open()
          }
          #expect(try opened!.log.reader(events, of: .producers).texts() == ["first"])
          #expect(try opened!.log.state("k", role: .producers) == nil)
        } else {
          #expect(failed == 0)
          isDone = true
        }
        countdown += 1
      }
      #expect(countdown > 2)
      #expect(try opened!.log.reader(events, of: .producers).texts() == ["first", "a", "b"])
      #expect(try opened!.log.state("k", role: .producers)?.count == 100_000)
    }
  }

  /// A role's file that was never finished is begun anew.
  @Test(arguments: [ENOSPC, EIO, 0])
  func aFileWhoseCreationFailedIsCreatedAgain(_ number: Int32) throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite)
      weir_faults_arm(0, 1, number)
      let error = try topicError { _ = try log.writer(.producers, exclusive: false) }
      #expect(weir_faults_disarm() == 1)
      #expect(error.code == (number == EIO ? .io : .full))
      #expect(try log.writer(.producers, exclusive: false).append(["a"], to: events) == 0)
    }
  }

  /// Random work beside the same on a model, with faults now and then: what a failed transaction
  /// wrote is not there, whatever failed; what a successful one wrote is. WEIR_HUNT_RUNS sets how
  /// many logs are worked on, WEIR_HUNT_SEED the first seed.
  @Test func theLogIsAlwaysAsTheModel() throws {
    let variables = ProcessInfo.processInfo.environment
    let runs = UInt64(variables["WEIR_HUNT_RUNS"] ?? "") ?? 150
    let seed = UInt64(variables["WEIR_HUNT_SEED"] ?? "") ?? .random(in: 0...999_999_999)
    print("The log beside its model: \(runs) runs from WEIR_HUNT_SEED=\(seed)")
    var failures = 0
    for run in 0..<runs {
      var hunt = Hunt(seed: seed &+ run)
      try hunt.run()
      failures += hunt.failures
    }
    // Otherwise nothing was shown.
    #expect(failures > runs)
  }
}

/// One log worked on at random.
private struct Hunt {
  private struct Refused: Error {}

  private let seed: UInt64
  private let role = WriterRole("worker")
  private let durability: Durability
  private let maximumSize: Int
  private var generator: SeededGenerator
  private var model = LogModel()
  /// Transactions and openings that failed.
  private(set) var failures = 0

  init(seed: UInt64) {
    self.seed = seed
    generator = SeededGenerator(seed: seed)
    durability = Durability.allCases.randomElement(using: &generator)!
    maximumSize = chance(5, &generator) ? 1 << 18 : 1 << 28
  }

  mutating func run() throws {
    let folder = newFolder(inMemory: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for _ in 0..<4 { try work(folder) }
  }

  /// Opens the log, works on it for a while, and lets it go.
  private mutating func work(_ folder: String) throws {
    if chance(3, &generator) { try openFaultily(folder) }
    let log = try open(folder)
    try compare(log, "after opening")
    let writer: any TopicWriter
    do {
      writer = try log.writer(role, exclusive: true)
    } catch {
      try #require(error.code == .full && maximumSize < 1 << 20, "seed \(seed): \(error)")
      return
    }
    model.epoch += 1
    try #require(writer.epoch == model.epoch, "seed \(seed): the epoch is \(writer.epoch)")
    for _ in 0..<10 {
      var changed = model
      let operations = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
        let operation = LogOperation.random(after: changed, using: &generator)
        operation.apply(to: &changed)
        return operation
      }
      let isRefused = chance(10, &generator)
      let number = chance(3, &generator) ? arm() : nil
      let result = Result {
        try writer.transact { transaction in
          for operation in operations { try operation.apply(to: transaction) }
          if isRefused { throw Refused() }
        }
      }
      let failed = weir_faults_disarm()
      switch result {
      case .success:
        try #require(failed == 0, "seed \(seed): a failure of the system was hidden")
        model = changed
        if chance(3, &generator) { try compare(log, "after a transaction") }
      case .failure(let error):
        failures += 1
        if let error = error as? TopicError {
          let isExpected =
            failed == 0 ? error.code == .full : error.code == (number == ENOSPC ? .full : .io)
          try #require(isExpected, "seed \(seed): \(error)")
        }
        // Also a sync or the very last write that fails leaves nothing of the transaction: nobody
        // is shown what its writer was told had failed.
        if (try? log.describe()) == nil { return }
        try compare(log, "after a failed transaction")
      }
    }
    try look(log)
  }

  private func open(_ folder: String) throws -> EmbeddedLog {
    try EmbeddedLog(
      folder: folder, access: .readWrite, durability: durability, maximumSize: maximumSize,
      initialSize: 1 << 16)
  }

  /// Opening a writer writes, too.
  private mutating func openFaultily(_ folder: String) throws {
    _ = arm()
    let result = Result { try open(folder).writer(role, exclusive: true).epoch }
    let failed = weir_faults_disarm()
    switch result {
    case .success(let epoch):
      model.epoch += 1
      try #require(failed == 0 && epoch == model.epoch, "seed \(seed)")
    case .failure(let error):
      failures += 1
      try #require(failed > 0 && error is TopicError, "seed \(seed): \(error)")
    }
  }

  /// Arms a fault of this thread; returns its errno.
  private mutating func arm() -> Int32 {
    let number = [ENOSPC, EIO, 0].randomElement(using: &generator)!
    weir_faults_arm(
      .random(in: 0...7, using: &generator), [1, 1, 2, .max].randomElement(using: &generator)!,
      number)
    return number
  }

  private func compare(_ log: any TopicLog, _ moment: String) throws {
    let found = try model.asFound(in: log, role: role)
    try #require(found == model, "seed \(seed): the log differs from the model \(moment)")
  }

  /// Reads from anywhere, and looks for times.
  private mutating func look(_ log: any TopicLog) throws {
    for (partition, stored) in model.partitions {
      let reader = try log.reader(partition, of: role)
      let records = stored.records
      for _ in 0..<5 {
        let offset = UInt64.random(in: stored.start...stored.end, using: &generator)
        let limit = Int.random(in: 0...30, using: &generator)
        let expected = records.filter { $0.offset >= offset }.prefix(limit)
        let found = try reader.copies(from: offset, limit: limit)
        try #require(
          found.map(\.offset) == expected.map(\.offset)
            && found.map(\.value) == expected.map(\.value), "seed \(seed): read from \(offset)")
        let time = Int64.random(in: -60...60, using: &generator)
        try #require(
          try reader.offset(atOrAfter: time)
            == records.first { $0.timestamp >= time }?.offset, "seed \(seed): time \(time)")
      }
      if stored.start > 0 {
        try expectError(.offsetOutOfRange) { _ = try reader.copies(from: stored.start - 1) }
      }
      try expectError(.offsetOutOfRange) { _ = try reader.copies(from: stored.end + 1) }
    }
  }
}

/// True once in `count` times.
private func chance(_ count: Int, _ generator: inout SeededGenerator) -> Bool {
  Int.random(in: 0..<count, using: &generator) == 0
}
