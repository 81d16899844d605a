import Dispatch
import Glibc
import Synchronization
import Topics

/// Asks a service to end: it finishes what it has begun, commits, and returns.
public final class StopSignal: Sendable {
  private let requested = Atomic(false)

  /// A signal that asks for nothing yet.
  public init() {}

  /// Whether somebody has asked. It stays so.
  public var isRequested: Bool { requested.load(ordering: .acquiring) }

  /// Asks. The caller then wakes the log that the service may be waiting on.
  public func request() { requested.store(true, ordering: .releasing) }

  /// From now on these signals ask, and wake whoever waits on the log, instead of ending the
  /// process. Keep the result for as long as that is wanted.
  public func listen(
    to signals: [Int32] = [SIGINT, SIGTERM], waking log: any TopicLog
  ) -> [any DispatchSourceSignal] {
    signals.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        self.request()
        log.wake()
      }
      source.resume()
      return source
    }
  }
}
