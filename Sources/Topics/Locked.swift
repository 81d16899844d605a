import Glibc

/// A value that threads share, behind a lock. `Synchronization.Mutex` would do, but its lock is
/// invisible to the thread sanitizer on Linux, which then reports every use as a race.
///
/// `@unchecked Sendable`: the value comes from nowhere else (`sending`), and is reached only with the
/// mutex held.
package final class Locked<Value>: @unchecked Sendable {
  private var value: Value
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  package init(_ value: consuming sending Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  package func withLock<T, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending T
  ) throws(Failure) -> sending T {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
