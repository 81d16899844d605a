import Features
import Foundation
import Learners
import ModelLog
import Pipeline
import Synchronization
import Testing
import Topics

/// A trainer that learns a history before it follows the topics.
@Suite struct HistoryServiceTests {
  @Test(arguments: Backend.allCases)
  func historyIsLearntOnceHoweverOftenItIsInterrupted(_ backend: Backend) throws {
    let events = Event.stream(3000)
    let text = events.map(\.history).joined(separator: "\n")
    func learn(interrupting: Bool) throws -> (digests: [String], examples: UInt64, events: UInt64) {
      var result: ([String], UInt64, UInt64) = ([], 0, 0)
      try withFile(text) { path in
        try backend.withServices { services in
          var runs = 0
          while true {
            runs += 1
            let trainer = try services.trainer()
            var history = try HistoryReader(path: path, schema: services.pipeline.schema)
            let stop = StopSignal()
            var commits = 0
            try trainer.warmUp(&history, stop: stop) { _, _ in
              commits += 1
              if interrupting, commits == runs { stop.request() }
            }
            try trainer.run(stop: stop, untilEnd: true)
            result.1 = trainer.engine.counters.examples
            result.2 = trainer.engine.counters.events
            if !stop.isRequested { break }
          }
          #expect(!interrupting || runs > 3)
          result.0 = try services.updates().map { "\($0.header.name) \($0.digest)" }
          // Learnt to its end, it is not learnt again.
          let trainer = try services.trainer()
          var history = try HistoryReader(path: path, schema: services.pipeline.schema)
          try trainer.warmUp(&history, stop: StopSignal())
          #expect(trainer.engine.counters.events == 3000)
        }
      }
      return result
    }
    let whole = try learn(interrupting: false)
    let pieces = try learn(interrupting: true)
    #expect(whole.events == 3000)
    #expect(whole.examples == 3000)
    #expect(pieces.events == 3000)
    #expect(pieces.examples == 3000)
    #expect(pieces.digests == whole.digests)
  }

  /// Labels that contradict each other are each learnt once, however often the trainer starts while
  /// another label waits for its time.
  @Test(arguments: Backend.allCases)
  func labelsAreNotLearntAgainAtARestart(_ backend: Backend) throws {
    try backend.withServices { services in
      let events = Event.stream(80)
      try services.produce(events)
      try services.score()
      let time = events.last!.time + minute
      func label(_ id: String, _ value: Int, at time: Int64) -> String {
        "{\"event_id\":\"\(id)\",\"label\":\(value),\"time\":\(time / 1000)}"
      }
      try services.produce(
        [label("e0", 1, at: time + 86_400_000 * 3)]
          + events.flatMap { [label($0.id, 1, at: time), label($0.id, 0, at: time)] },
        to: PipelineTopics.labels)
      // Moves event time on to where the labels are due, but for the first.
      var later = events.last!
      later.id = "later"
      later.time = time + minute
      try services.produce([later])
      try services.score()
      for start in 0..<3 {
        // Stopped, not run to the end, so that the first label goes on waiting.
        let stop = StopSignal()
        let looks = Atomic(0)
        let trainer = try services.trainer(now: {
          if looks.add(1, ordering: .relaxed).newValue > 20 { stop.request() }
          return events[0].time
        })
        try trainer.run(stop: stop)
        #expect(trainer.engine.counters.labels == 160, "start \(start)")
        #expect(trainer.engine.counters.contradictingLabels == 80, "start \(start)")
      }
      let last = try services.train()
      #expect(last.engine.counters.labels == 161)
    }
  }

  /// Without its state a trainer begins anew, with numbers that no version has had.
  @Test(arguments: Backend.allCases)
  func versionsAreNotUsedAgainWithoutTheState(_ backend: Backend) throws {
    try backend.withServices { services in
      let events = Event.stream(1000)
      try services.produce(events)
      try services.score()
      try services.label(events)
      try services.train()
      let before = try services.updates().map(\.header)
      try services.score()
      let role = services.topics.trainer
      _ = try services.log.writer(role, exclusive: true).transact { transaction in
        for key in try services.log.stateKeys(prefix: "", role: role) {
          try transaction.removeState(key)
        }
      }
      let scorer = try services.scorer()
      var later = Event.stream(500, seed: 9, prefix: "later ")
      for index in later.indices { later[index].time += events.last!.time - start }
      try services.produce(later)
      try scorer.run(stop: StopSignal(), untilEnd: true)
      try services.label(later)
      try services.train()
      try services.produce([Event.stream(1, seed: 9, prefix: "last ")[0]])
      try scorer.run(stop: StopSignal(), untilEnd: true)
      #expect(scorer.counters.updates.refused == 0)
      let after = try services.updates().map(\.header).dropFirst(before.count)
      for model in ["fraud", "clusters", "outlier"] {
        let last = try #require(before.last { $0.model == model })
        let first = try #require(after.first { $0.model == model })
        #expect(first.version == last.version + 1)
        #expect(first.epoch > last.epoch)
      }
      #expect(try services.scorer().servedNames.count == 3)
    }
  }
}
