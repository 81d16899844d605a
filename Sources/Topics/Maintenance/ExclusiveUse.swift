import Glibc

/// The right to be the only user of an environment, from all processes: while it is held, opening
/// the environment elsewhere waits.
///
/// LMDB locks the first byte of `lock.mdb` for as long as an environment is open, shared with other
/// openers, and looks at the data file only behind that lock. The lock is the process's: it keeps
/// nobody out who opens the environment in this process meanwhile.
final class ExclusiveUse {
  private let descriptor: Int32

  /// Takes the lock without waiting.
  /// - Throws: `.invalid` if somebody has the environment open, naming the process if it can.
  init(of folder: String) throws(TopicError) {
    // Closing any descriptor of the file would drop this process's own locks.
    guard !LMDBRegistry.isOpen(folder) else {
      throw TopicError(
        .invalid, "the role is in use by this process; close it first", folder: folder)
    }
    descriptor = open(folder + "/lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC, 0o660)
    guard descriptor >= 0 else {
      throw systemError(errno, "cannot open the file 'lock.mdb'", folder: folder)
    }
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_len = 1
    guard fcntl(descriptor, F_SETLK, &lock) != 0 else { return }
    let number = errno
    guard number == EAGAIN || number == EACCES else {
      close(descriptor)
      throw systemError(number, "cannot lock the file 'lock.mdb'", folder: folder)
    }
    let holder = fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_pid > 0 ? " \(lock.l_pid)" : ""
    close(descriptor)
    throw TopicError(
      .invalid, "the role is in use by process\(holder); stop it first", folder: folder,
      isRetriable: true)
  }

  deinit { close(descriptor) }
}
