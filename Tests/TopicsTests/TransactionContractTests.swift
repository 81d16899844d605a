import Testing
import Topics

/// What every backend promises: transactions, positions, state, fencing.
@Suite("Transaction contract")
struct TransactionContractTests {
  private struct Refused: Error {}
  private let scored = TopicPartition("scored")
  private let decisions = TopicPartition("decisions")
  private let events = TopicPartition("events")

  @Test(arguments: Backend.allCases)
  func aTransactionIsVisibleAtOnceOrNotAtAll(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.scorer, exclusive: true)
      try writer.append(["s0"], to: scored)
      let readScored = try log.reader(scored, of: .scorer)
      let readDecisions = try log.reader(decisions, of: .scorer)
      let body: (any TopicTransaction) throws -> Void = { transaction in
        #expect(try transaction.append(RecordBatch(["s1", "s2"]), to: scored) == 1)
        #expect(try transaction.append(RecordBatch(["s3"]), to: scored) == 3)
        #expect(try transaction.append(RecordBatch(["d0"]), to: decisions) == 0)
        try transaction.commit(position: 77, of: events, group: "g")
        try transaction.put(state: [1, 2], for: "windows")
        // It sees its own writes, and nobody else does.
        #expect(try transaction.position(of: events, group: "g") == 77)
        #expect(try transaction.state("windows") == [1, 2])
        #expect(try readScored.texts() == ["s0"])
        #expect(try readDecisions.texts() == [])
        #expect(try log.position(of: events, group: "g", role: .scorer) == nil)
        #expect(try log.state("windows", role: .scorer) == nil)
      }
      let token = log.changeToken()
      #expect(throws: Refused.self) {
        try writer.transact { transaction in
          try body(transaction)
          throw Refused()
        }
      }
      #expect(log.changeToken() == token)
      #expect(try readScored.texts() == ["s0"])
      #expect(try readDecisions.texts() == [])
      #expect(try log.describe().map(\.partition) == [scored])
      #expect(try log.position(of: events, group: "g", role: .scorer) == nil)
      #expect(try log.stateKeys(prefix: "", role: .scorer) == [])

      try writer.transact(body)
      #expect(log.changeToken() != token)
      #expect(try readScored.texts() == ["s0", "s1", "s2", "s3"])
      #expect(try readDecisions.texts() == ["d0"])
      #expect(try log.position(of: events, group: "g", role: .scorer) == 77)
      #expect(try log.state("windows", role: .scorer) == [1, 2])
    }
  }

  @Test(arguments: Backend.allCases)
  func aTransactionReturnsItsBodysResult(_ backend: Backend) throws {
    try backend.withLog { log in
      let token = log.changeToken()
      let writer = try log.writer(.producers, exclusive: false)
      #expect(log.changeToken() != token)
      let before = log.changeToken()
      #expect(try writer.transact { _ in 42 } == 42)
      // Nothing was written, so nobody is woken.
      #expect(log.changeToken() == before)
    }
  }

  @Test(arguments: Backend.allCases)
  func positionsAreKeptByGroupPartitionAndRole(_ backend: Backend) throws {
    try backend.withLog { log in
      let other = TopicPartition("events", partition: 1)
      let writer = try log.writer(.scorer, exclusive: true)
      try writer.transact { transaction in
        try transaction.commit(position: 1, of: events, group: "a")
        try transaction.commit(position: .max, of: events, group: "b")
        try transaction.commit(position: 3, of: other, group: "a")
        try transaction.commit(position: 0, of: scored, group: "a")
      }
      try writer.transact { try $0.commit(position: 2, of: events, group: "a") }
      #expect(try log.position(of: events, group: "a", role: .scorer) == 2)
      #expect(try log.position(of: events, group: "b", role: .scorer) == .max)
      #expect(try log.position(of: other, group: "a", role: .scorer) == 3)
      #expect(try log.position(of: scored, group: "a", role: .scorer) == 0)
      #expect(try log.position(of: scored, group: "b", role: .scorer) == nil)
      #expect(try log.position(of: events, group: "a", role: .trainer) == nil)
      #expect(try writer.transact { try $0.position(of: events, group: "a") } == 2)
    }
  }

  @Test(arguments: Backend.allCases)
  func stateIsPutReplacedAndRemoved(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.trainer, exclusive: true)
      let large = [UInt8](repeating: 9, count: 1 << 20)
      // "é" composed and decomposed are equal as strings, and two keys.
      let composed = "window/\u{E9}"
      let decomposed = "window/e\u{301}"
      try writer.transact { transaction in
        try transaction.put(state: [], for: "empty")
        try transaction.put(state: large, for: "window/b")
        try transaction.put(state: [1], for: "window/a")
        try transaction.put(state: [2], for: composed)
        try transaction.put(state: [3], for: decomposed)
        try transaction.put(state: [4], for: "windows")
      }
      #expect(try log.state("empty", role: .trainer) == [])
      #expect(try log.state("window/b", role: .trainer) == large)
      #expect(try log.state(composed, role: .trainer) == [2])
      #expect(try log.state(decomposed, role: .trainer) == [3])
      #expect(try log.state("window", role: .trainer) == nil)
      #expect(try log.state("empty", role: .scorer) == nil)
      let keys = try log.stateKeys(prefix: "window/", role: .trainer)
      #expect(
        keys.map { Array($0.utf8) }
          == ["window/a", "window/b", decomposed, composed].map { Array($0.utf8) })
      try writer.transact { transaction in
        try transaction.put(state: [5], for: "window/a")
        try transaction.removeState("window/b")
        try transaction.removeState("never there")
        #expect(try transaction.state("window/b") == nil)
      }
      #expect(try log.state("window/a", role: .trainer) == [5])
      #expect(try log.state("window/b", role: .trainer) == nil)
      #expect(try log.stateKeys(prefix: "", role: .trainer).count == 5)
    }
  }

  @Test(arguments: Backend.allCases)
  func anOlderExclusiveWriterIsFencedBeforeItsBodyRuns(_ backend: Backend) throws {
    try backend.withLog { log in
      let first = try log.writer(.scorer, exclusive: true)
      #expect(first.epoch == 1)
      try first.append(["one"], to: scored)
      let second = try log.writer(.scorer, exclusive: true)
      #expect(second.epoch == 2)
      var hasRun = false
      let error = try topicError { try first.transact { _ in hasRun = true } }
      #expect(error.code == .fenced)
      #expect(!error.isRetriable)
      #expect(!hasRun)
      try second.append(["two"], to: scored)
      try expectError(.fenced) { try first.append(["late"], to: scored) }
      #expect(try log.reader(scored, of: .scorer).texts() == ["one", "two"])
      // Other roles have epochs of their own, and shared writers none.
      #expect(try log.writer(.trainer, exclusive: true).epoch == 1)
      let shared = try [1, 2].map { _ in try log.writer(.producers, exclusive: false) }
      for _ in 0..<3 { for writer in shared { try writer.append(["x"], to: events) } }
      #expect(try log.reader(events, of: .producers).endOffset() == 6)
    }
  }

  @Test(arguments: Backend.allCases)
  func transactionsThatChangeNothingDoNotHideOtherWriters(_ backend: Backend) throws {
    try backend.withLog { log in
      let first = try log.writer(.producers, exclusive: false)
      let second = try log.writer(.producers, exclusive: false)
      try first.append(["a"], to: events)
      for _ in 0..<3 {
        try first.transact { try $0.removeState("never there") }
        try second.append(["b"], to: events)
        try first.append(["c"], to: events)
      }
      #expect(
        try log.reader(events, of: .producers).texts() == ["a", "b", "c", "b", "c", "b", "c"])
    }
  }

  @Test(arguments: Backend.allCases)
  func aTransactionInsideAnotherOfItsRoleIsRefused(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.scorer, exclusive: true)
      let trainer = try log.writer(.trainer, exclusive: true)
      try writer.transact { _ in
        try expectError(.invalid) { try writer.transact { _ in } }
        try expectError(.invalid) { _ = try log.writer(.scorer, exclusive: true) }
        // Another role's does not wait for this one.
        try trainer.append(["m"], to: TopicPartition("models"))
      }
      #expect(try log.reader(TopicPartition("models"), of: .trainer).endOffset() == 1)
    }
  }

  @Test(arguments: Backend.allCases)
  func aTransactionCannotBeUsedAfterItsEnd(_ backend: Backend) throws {
    try backend.withLog { log in
      let writer = try log.writer(.scorer, exclusive: true)
      let escaped = try writer.transact { $0 }
      try expectError(.invalid) { try escaped.append(RecordBatch(["x"]), to: scored) }
      try expectError(.invalid) { _ = try escaped.state("k") }
    }
  }
}
