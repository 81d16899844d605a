import Learners
import ModelLog
import Testing

@Suite struct UpdateChunkTests {
  private let update: ParameterUpdate
  private let next: ParameterUpdate

  init() throws {
    var subject = Subject(.isolationForest)
    var publisher = UpdatePublisher(snapshotEvery: 1)
    _ = try subject.next()
    update = try subject.publish(with: &publisher).update
    next = try subject.publish(with: &publisher).update
  }

  /// The updates that come of records, and how many records were refused.
  private func assemble(_ records: [[UInt8]]) -> (updates: [ParameterUpdate], refused: Int) {
    var assembler = UpdateAssembler()
    var updates: [ParameterUpdate] = []
    var refused = 0
    for record in records {
      do {
        if let update = try assembler.take(bytes: record) { updates.append(update) }
      } catch { refused += 1 }
    }
    return (updates, refused)
  }

  @Test(arguments: [1, 100, 1000, 1_000_000])
  func splitUpdatesComeTogetherAgain(_ largestBody: Int) throws {
    let records = UpdateChunks.split(update, largestBody: largestBody)
    let size = update.encode().count
    #expect(records.count == (size + largestBody - 1) / largestBody)
    let (updates, refused) = assemble(records + UpdateChunks.split(next, largestBody: largestBody))
    #expect(refused == 0)
    #expect(updates.map { $0.encode() } == [update.encode(), next.encode()])
  }

  @Test func exactMultiplesLeaveNoEmptyPiece() throws {
    let size = update.encode().count
    #expect(UpdateChunks.split(update, largestBody: size).count == 1)
    let records = UpdateChunks.split(update, largestBody: (size + 1) / 2)
    #expect(records.count == 2)
    #expect(assemble(records).updates.count == 1)
  }

  /// Models interleave on a topic where several trainers share it.
  @Test func updatesOfDifferentModelsMayInterleave() throws {
    var other = update
    other.header.model = "other"
    let mine = UpdateChunks.split(update, largestBody: 2000)
    let theirs = UpdateChunks.split(other, largestBody: 2000)
    let (updates, refused) = assemble(zip(mine, theirs).flatMap { [$0, $1] })
    #expect(refused == 0)
    #expect(updates.map(\.header.model) == ["m", "other"])
  }

  @Test(arguments: ["missing first", "missing middle", "doubled", "reordered", "swapped ends"])
  func damagedSequencesAreNoticedAndTheNextUpdateWorks(_ damage: String) throws {
    var records = UpdateChunks.split(update, largestBody: 1000)
    try #require(records.count > 4)
    switch damage {
    case "missing first": records.removeFirst()
    case "missing middle": records.remove(at: 2)
    case "doubled": records.insert(records[2], at: 2)
    case "reordered": records.swapAt(1, 2)
    default: records.swapAt(0, records.count - 1)
    }
    let (updates, refused) = assemble(records + UpdateChunks.split(next, largestBody: 1000))
    #expect(refused > 0)
    #expect(updates.map(\.header.version) == [2])
  }

  @Test func lostEndIsNoticedAtTheNextDelta() throws {
    var subject = Subject(.isolationForest)
    var publisher = UpdatePublisher(snapshotEvery: 10)
    _ = try subject.next()
    let updates = try (0..<3).map { _ in try subject.publish(with: &publisher).update }
    #expect(!updates[1].header.isSnapshot)
    let records = UpdateChunks.split(updates[1], largestBody: 1000).dropLast()
    let (read, _) = assemble(
      UpdateChunks.split(updates[0]) + records + UpdateChunks.split(updates[2]))
    #expect(read.map(\.header.version) == [1, 3])
    let served = try applied(read[0])
    expectRefusal(.gap) { _ = try applied(read[1], to: served) }
  }

  @Test func bodiesThatDoNotMatchTheirChecksumAreRefused() throws {
    var records = UpdateChunks.split(update, largestBody: 1000)
    // The body is a record's last field.
    records[1][records[1].count - 1] ^= 1
    let (updates, refused) = assemble(records + UpdateChunks.split(next, largestBody: 1000))
    #expect(refused == 1)
    #expect(updates.map(\.header.version) == [2])
  }

  private let withheld = WithheldUpdate(
    pipeline: "p", model: "m", epoch: 3, servedVersion: 7, time: 2_000, eventTime: 1_000,
    code: .figureDrop, reason: "AUROC would fall", action: .fellBack, rows: 512)

