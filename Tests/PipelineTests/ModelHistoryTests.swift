import Learners
import ModelLog
import Pipeline
import Testing
import Topics

@Suite struct ModelHistoryTests {
  /// Services with a few dozen versions published.
  private func withVersions(_ backend: Backend, _ body: (Services) throws -> Void) throws {
    try backend.withServices { services in
      let events = Event.stream(2500)
      for from in stride(from: 0, to: 2500, by: 500) {
        try services.produce(Array(events[from..<from + 500]))
        try services.score()
        try services.label(Array(events[from..<from + 500]))
        try services.train()
      }
      try body(services)
    }
  }

  @Test(arguments: Backend.allCases)
  func everyVersionCanBeRebuilt(_ backend: Backend) throws {
    try withVersions(backend) { services in
      let history = ModelHistory(log: services.log)
      let updates = try services.updates()
      #expect(updates.count > 30)
      #expect(updates.contains { !$0.header.isSnapshot })
      for update in updates {
        let reference = try #require(ModelReference(update.header.name))
        let model = try history.version(reference)
        #expect(model.digest == update.digest)
        #expect(model.header == update.header)
        #expect(model.features == services.pipeline.plan.names)
        #expect(model.definition == services.pipeline.definition)
      }
      let newest = try history.version(#require(ModelReference("test/fraud")))
      #expect(newest.digest == updates.last { $0.header.model == "fraud" }?.digest)
    }
  }

  @Test func whatIsNotThereIsNamed() throws {
    try withVersions(.memory) { services in
      let history = ModelHistory(log: services.log)
      for (reference, words) in [
        ("test/fraud@9999", "newest version is"), ("test/nobody", "test/nobody"),
        ("nobody/fraud@1", "nobody/fraud"),
      ] {
        let error = try #require(throws: ModelHistory.NotFound.self) {
          _ = try history.version(#require(ModelReference(reference)))
        }
        #expect(error.description.contains(words))
      }
      var count = 0
      try history.forEach(pipeline: "nobody") { _ in count += 1 }
      #expect(count == 0)
    }
  }

  @Test func parametersAreNamedByFeature() throws {
    try withVersions(.memory) { services in
      let history = ModelHistory(log: services.log)
      let fraud = try history.version(#require(ModelReference("test/fraud")))
      let parameters = try #require(fraud.parameters as? LogisticParameters)
      let named = fraud.namedParameters
      #expect(named.first { $0.group == "intercept" }?.value == parameters.intercept)
      #expect(named.filter { $0.group == "weight" }.map(\.feature) == services.pipeline.plan.names)
      #expect(named.filter { $0.group == "weight" }.map(\.value) == parameters.weights)
      let outlier = try history.version(#require(ModelReference("test/outlier")))
      #expect(outlier.namedParameters.first { $0.group == "trees" }?.value == 20)
      let clusters = try history.version(#require(ModelReference("test/clusters")))
      #expect(Set(clusters.namedParameters.map(\.group)).isSuperset(of: ["centre 0", "centre 1"]))
    }
  }

  @Test func differenceNamesWhatMoved() throws {
    try withVersions(.memory) { services in
      let history = ModelHistory(log: services.log)
      func version(_ text: String) throws -> ServedModel {
        try history.version(#require(ModelReference(text)))
      }
      let (old, new) = (try version("test/fraud@1"), try version("test/fraud"))
      let difference = try ModelDifference(old, new)
      let before = try #require(old.parameters as? LogisticParameters)
      let after = try #require(new.parameters as? LogisticParameters)
      let move = try #require(
        difference.moved.first { $0.group == "weight" && $0.feature == "amount" })
      #expect(move.from == before.weights[0])
      #expect(move.to == after.weights[0])
      #expect(move.change == after.weights[0] - before.weights[0])
      #expect(difference.changedParts == 2)
      #expect(difference.partCount == 2)
      let none = try ModelDifference(new, new)
      #expect(none.moved.isEmpty)
      #expect(none.changedParts == 0)
      #expect(none.parameterCount == difference.parameterCount)
      #expect(throws: ModelDifference.Incomparable.self) {
        try ModelDifference(new, version("test/outlier"))
      }
    }
  }

  @Test(
    arguments: [
      ("a/b", "a", "b", nil), ("a/b@1", "a", "b", 1),
      ("card-fraud/fraud@42", "card-fraud", "fraud", 42),
    ] as [(String, String, String, UInt64?)])
  func referencesAreRead(_ text: String, _ pipeline: String, _ model: String, _ version: UInt64?)
    throws
  {
    let reference = try #require(ModelReference(text))
    #expect(reference.pipeline == pipeline)
    #expect(reference.model == model)
    #expect(reference.version == version)
    #expect(reference.description == text)
  }

  @Test(arguments: [
    "", "a", "a/", "/b", "a/b/c", "a/b@", "a/b@0", "a/b@-1", "a/b@x", "a/b@1@2", "a@1", "@1",
    "a/b@1.0",
    "a/b@99999999999999999999999",
  ])
  func otherTextsAreNoReferences(_ text: String) { #expect(ModelReference(text) == nil) }
}
