import Glibc

/// The environments open in this process. LMDB forbids opening a data file twice in one process
/// (closing either would drop the file locks of both), so those who open the same one share it.
enum LMDBRegistry {
  private struct Entry {
    let environment: LMDBEnvironment
    var leases: Int
  }

  private static let entries = Locked<[FileIdentity: Entry]>([:])

  /// Opens the environment in `folder`, nil if there is none and it shall not be created.
  /// - Throws: `.corrupt` if there has been one and its file is missing or cut short: what offsets,
  ///   positions and epochs it held is not known, and they must not begin again.
  static func open(_ folder: String, _ settings: LMDBSettings, create: Bool) throws(TopicError)
    -> LMDBLease?
  {
    // Held while opening, so that nobody opens the same file in between.
    try entries.withLock { (entries) throws(TopicError) -> LMDBLease? in
      var status = stat()
      guard create || stat(folder, &status) == 0 || (errno != ENOENT && errno != ENOTDIR) else {
        return nil
      }
      // Looked at before the file: the marker is there before the file is, until after the commit.
      let isUnfinished = RoleFolder.isUnfinished(folder)
      let isMissing = stat(folder + "/data.mdb", &status) != 0
      if !isMissing {
        let identity = FileIdentity(status)
        if let environment = entries[identity]?.environment {
          entries[identity]!.leases += 1
          if let durability = settings.durability { environment.raise(to: durability) }
          return LMDBLease(environment)
        }
      } else {
        let number = errno
        guard number == ENOENT || number == ENOTDIR else {
          throw systemError(number, "cannot look for the data file", folder: folder)
        }
      }
      let isWhole =
        isMissing
        ? false : try DataFile(path: folder + "/data.mdb", folder: folder).hasMetaPages
      if !isWhole {
        guard isUnfinished else {
          if isMissing, !create, access(folder + "/lock.mdb", F_OK) != 0 { return nil }
          throw TopicError(
            .corrupt,
            "the data file is \(isMissing ? "missing" : "truncated"); `weir topics verify` tells "
              + "what is lost", folder: folder)
        }
        // Whoever creates it may be at it; LMDB waits for him.
        guard create else { return nil }
      }
      let environment = try LMDBEnvironment(
        folder: folder, settings: settings, isUnfinished: create && isUnfinished)
      entries[environment.file] = Entry(environment: environment, leases: 1)
      return LMDBLease(environment)
    }
  }

  /// Whether this process has the environment open.
  static func isOpen(_ folder: String) -> Bool {
    entries.withLock { entries in
      var status = stat()
      return stat(folder + "/data.mdb", &status) == 0 && entries[FileIdentity(status)] != nil
    }
  }

  fileprivate static func release(_ identity: FileIdentity) {
    entries.withLock { entries in
      entries[identity]!.leases -= 1
      if entries[identity]!.leases == 0 {
        // An open file keeps its inode, so the identity was this environment's until now.
        entries.removeValue(forKey: identity)!.environment.close()
      }
    }
  }
}

/// The right to use an environment, which stays open as long as there is one.
final class LMDBLease: Sendable {
  let environment: LMDBEnvironment

  fileprivate init(_ environment: LMDBEnvironment) { self.environment = environment }

  deinit { LMDBRegistry.release(environment.file) }
}
