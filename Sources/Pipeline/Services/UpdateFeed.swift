import Dispatch
import Glibc
import Logging
import Topics

/// Brings a scorer the newest parameters without keeping events waiting: to read an update, check it
/// and lay out a forest takes as long as scoring a thousand events, so another thread does it. The
/// scoring thread looks whether there is something on `models`, and takes what is ready between two
/// blocks.
final class UpdateFeed {
  /// `SCHED_BATCH` of `<sched.h>`, which Swift does not see.
  private static let batchPolicy: Int32 = 3
  /// That of a trainer, 0 to 19.
  private static let niceness: Int32 = 10

  private let desk: Desk
  private let queue = DispatchQueue(label: "weir.updates")
  private let models: any TopicReader
  /// Batches of `models` that begin before this have been left to the other thread.
  private var seen: UInt64

  /// Finds the newest parameters; nothing is reported until `begin`.
  /// - Throws: `TopicError` or `PipelineMismatch`; nobody is disturbed then.
  init(
    pipeline: Pipeline, log: any TopicLog, logger: Logger, now: @escaping @Sendable () -> Int64
  ) throws {
    let follower = try UpdateFollower(pipeline: pipeline, log: log, logger: logger, now: now)
    models = try log.reader(
      PipelineTopics.models, of: PipelineTopics(pipeline: pipeline.name).trainer)
    seen = follower.position
    desk = Desk(follower, log)
  }

  /// Makes the newest parameters ready. Called once, when no other scorer of the pipeline writes.
  func begin() { desk.begin() }

  /// Has what came on the topic made ready.
  /// - Parameter waits: until it is ready.
  func look(waits: Bool) throws {
    guard let batch = try models.batch(atOrAfter: seen) else { return }
    seen = batch + 1
    let desk = desk
    if waits { return queue.sync { desk.follow() } }
    queue.async {
      // Where there are too few processors, this thread is not to push aside the one that woke it,
      // as the policy says, and is to be pushed aside by whoever has to do with events. Both calls
      // are about this thread alone, one of a pool.
      var parameters = sched_param()
      sched_setscheduler(0, Self.batchPolicy, &parameters)
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
      desk.follow()
    }
  }

  /// What was made ready since the last call; nil if nothing was.
  /// - Throws: what kept the topic from being read.
  func take() throws -> UpdateFollower.News? { try desk.take() }

  /// Waits for what is being made ready.
  func finish() { queue.sync {} }
}

/// What the two threads share: one works, the other takes what is ready.
private final class Desk: Sendable {
  /// Held while updates are worked through.
  private let follower: Locked<UpdateFollower>
  /// Held for a moment only.
  private let ready = Locked<Result<UpdateFollower.News, any Error>?>(nil)
  private let log: any TopicLog

  init(_ follower: consuming sending UpdateFollower, _ log: any TopicLog) {
    self.follower = Locked(follower)
    self.log = log
  }

  func begin() { follower.withLock { put(.success($0.begin())) } }

  func follow() {
    follower.withLock { follower in put(Result { try follower.follow() }) }
  }

  private func put(_ result: Result<UpdateFollower.News, any Error>) {
    ready.withLock { ready in
      switch (ready, result) {
      case (.failure, _): break
      case (.success(let before), .success(var news)):
        // Refusals that nobody has taken yet are still to be saved.
        news.refusals = news.refusals ?? before.refusals
        ready = .success(news)
      default: ready = result
      }
    }
    if case .success(let news) = result, news.refusals == nil { return }
    // There is something to save, or no use in going on, whether an event comes or not.
    log.wake()
  }

  func take() throws -> UpdateFollower.News? {
    try ready.withLock { ready in
      defer { ready = nil }
      return ready
    }?.get()
  }
}
