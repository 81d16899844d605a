import Learners
import ModelLog
import Testing

@Suite struct UpdatePublisherTests {
  @Test(arguments: ModelKind.allCases, [1, 2, 5])
  func versionsRiseByOneAndSnapshotsComeInTime(_ kind: ModelKind, _ every: Int) throws {
    var subject = Subject(kind)
    var publisher = UpdatePublisher(snapshotEvery: every)
    var sinceSnapshot = 0
    for version in UInt64(1)...17 {
      let header = try subject.publish(with: &publisher).update.header
      #expect(header.version == version)
      #expect(publisher.version == version)
      #expect(header.base == nil || header.base == version - 1)
      sinceSnapshot = header.isSnapshot ? 0 : sinceSnapshot + 1
      #expect(sinceSnapshot < every)
      if version == 1 { #expect(header.isSnapshot) }
    }
  }

  @Test(arguments: ModelKind.allCases)
  func restartGoesOnWithASnapshot(_ kind: ModelKind) throws {
    var subject = Subject(kind)
    var publisher = UpdatePublisher(snapshotEvery: 10)
    for _ in 0..<3 { _ = try subject.publish(with: &publisher) }
    var restarted = UpdatePublisher(after: publisher.version, snapshotEvery: 10)
    let header = try subject.publish(with: &restarted, epoch: 2).update.header
    #expect(header.version == 4)
    #expect(header.isSnapshot)
  }

  @Test func deltaOfAForestCarriesOnlyReplacedTrees() throws {
    var subject = Subject(.isolationForest)
    var publisher = UpdatePublisher(snapshotEvery: 100)
    _ = try subject.next(rows: 256)
    var previous = try #require(
      subject.publish(with: &publisher).parameters as? IsolationForestParameters)
    for _ in 0..<10 {
      let (update, parameters) = try subject.publish(with: &publisher)
      let forest = try #require(parameters as? IsolationForestParameters)
      let replaced = zip(previous.trees, forest.trees).count { $0.serial != $1.serial }
      // 64 rows replace a tree every 16.
      #expect(replaced == 4)
      #expect(update.changedParts == replaced)
      #expect(!update.header.isSnapshot)
      #expect(update.encode().count < 8_000)
      previous = forest
    }
  }

  @Test func unchangedParametersMakeAnEmptyDelta() throws {
    var subject = Subject(.logisticRegression)
    var publisher = UpdatePublisher(snapshotEvery: 10)
    let (first, parameters) = try subject.publish(with: &publisher)
    let second = publisher.makeUpdate(
      of: parameters, header: subject.header(), definition: "", features: [])
    #expect(second.changedParts == 0)
    #expect(second.digest == first.digest)
    let served = try applied(ParameterUpdate(bytes: second.encode()), to: applied(first))
    #expect(areIdentical(served.parameters, parameters))
    #expect(served.header.version == 2)
  }

  @Test func updatesOnlyNameWhatTheyCarry() throws {
    var subject = Subject(.logisticRegression)
    var publisher = UpdatePublisher(snapshotEvery: 10)
    let snapshot = try subject.publish(with: &publisher).update
    let delta = try subject.publish(with: &publisher).update
    #expect(snapshot.header.name == "p/m@1")
    #expect(snapshot.definition == "definition\n")
    #expect(snapshot.features == Subject.featureNames)
    #expect(delta.definition == nil)
    #expect(delta.features.isEmpty)
  }
}
