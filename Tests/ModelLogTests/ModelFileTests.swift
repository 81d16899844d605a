import Learners
import ModelLog
import Testing

@Suite struct ModelFileTests {
  /// Version 3, a delta, with all that is needed to serve it.
  private func model(_ kind: ModelKind) throws -> ServedModel {
    var subject = Subject(kind)
    var publisher = UpdatePublisher(snapshotEvery: 10)
    var served: ServedModel?
    for _ in 0..<3 {
      served = try applied(subject.publish(with: &publisher).update, to: served)
    }
    return try #require(served)
  }

  @Test(arguments: ModelKind.allCases)
  func fileHoldsTheVersionAsItWasServed(_ kind: ModelKind) throws {
    let model = try model(kind)
    let read = try ModelFile.decode(ModelFile.encode(model))
    #expect(areIdentical(read.parameters, model.parameters))
    #expect(read.digest == model.digest)
    #expect(read.header.name == "p/m@3")
    #expect(read.header.isSnapshot)
    #expect(read.header.threshold == model.header.threshold)
    #expect(read.features == Subject.featureNames)
    #expect(read.definition == "definition\n")
  }

  @Test func damagedFilesAreRefused() throws {
    let bytes = ModelFile.encode(try model(.kMeans))
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0x10
      #expect(throws: UpdateError.self) { try ModelFile.decode(damaged) }
    }
    for count in [0, 7, 8, 20, 51, 52, bytes.count - 1] {
      expectRefusal(.corrupt) { _ = try ModelFile.decode(Array(bytes[..<count])) }
    }
    expectRefusal(.corrupt) { _ = try ModelFile.decode(bytes + [0]) }
    var newer = bytes
    newer[8] = 2
    expectRefusal(.newerFormat) { _ = try ModelFile.decode(newer) }
  }
}
