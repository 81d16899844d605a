import Foundation
import ModelLog
import Pipeline
import Testing
import Topics

/// A scorer starts from the newest snapshots, however long the topic is and whatever is on it.
@Suite struct ScorerStartTests {
  /// Services whose trainer publishes behind records that nobody should need to look at.
  private func withLongTopic(_ backend: Backend, _ body: (Services) throws -> Void) throws {
    try backend.withServices(.test(("every: 200", "every: 32"))) { services in
      let writer = try services.log.writer(services.topics.trainer, exclusive: true)
      var batch = RecordBatch()
      for _ in 0..<500 { batch.append(key: nil, value: [0xff], timestamp: 0) }
      try writer.transact { _ = try $0.append(batch, to: PipelineTopics.models) }
      // Without labels, one of the models never gets anywhere.
      try services.produce(Event.stream(1000))
      try services.score()
      try services.train()
      try body(services)
    }
  }

  /// Names of the newest versions on the topic.
  private func newest(_ services: Services) throws -> [String] {
    var names: [String: String] = [:]
    try ModelHistory(log: services.log).forEach { record in
      guard case .update(let update) = record.content else { return }
      names[update.header.model] = update.header.name
    }
    return services.pipeline.models.compactMap { names[$0.name] }
  }

  @Test(arguments: Backend.allCases)
  func onlyWhatIsNeededIsRead(_ backend: Backend) throws {
    try withLongTopic(backend) { services in
      // The first scorer has followed all of the topic; this one begins anew.
      try services.log.writer(services.topics.scorer, exclusive: true)
        .transact { try $0.removeState("refusals") }
      let scorer = try services.scorer()
      #expect(scorer.servedNames.count == 2)
      #expect(try scorer.servedNames == newest(services))
      try services.produce(Event.stream(10, seed: 2))
      try scorer.run(stop: StopSignal(), untilEnd: true)
      // Whoever reads the records before the updates finds them damaged.
      #expect(scorer.counters.updates.refused == 0)
    }
  }

  @Test(arguments: Backend.allCases)
  func withoutItsIndexTheTopicIsSearched(_ backend: Backend) throws {
    try withLongTopic(backend) { services in
      let expected = try newest(services)
      let writer = try services.log.writer(services.topics.trainer, exclusive: true)
      for index in [nil, [1, 2, 3]] as [[UInt8]?] {
        try writer.transact { transaction in
          if let index {
            try transaction.put(state: index, for: "updates")
          } else {
            try transaction.removeState("updates")
          }
        }
        #expect(try services.scorer().servedNames == expected)
      }
    }
  }

  /// Flips a byte of the newest snapshot in the file.
  @Test func aDamagedNewestSnapshotLeavesTheOneBefore() throws {
    try withFolder { folder in
      let services = Services(
        log: try EmbeddedLog(folder: folder + "/log", access: .readWrite),
        pipeline: try .test(("every: 200", "every: 32")))
      try services.produce(Event.stream(1000))
      try services.score()
      try services.train()
      let snapshot = try #require(
        try services.updates().last { $0.header.isSnapshot && $0.header.model == "clusters" })
      let file = "\(folder)/log/\(services.topics.trainer.name)/data.mdb"
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
      let content = try #require(try handle.readToEnd())
      // Pages that are no longer used may hold a copy.
      var from = content.startIndex
      while let place = content.range(of: Data(snapshot.digest.bytes), in: from..<content.endIndex)
      {
        try handle.seek(toOffset: UInt64(place.lowerBound))
        try handle.write(contentsOf: Data([content[place.lowerBound] ^ 1]))
        from = place.upperBound
      }
      try handle.close()

      let scorer = try services.scorer()
      let served = try #require(scorer.servedNames.first { $0.hasPrefix("test/clusters@") })
      let version = try #require(UInt64(served.split(separator: "@")[1]))
      #expect(version < snapshot.header.version)
      #expect(version > 1)
      #expect(scorer.counters.updates.refusedByCode[.damagedBatch] == 1)
    }
  }
}
