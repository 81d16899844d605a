import CFaults
import Testing
import Topics

/// What a commit waits for, seen by the system calls it makes.
@Suite("Durability")
struct DurabilityTests {
  private let events = TopicPartition("events")

  /// The syncs of ten commits.
  private func syncs(_ writer: any TopicWriter) throws -> Int {
    weir_faults_arm(0, 0, 0)
    defer { _ = weir_faults_disarm() }
    for _ in 0..<10 { try writer.append(["a"], to: events) }
    // Proof that the calls are seen at all.
    #expect(weir_faults_writes() >= 20)
    return Int(weir_faults_syncs())
  }

  @Test(arguments: Durability.allCases)
  func aCommitSyncsAsAsked(_ durability: Durability) throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder, access: .readWrite, durability: durability)
      let writer = try log.writer(.producers, exclusive: false)
      // With `always`, the last page of a commit goes through a descriptor that waits by itself.
      #expect(try syncs(writer) == (durability == .none ? 0 : 10))
      #expect(try log.reader(events, of: .producers).endOffset() == 10)
    }
  }

  @Test func logsOfOneProcessShareTheStrictest() throws {
    try withFolder { folder in
      let none = try EmbeddedLog(folder: folder, access: .readWrite)
      let writer = try none.writer(.producers, exclusive: false)
      #expect(try syncs(writer) == 0)
      let batch = try EmbeddedLog(folder: folder, access: .readWrite, durability: .batch)
      let second = try batch.writer(.producers, exclusive: false)
      #expect(try syncs(writer) == 10)
      #expect(try syncs(second) == 10)
      let readOnly = try EmbeddedLog(folder: folder, access: .readOnly)
      #expect(try readOnly.reader(events, of: .producers).endOffset() == 30)
      #expect(try syncs(second) == 10)
    }
  }

  @Test func theNamesAreThoseOfTheCommandLine() {
    #expect(Durability.allCases.map(\.rawValue) == ["none", "batch", "always"])
  }
}
