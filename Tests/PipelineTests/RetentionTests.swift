import ModelLog
import Pipeline
import Testing
import Topics

/// Retention as services apply it: old records go, and nothing that somebody has still to read.
@Suite struct RetentionTests {
  /// A folder whose topics keep next to nothing.
  private func withServices(_ body: (Services, EmbeddedLog) throws -> Void) throws {
    try withFolder { folder in
      let log = try EmbeddedLog(folder: folder + "/log", access: .readWrite)
      var settings = RetentionSettings()
      for topic in PipelineTopics.names { settings[topic] = Retention(maximumBytes: 1) }
      try settings.write(folder: log.folder)
      try body(Services(log: log, pipeline: try .test()), log)
    }
  }

  /// Each look at the clock is long after the one before, so that nothing rests.
  private func keeper(_ log: EmbeddedLog) -> TopicKeeper {
    var time = start
    return TopicKeeper(
      RetentionKeeper(folder: log.folder) {
        time += 100_000
        return time
      }, logger: silent, now: { start })
  }

  private func offsets(_ log: any TopicLog, _ topic: TopicPartition) throws -> Range<UInt64> {
    let found = try #require(try log.describe().first { $0.partition == topic })
    return found.startOffset..<found.endOffset
  }

  private func produce(_ events: [Event], _ services: Services, _ log: EmbeddedLog) throws {
    try withFile(events.map(\.history).joined(separator: "\n") + "\n") { path in
      var producer = try Producer(
        source: ProducerSource(path: path, schema: services.pipeline.schema), log: log,
        target: .pipeline(services.pipeline, labelDelay: nil), rate: nil, now: { start },
        elapsed: { 0 }, keeper: keeper(log))
      try producer.run(stop: StopSignal())
    }
  }

  @Test func whatIsReadGoesAndWhatIsNotStays() throws {
    try withServices { services, log in
      let events = Event.stream(6000)
      try produce(Array(events[..<3000]), services, log)
      // Nobody has read anything yet.
      #expect(try offsets(log, PipelineTopics.events) == 0..<3000)
      let scorer = try ScorerService(
        pipeline: services.pipeline, log: log, logger: silent, now: { start },
        keeper: keeper(log))
      try scorer.run(stop: StopSignal(), untilEnd: true)
      #expect(try offsets(log, PipelineTopics.scored).lowerBound == 0)
      #expect(try offsets(log, PipelineTopics.decisions).lowerBound > 0)
      try produce(Array(events[3000...]), services, log)
      let kept = try offsets(log, PipelineTopics.events)
      #expect(kept.lowerBound > 0 && kept.lowerBound <= 3000 && kept.upperBound == 6000)
      #expect(try offsets(log, PipelineTopics.labels) == 0..<6000)

      let trainer = try TrainerService(
        pipeline: services.pipeline, log: log, logger: silent, now: { start },
        keeper: keeper(log))
      try trainer.run(stop: StopSignal(), untilEnd: true)
      try scorer.run(stop: StopSignal(), untilEnd: true)
      try trainer.run(stop: StopSignal(), untilEnd: true)
      #expect(scorer.counters.events == 6000)
      #expect(trainer.engine.counters.examples == 6000)

      // A scorer starts from what is left, and knows identifiers from it.
      let next = try services.scorer()
      #expect(next.servedNames.count == 3)
      #expect(next.counters.updates.refused == 0)
      #expect(try services.updates().contains { $0.header.isSnapshot })
    }
  }
}
