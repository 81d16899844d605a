import Learners
import LinearAlgebra
import ModelLog
import Testing

@Suite struct ServedModelTests {
  @Test(arguments: ModelKind.allCases)
  func encodedUpdateReadsBackAsItWas(_ kind: ModelKind) throws {
    var subject = Subject(kind)
    var publisher = UpdatePublisher(after: 41, snapshotEvery: 3)
    for _ in 0..<5 {
      var (update, _) = try subject.publish(with: &publisher, epoch: 7)
      update.header.time = 1_522_540_831_123
      update.header.positions = [
        .init(topic: "scored", partition: 0, offset: 99),
        .init(topic: "labels", partition: 3, offset: 1 << 40),
      ]
      let read = try ParameterUpdate(bytes: update.encode())
      #expect(read.header == update.header)
      #expect(read.definition == update.definition)
      #expect(read.features == update.features)
      #expect(read.digest == update.digest)
      #expect(read.partCount == update.partCount)
      #expect(read.changedParts == update.changedParts)
      #expect(read.encode() == update.encode())
    }
  }

  @Test func whatIsNotDefinedStaysUndefined() throws {
    var subject = Subject(.kMeans)
    var publisher = UpdatePublisher(snapshotEvery: 3)
    let parameters = try subject.next()
    var header = subject.header(threshold: nil)
    header.figures = .init()
    let update = publisher.makeUpdate(
      of: parameters, header: header, definition: "", features: [])
    let read = try ParameterUpdate(bytes: update.encode())
    #expect(read.header.threshold == nil)
    #expect(read.header.figures == ParameterUpdate.Figures())
    #expect(read.definition == nil)
  }

  /// Through the bytes of the topic, snapshots and deltas alike.
  @Test(arguments: ModelKind.allCases)
  func sequenceOfUpdatesGivesThePublishersParameters(_ kind: ModelKind) throws {
    var subject = Subject(kind)
    var publisher = UpdatePublisher(snapshotEvery: 7)
    var assembler = UpdateAssembler()
    var served: ServedModel?
    var deltas = 0
    for version in 1...40 {
      let (update, parameters) = try subject.publish(with: &publisher)
      for piece in UpdateChunks.split(update, largestBody: 700) {
        guard let read = try assembler.take(bytes: piece) else { continue }
        served = try applied(read, to: served)
      }
      let model = try #require(served)
      #expect(model.header.version == UInt64(version))
      #expect(model.digest == update.digest)
      #expect(areIdentical(model.parameters, parameters))
      #expect(model.features == Subject.featureNames)
      #expect(model.definition == "definition\n")
      #expect(Digest(of: model.partDigests) == model.digest)
      deltas += update.header.isSnapshot ? 0 : 1
    }
    // k-means moves all of its centres; the others have something to save.
    #expect(kind == .kMeans || deltas > 20)
  }

  @Test(arguments: ModelKind.allCases)
  func applyingTwiceChangesNothing(_ kind: ModelKind) throws {
    var subject = Subject(kind)
    var publisher = UpdatePublisher(snapshotEvery: 10)
    let first = try subject.publish(with: &publisher).update
    let second = try subject.publish(with: &publisher).update
    let served = try applied(second, to: applied(first))
    for update in [second, first, second] {
      guard case .known = try ServedModel.apply(update, to: served, fingerprint: fingerprint) else {
        Issue.record("\(update.header.name) was applied again")
        continue
      }
    }
  }

