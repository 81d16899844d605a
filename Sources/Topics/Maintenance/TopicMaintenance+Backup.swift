import Glibc

extension TopicMaintenance {
  /// Copies the folder as it is at one moment, its retention settings too, while others go on using
  /// it. The copy is compact, and can be used at once. What was read is verified on the way.
  /// - Parameter target: A folder that does not exist, or is empty. If copying fails or is
  ///   interrupted, it is refused as a folder of topics.
  /// - Throws: `.invalid` if the target is not empty, `.corrupt` if anything is damaged,
  ///   `.notFound`, `.formatMismatch`, `.full`, `.io`.
  public func backup(to target: String) throws(TopicError) -> [RewrittenRole] {
    try checkSound(folderFindings())
    let retention = try RetentionSettings(folder: folder)
    try LogFolder.makeFolder(target)
    guard try LogFolder.isEmpty(target) else {
      throw TopicError(.invalid, "the folder is not empty", folder: target)
    }
    let staging = target + "/.incomplete"
    var roles: [WriterRole] = []
    do throws(TopicError) {
      // A folder with a bell and without FORMAT is refused, and so is half a copy.
      _ = try Bell(file: target + "/bell", folder: target)
      try LogFolder.makeFolder(staging)
      roles = try self.roles()
      let copied = try copy(roles, to: staging)
      for role in roles {
        unlink("\(staging)/\(role)/lock.mdb")
        try LogFolder.rename("\(staging)/\(role)", to: "\(target)/\(role)", in: target)
        try LogFolder.sync("\(target)/\(role)", in: target)
      }
      rmdir(staging)
      if retention != RetentionSettings() { try retention.write(folder: target) }
      try LogFolder.writeFormat(target)
      try LogFolder.sync(target, in: target)
      return copied
    } catch {
      for role in roles {
        LogFolder.removeEnvironment("\(staging)/\(role)")
        LogFolder.removeEnvironment("\(target)/\(role)")
      }
      rmdir(staging)
      for name in ["bell", RetentionSettings.fileName] { unlink("\(target)/\(name)") }
      throw error
    }
  }

  private func copy(_ roles: [WriterRole], to staging: String) throws(TopicError)
    -> [RewrittenRole]
  {
    var copied: [RewrittenRole] = []
    for (role, pin) in zip(roles, try pinAll(roles)) {
      let file = try DataFile(path: path(of: role) + "/data.mdb", folder: path(of: role))
      let image = RoleImage(file, Snapshot(pin.meta), role: role)
      try checkSound(image.report.findings)
      try checkSound(RoleRewriter.write(image, to: "\(staging)/\(role)"))
      withExtendedLifetime(pin) {}
      copied.append(
        RewrittenRole(
          report: image.report, bytesBefore: image.report.fileBytes,
          bytesAfter: LogFolder.size(of: "\(staging)/\(role)/data.mdb") ?? 0))
    }
    return copied
  }

  /// Takes snapshots of all roles at one moment: while nobody can commit, for as long as that takes.
  private func pinAll(_ roles: [WriterRole]) throws(TopicError) -> [SnapshotPin] {
    var leases: [LMDBLease] = []
    for role in roles {
      guard let lease = try SnapshotPin.open(path(of: role)) else {
        throw TopicError(
          .corrupt, "the meta pages are damaged; repair the folder first", folder: path(of: role))
      }
      leases.append(lease)
    }
    var begun: [(LMDBEnvironment, LMDBTransaction)] = []
    defer {
      for (environment, transaction) in begun.reversed() {
        transaction.abort()
        environment.lock.unlock()
      }
    }
    // In the order of the names, so that two backups at once do not wait for each other for ever.
    for lease in leases {
      let environment = lease.environment
      var isBegun = false
      while !isBegun {
        try environment.lock.lock(else: "a backup was begun inside a transaction")
        do throws(TopicError) {
          begun.append((environment, try environment.beginWriting()))
          isBegun = true
        } catch {
          // Another process may have grown the map since it was opened here.
          guard try environment.unlockGrowingMap() else { throw error }
        }
      }
    }
    var pins: [SnapshotPin] = []
    for (role, lease) in zip(roles, leases) {
      pins.append(try SnapshotPin(lease, folder: path(of: role)))
    }
    return pins
  }
}
