import Glibc

/// The right to be the only user of an environment, from all processes: while it is held, opening
/// the environment elsewhere waits.
///
/// LMDB locks the first byte of `lock.mdb` for as long as an environment is open, shared with other
/// openers, and looks at the data file only behind that lock. The lock is the process's: it keeps
/// nobody out who opens the environment in this process meanwhile.
///
/// Whoever waits for the lock goes on with the table in `lock.mdb` as he finds it, and that names
/// the last transaction of the data file there was. So the table is made invalid first, for the
/// case that this process is killed, and made anew in the end.
final class ExclusiveUse {
  private let folder: String
  private let descriptor: Int32

  /// Takes the lock without waiting.
  /// - Throws: `.invalid` if somebody has the environment open, naming the process if it can.
  init(of folder: String) throws(TopicError) {
    // Closing any descriptor of the file would drop this process's own locks.
    guard !LMDBRegistry.isOpen(folder) else {
      throw TopicError(
        .invalid, "the role is in use by this process; close it first", folder: folder)
    }
    let descriptor = open(folder + "/lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC, 0o660)
    guard descriptor >= 0 else {
      throw systemError(errno, "cannot open the file 'lock.mdb'", folder: folder)
    }
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_len = 1
    guard fcntl(descriptor, F_SETLK, &lock) == 0 else {
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
    // It begins with a magic number. LMDB fills an empty file by itself, but not one of a few bytes.
    if LogFolder.size(of: folder + "/lock.mdb") ?? 0 > 0,
      pwrite(descriptor, [0, 0, 0, 0] as [UInt8], 4, 0) != 4
    {
      let number = errno
      close(descriptor)
      throw systemError(number, "cannot write the file 'lock.mdb'", folder: folder)
    }
    self.folder = folder
    self.descriptor = descriptor
  }

  deinit {
    // LMDB begins the table anew for whoever is alone. Where it cannot, because the data file is
    // damaged still, the table stays invalid, and the next to open the environment does it.
    _ = try? SnapshotPin.open(folder)
    close(descriptor)
  }
}