  @Test func deltaWithoutItsBaseIsAGapUntilTheNextSnapshot() throws {
    var subject = Subject(.isolationForest)
    var publisher = UpdatePublisher(snapshotEvery: 4)
    let updates = try (0..<8).map { _ in try subject.publish(with: &publisher) }
    #expect(
      updates.map(\.update.header.isSnapshot) == [
        true, false, false, false, true, false, false, false,
      ])
    expectRefusal(.gap) { _ = try applied(updates[1].update) }
    let served = try applied(updates[0].update)
    for missed in 2...3 {
      expectRefusal(.gap) { _ = try applied(updates[missed].update, to: served) }
    }
    let healed = try applied(updates[5].update, to: applied(updates[4].update, to: served))
    #expect(areIdentical(healed.parameters, updates[5].parameters))
  }

  @Test func olderEpochIsRefusedHoweverNewItsVersion() throws {
    var subject = Subject(.logisticRegression)
    var old = UpdatePublisher(after: 100, snapshotEvery: 4)
    var new = UpdatePublisher(snapshotEvery: 4)
    let served = try applied(subject.publish(with: &new, epoch: 3).update)
    let zombie = try subject.publish(with: &old, epoch: 2).update
    expectRefusal(.olderEpoch) { _ = try applied(zombie, to: served) }
  }

  @Test func aVersionIsNeverUsedTwice() throws {
    var subject = Subject(.logisticRegression)
    var publisher = UpdatePublisher(after: 6, snapshotEvery: 1)
    let served = try applied(subject.publish(with: &publisher).update)
    var again = UpdatePublisher(after: 6, snapshotEvery: 1)
    let other = try subject.publish(with: &again).update
    #expect(other.header.version == served.header.version)
    expectRefusal(.reusedVersion) { _ = try applied(other, to: served) }
    // A trainer that goes on from an older copy of its state.
    var older = UpdatePublisher(after: 3, snapshotEvery: 1)
    let earlier = try subject.publish(with: &older, epoch: 2).update
    expectRefusal(.reusedVersion) { _ = try applied(earlier, to: served) }
  }

  @Test func anotherPipelineFilesParametersAreRefusedUnlessAnyAreWanted() throws {
    var subject = Subject(.logisticRegression)
    var publisher = UpdatePublisher(snapshotEvery: 4)
    let update = try subject.publish(with: &publisher).update
    expectRefusal(.fingerprint) {
      _ = try ServedModel.apply(update, to: nil, fingerprint: Digest(of: [1]))
    }
    guard case .applied = try ServedModel.apply(update, to: nil, fingerprint: nil) else {
      Issue.record("not applied")
      return
    }
  }

  @Test func newerFormatsAndUnknownKindsAreRefused() throws {
    let parts = logisticParts(weights: [1])
    let kind = ModelKind.logisticRegression.rawValue
    _ = try ParameterUpdate(bytes: handmadeSnapshot(kind: kind, parts: parts))
    expectRefusal(.newerFormat) {
      let newer = UInt64(ParameterUpdate.format) + 1
      _ = try ParameterUpdate(bytes: handmadeSnapshot(kind: kind, parts: parts, format: newer))
    }
    expectRefusal(.newerFormat) {
      _ = try ParameterUpdate(bytes: handmadeSnapshot(kind: "gradient-boosting", parts: parts))
    }
  }

  @Test func tamperedPartsDoNotMatchTheirDigest() throws {
    let kind = ModelKind.logisticRegression.rawValue
    let digest = Digest(of: logisticParts(weights: [1]).map { Digest(of: $0) })
    let update = try ParameterUpdate(
      bytes: handmadeSnapshot(kind: kind, parts: logisticParts(weights: [2]), digest: digest))
    expectRefusal(.digest) { _ = try applied(update) }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300])
  func parametersThatAreNotFiniteAreRefused(_ value: Double) throws {
    let kind = ModelKind.logisticRegression.rawValue
    let snapshots = [
      handmadeSnapshot(kind: kind, parts: logisticParts(weights: [value])),
      handmadeSnapshot(kind: kind, parts: logisticParts(weights: [1], mean: value)),
      handmadeSnapshot(kind: kind, parts: logisticParts(weights: [1]), threshold: value),
      handmadeSnapshot(
        kind: ModelKind.kMeans.rawValue,
        parts: [
          Wire.doubles(1, [0]) + Wire.doubles(2, [1]),
          Wire.doubles(1, [value == 1e300 ? .nan : value]) + Wire.double(2, 1) + Wire.double(3, 1),
        ]),
    ]
    for snapshot in snapshots {
      expectRefusal(.nonFinite) { _ = try applied(ParameterUpdate(bytes: snapshot)) }
    }
  }

  @Test func kMeansWithoutSpreadIsRefused() throws {
    let snapshot = handmadeSnapshot(
      kind: ModelKind.kMeans.rawValue,
      parts: [
        Wire.doubles(1, [0]) + Wire.doubles(2, [1]),
        Wire.doubles(1, [0]) + Wire.double(2, 0) + Wire.double(3, 1),
      ])
    expectRefusal(.nonFinite) { _ = try applied(ParameterUpdate(bytes: snapshot)) }
  }

  /// Parts whose digests are right, but which are no parameters of their kind.
  @Test(arguments: ModelKind.allCases)
  func malformedPartsAreRefused(_ kind: ModelKind) throws {
    let malformed: [[[UInt8]]] = [
      [[0xff, 0xff], [0xff, 0xff]],  // no messages
      [[], [], []],
      [[]],
      [Wire.doubles(1, [1, 2]) + Wire.doubles(2, [1]), []],  // as many means as scales
      [Wire.doubles(1, [1, 2]) + Wire.doubles(2, [1, 1]), Wire.doubles(1, [1, 2, 3])],
      [Wire.number(1, 256), Wire.number(2, 4)],  // a tree without nodes
    ]
    for parts in malformed {
      let update = try ParameterUpdate(bytes: handmadeSnapshot(kind: kind.rawValue, parts: parts))
      do {
        let model = try applied(update)
        // What is empty all through can be a model of no features, but of nothing else.
        #expect(model.parameters.featureCount == 0)
      } catch let error as UpdateError {
        #expect([.corrupt, .nonFinite].contains(error.code), "\(error)")
      }
    }
  }

  /// Numbers that no publisher writes must not reach code that prints or counts with them.
  @Test func numbersOutOfRangeAreRefused() throws {
    let parts = logisticParts(weights: [1])
    let kind = ModelKind.logisticRegression.rawValue
    for bytes in [
      handmadeSnapshot(kind: kind, parts: parts, version: .max),
      handmadeSnapshot(kind: kind, parts: parts, epoch: .max),
      handmadeSnapshot(kind: kind, parts: parts) + Wire.number(15, .max),
      handmadeSnapshot(kind: kind, parts: parts) + Wire.number(12, UInt64(bitPattern: .min)),
      handmadeSnapshot(kind: kind, parts: parts) + Wire.number(13, UInt64(bitPattern: .min)),
      handmadeSnapshot(kind: kind, parts: parts) + Wire.bytes(16, Wire.number(1, .max)),
      handmadeSnapshot(kind: kind, parts: parts) + Wire.bytes(14, Wire.number(3, .max)),
    ] {
      expectRefusal(.corrupt) { _ = try ParameterUpdate(bytes: bytes) }
    }
  }

  @Test(arguments: ModelKind.allCases)
  func servedModelScoresAsThePublishersDoes(_ kind: ModelKind) throws {
    var subject = Subject(kind)
    var publisher = UpdatePublisher(snapshotEvery: 5)
    var served: ServedModel?
    var last: (any ModelParameters)?
    for _ in 0..<4 {
      let (update, parameters) = try subject.publish(with: &publisher)
      served = try applied(ParameterUpdate(bytes: update.encode()), to: served)
      last = parameters
    }
    let events = Matrix(rows: [[0, 0, 0], [3, 3, 3], [-9, 1, 40]])
    var mine = [Float](repeating: .nan, count: 3)
    var theirs = mine
    try #require(served).parameters.score(events, into: &mine)
    try #require(last).score(events, into: &theirs)
    #expect(mine == theirs)
  }

  private func logisticParts(weights: [Double], mean: Double = 0) -> [[UInt8]] {
    [
      Wire.doubles(1, weights.map { _ in mean }) + Wire.doubles(2, weights.map { _ in 1 }),
      Wire.double(1, 0.5) + Wire.doubles(2, weights),
    ]
  }
}
