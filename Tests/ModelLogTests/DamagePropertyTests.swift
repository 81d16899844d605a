import Learners
import ModelLog
import Testing

/// Whatever bytes come, nothing traps, and what is served is never anything but parameters that
/// were published.
@Suite struct DamagePropertyTests {
  private static let seed = UInt64.random(in: 1...1_000_000)

  @Test(arguments: ModelKind.allCases)
  func flippedBytesNeverAlterParameters(_ kind: ModelKind) throws {
    let seed = Self.seed
    var random = SeededGenerator(seed: seed)
    var subject = Subject(kind)
    var publisher = UpdatePublisher(snapshotEvery: 4)
    let published = try (0..<4).map { _ in try subject.publish(with: &publisher) }
    let base = try applied(published[0].update)
    for (update, parameters) in published[...1] {
      let bytes = update.encode()
      for _ in 0..<1500 {
        let damaged = damage(bytes, &random)
        // The records' checksum would stop these; here they have to be stopped without it.
        guard let read = try? ParameterUpdate(bytes: damaged) else { continue }
        for served in [nil, base] {
          guard
            case .applied(let model)? = try? ServedModel.apply(
              read, to: served, fingerprint: fingerprint)
          else { continue }
          // A flip in the header may make a sound update of another version: its digest must still
          // name what is served.
          #expect(Digest(of: model.partDigests) == model.digest, "seed \(seed)")
          if model.digest == update.digest, model.header.kind == kind {
            #expect(areIdentical(model.parameters, parameters), "seed \(seed)")
          } else {
            #expect(model.digest == base.digest || read.digest == model.digest, "seed \(seed)")
          }
        }
      }
    }
  }

  @Test(arguments: ModelKind.allCases)
  func damagedRecordsAreRefusedOrGiveTheUpdateThatWasWritten(_ kind: ModelKind) throws {
    let seed = Self.seed
    var random = SeededGenerator(seed: seed &+ 1)
    var subject = Subject(kind)
    var publisher = UpdatePublisher(snapshotEvery: 4)
    let update = try subject.publish(with: &publisher).update
    let records = UpdateChunks.split(update, largestBody: 1500)
    for _ in 0..<500 {
      var assembler = UpdateAssembler()
      let victim = Int.random(in: 0..<records.count, using: &random)
      for (index, record) in records.enumerated() {
        let bytes = index == victim ? damage(record, &random) : record
        guard let read = try? assembler.take(bytes: bytes) else { continue }
        #expect(read.encode() == update.encode(), "seed \(seed)")
      }
      // The assembler goes on with the next update.
      let again = try records.compactMap { try assembler.take(bytes: $0) }
      #expect(again.map { $0.encode() } == [update.encode()], "seed \(seed)")
    }
  }

  @Test func randomBytesAreRefused() throws {
    let seed = Self.seed
    var random = SeededGenerator(seed: seed &+ 2)
    var assembler = UpdateAssembler()
    for _ in 0..<5000 {
      let count = Int.random(in: 0...200, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect((try? assembler.take(bytes: bytes)) == nil, "seed \(seed)")
      #expect((try? ParameterUpdate(bytes: bytes)) == nil, "seed \(seed)")
    }
  }

  /// A few bytes changed, bytes cut off, or bytes put in.
  private func damage(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var damaged = bytes
    switch Int.random(in: 0..<4, using: &random) {
    case 0: damaged.removeLast(Int.random(in: 1...bytes.count, using: &random))
    case 1:
      damaged.insert(
        UInt8.random(in: 0...255, using: &random),
        at: Int.random(in: 0...bytes.count, using: &random))
    case 2: damaged.remove(at: Int.random(in: 0..<bytes.count, using: &random))
    default:
      // Most of the interesting fields are near the front.
      let limit = Bool.random(using: &random) ? min(200, bytes.count) : bytes.count
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        damaged[Int.random(in: 0..<limit, using: &random)] ^=
          1 << UInt8.random(in: 0...7, using: &random)
      }
    }
    return damaged
  }
}