  /// Between two pieces of an update it disturbs nothing.
  @Test func withheldUpdateIsReadAsItWasWritten() throws {
    var assembler = UpdateAssembler()
    var records = UpdateChunks.split(update, largestBody: 1000)
    records.insert(UpdateChunks.record(of: withheld), at: 1)
    var read: [WithheldUpdate] = []
    var updates: [ParameterUpdate] = []
    for record in records {
      switch try assembler.result(bytes: record) {
      case .incomplete: break
      case .update(let update): updates.append(update)
      case .withheld(let withheld): read.append(withheld)
      }
    }
    #expect(read == [withheld])
    #expect(updates.map { $0.encode() } == [update.encode()])
    #expect(
      withheld.actionText
        == "fell back to the state of version 7; 512 rows learnt since are left out")
  }

  @Test func wordsOfANewerProgramAreKept() throws {
    var newer = withheld
    newer.code = .init(rawValue: "stale")
    newer.action = .init(rawValue: "asked")
    var assembler = UpdateAssembler()
    let result = try assembler.result(bytes: UpdateChunks.record(of: newer))
    guard case .withheld(let read) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(read == newer)
  }

  @Test func impossibleWithheldUpdatesAreRefused() throws {
    let good = Wire.bytes(7, Array("a".utf8)) + Wire.bytes(9, Array("b".utf8))
    let hostile = [
      Wire.bytes(9, []), Wire.bytes(9, good + Wire.number(4, 1 << 63)),
      Wire.bytes(9, good + Wire.number(5, UInt64(bitPattern: -1))),
      Wire.bytes(9, good + Wire.number(10, 1 << 62)),
      // A piece of an update and a withheld one at once.
      UpdateChunks.split(update)[0] + Wire.bytes(9, good),
    ]
    let (updates, refused) = assemble(hostile + UpdateChunks.split(next))
    #expect(refused == hostile.count)
    #expect(updates.count == 1)
  }

  @Test func recordsThatAreNoPiecesAreRefused() throws {
    let hostile: [[UInt8]] = [
      [], [0xff], Array("{\"event_id\": 1}".utf8), Wire.number(6, 1),  // of no update
      Wire.number(5, 3) + Wire.number(6, 3),  // 3 of 3
      Wire.number(6, 1) + Wire.bytes(7, [UInt8](repeating: 0, count: 16)),
    ]
    let (updates, refused) = assemble(hostile + UpdateChunks.split(next))
    #expect(refused == hostile.count)
    #expect(updates.count == 1)
  }

  /// Told apart, and about which update they are.
  @Test(
    arguments: [
      ("missing first", .incomplete), ("missing middle", .incomplete), ("doubled", .outOfOrder),
      ("flipped", .corrupt), ("another version", .corrupt), ("too many", .tooLarge),
    ] as [(String, UpdateError.Code)])
  func faultsOfPiecesAreToldApart(_ damage: String, _ code: UpdateError.Code) throws {
    var records = UpdateChunks.split(update, largestBody: 1000)
    let last = records.count - 1
    switch damage {
    case "missing first": records.removeFirst()
    case "missing middle": records.remove(at: 2)
    case "doubled": records.insert(records[2], at: 2)
    case "flipped": records[last][records[last].count - 1] ^= 1
    case "another version":
      // All pieces agree, but not with the update in them.
      records = [UpdateChunks.split(update)[0] + Wire.number(4, 9)]
    default: records = [records[0] + Wire.number(6, 1 << 20)]
    }
    var assembler = UpdateAssembler()
    var errors: [UpdateError] = []
    for record in records {
      do { _ = try assembler.take(bytes: record) } catch let error as UpdateError {
        errors.append(error)
      }
    }
    // Once, however many pieces are left.
    #expect(errors.map(\.code) == [code])
    #expect(errors.first?.subject?.description == (damage == "another version" ? "p/m@9" : "p/m@1"))
    #expect(errors.first?.subject?.epoch == 1)
  }

  @Test func halfArrivedUpdateIsNoticedWhenTheNextOneBegins() throws {
    var assembler = UpdateAssembler()
    for record in UpdateChunks.split(update, largestBody: 1000).dropLast() {
      _ = try assembler.take(bytes: record)
    }
    var unfinished: [UpdateError] = []
    let read = try UpdateChunks.split(next)[0].withUnsafeBytes { bytes in
      try assembler.take(bytes) { unfinished.append($0) }
    }
    #expect(unfinished.map(\.code) == [.incomplete])
    #expect(unfinished.first?.subject?.version == 1)
    #expect(read.update?.header.version == 2)
  }

  /// Beginnings without an end, of ever other models, do not pile up.
  @Test func beginningsAreBounded() throws {
    var assembler = UpdateAssembler()
    var refused = 0
    for model in 0..<UpdateAssembler.largestBegun + 10 {
      let piece =
        Wire.bytes(2, Array("m\(model)".utf8)) + Wire.number(6, 2) + Wire.bytes(8, [1])
      do { _ = try assembler.take(bytes: piece) } catch let error as UpdateError {
        #expect(error.code == .tooLarge)
        refused += 1
      }
    }
    #expect(refused == 10)
  }
}
