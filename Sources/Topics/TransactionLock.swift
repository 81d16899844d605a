import Glibc

/// A lock held over a whole transaction, which tells a thread that it holds it already instead of
/// sleeping for ever.
///
/// `@unchecked Sendable`: the only state is a pthread mutex, made to be shared between threads, at
/// an address that does not change until deinit.
final class TransactionLock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ERRORCHECK))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  func lock(else message: @autoclosure () -> String) throws(TopicError) {
    guard pthread_mutex_lock(mutex) == 0 else { throw TopicError(.invalid, message()) }
  }

  /// Only on the thread that locked it.
  func unlock() { pthread_mutex_unlock(mutex) }
}
