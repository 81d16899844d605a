import Synchronization

/// Asks a service to end: it finishes what it has begun, commits, and returns.
public final class StopSignal: Sendable {
  private let requested = Atomic(false)

  public init() {}

  public var isRequested: Bool { requested.load(ordering: .acquiring) }

  /// Asks. The caller then wakes the log that the service may be waiting on.
  public func request() { requested.store(true, ordering: .releasing) }
}
