import Glibc

/// Keeps an environment's map in place while a transaction uses it. Many threads hold it at once, a
/// thread also several times; or one holds it alone, to move the map.
///
/// `@unchecked Sendable`: `holders`, `isMoving` and `movers` are touched only with the mutex held, and the
/// mutex and the condition are made to be shared, at addresses that do not change until deinit.
final class MapLock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// By thread, how often it holds the lock.
  private var holders: [pthread_t: Int] = [:]
  private var isMoving = false
  /// How many wait to move the map.
  private var movers = 0

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    condition.deallocate()
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Holds the map where it is, until `release()` on the same thread.
  /// - Parameter isAwaited: Whether somebody who holds the map may be waiting for this thread, which
  ///   then goes before those who wait to move it.
  func hold(isAwaited: Bool) {
    let thread = pthread_self()
    pthread_mutex_lock(mutex)
    // Whoever holds it already goes on: the mover waits for him.
    while isMoving || (movers > 0 && !isAwaited && holders[thread] == nil) {
      pthread_cond_wait(condition, mutex)
    }
    holders[thread, default: 0] += 1
    pthread_mutex_unlock(mutex)
  }

  func release() {
    let thread = pthread_self()
    pthread_mutex_lock(mutex)
    let count = holders[thread]! - 1
    holders[thread] = count == 0 ? nil : count
    if movers > 0, holders.isEmpty { pthread_cond_broadcast(condition) }
    pthread_mutex_unlock(mutex)
  }

  /// Runs `body` while nobody holds the map; nil, without running it, if this thread does.
  func move<T, Failure: Error>(_ body: () throws(Failure) -> T) throws(Failure) -> T? {
    let thread = pthread_self()
    pthread_mutex_lock(mutex)
    guard holders[thread] == nil else {
      pthread_mutex_unlock(mutex)
      return nil
    }
    movers += 1
    while isMoving || !holders.isEmpty { pthread_cond_wait(condition, mutex) }
    movers -= 1
    isMoving = true
    pthread_mutex_unlock(mutex)
    defer {
      pthread_mutex_lock(mutex)
      isMoving = false
      pthread_cond_broadcast(condition)
      pthread_mutex_unlock(mutex)
    }
    return try body()
  }
}
