import Glibc

extension TopicMaintenance {
  /// What a repair has done to a role.
  public struct RepairedRole: Sendable {
    /// Whose environment.
    public let role: WriterRole
    /// What was damaged.
    public internal(set) var findings: [TopicFinding] = []
    /// What could not be kept.
    public internal(set) var lost: [TopicFinding] = []
    /// Batches that no tree led to any more, and that were found all the same.
    public internal(set) var salvagedBatches = 0
    /// Where the damaged file is now; nil if there was none or it was sound and not replaced.
    public internal(set) var damagedFile: String?
    /// The size of the data file before.
    public internal(set) var bytesBefore: UInt64 = 0
    /// The size of the data file after.
    public internal(set) var bytesAfter: UInt64 = 0
  }

  /// What a repair has done.
  public struct RepairReport: Sendable {
    /// What was wrong with the folder's own files.
    public internal(set) var folderFindings: [TopicFinding] = []
    /// The roles that were rewritten.
    public internal(set) var roles: [RepairedRole] = []
    /// All that could not be kept.
    public var lost: [TopicFinding] { roles.flatMap(\.lost) }
  }

  /// Writes every damaged role anew with all that is sound, and puts batches without records in
  /// place of what is lost, so that offsets stay what they were and none is used twice. A damaged
  /// file stays beside the new one, as `data.mdb.damaged-N`. If it is interrupted, even by force,
  /// each role has its old file or its new one, and the next repair goes on.
  /// - Parameters:
  ///   - all: Whether sound roles are rewritten too.
  ///   - dropState: Roles whose state values are not kept, sound or not.
  ///   - check: Looks at each record that is whole; what it says has no effect.
  ///   - gather: Gives what is known from elsewhere, to be made good.
  /// - Throws: `.invalid` if anybody uses the folder, `.notFound`, `.formatMismatch`, `.full`, `.io`.
  public func repair(
    all: Bool = false, dropState: Set<WriterRole> = [], check: RecordCheck? = nil,
    gather: Gathering? = nil
  ) throws(TopicError) -> RepairReport {
    var report = RepairReport()
    report.folderFindings = try folderFindings()
    let roles = try roles()
    if let unknown = dropState.first(where: { !roles.contains($0) }) {
      throw TopicError(.notFound, "there is no role '\(unknown)'", folder: folder)
    }
    var uses: [ExclusiveUse] = []
    for role in roles { uses.append(try ExclusiveUse(of: path(of: role))) }
    defer { withExtendedLifetime(uses) {} }
    var images: [RoleImage] = []
    for role in roles {
      LogFolder.removeEnvironment(path(of: role) + Self.rewriteName)
      images.append(try image(of: role, check: check))
    }
    let evidence = gather?(images.map(\.report)) ?? Evidence()
    for image in images {
      var found = image.report
      found.compare(with: evidence)
      let dropsState = dropState.contains(found.role)
      guard all || dropsState || !found.findings.isEmpty else { continue }
      var repaired = RepairedRole(role: found.role)
      repaired.findings = found.findings
      repaired.bytesBefore = found.fileBytes
      let salvaged = Salvage.search(image)
      repaired.salvagedBatches = salvaged.values.reduce(0) { $0 + $1.count }
      repaired.lost = try rewrite(image, salvaged, evidence, dropsState: dropsState)
      repaired.damagedFile = try replace(found.role, keepsOld: !found.findings.isEmpty)
      repaired.bytesAfter = LogFolder.size(of: path(of: found.role) + "/data.mdb") ?? 0
      report.roles.append(repaired)
    }
    if !report.folderFindings.isEmpty {
      _ = try Bell(file: folder + "/bell", folder: folder)
      if try LogFolder.readFormat(folder) != LogFolder.format {
        try LogFolder.writeFormat(folder, replacing: true)
      }
      try LogFolder.sync(folder, in: folder)
    }
    return report
  }

  /// A role before and after it was written anew.
  public struct RewrittenRole: Sendable {
    /// What it holds.
    public let report: RoleReport
    /// The size of the data file before.
    public let bytesBefore: UInt64
    /// The size of the data file after.
    public let bytesAfter: UInt64
  }

  /// Writes every role anew without the pages that hold nothing.
  /// - Throws: `.invalid` if anybody uses the folder, `.corrupt` if anything is damaged, before
  ///   anything is changed; `.notFound`, `.formatMismatch`, `.full`, `.io`.
  public func compact() throws(TopicError) -> [RewrittenRole] {
    try checkSound(folderFindings())
    let roles = try roles()
    var uses: [ExclusiveUse] = []
    for role in roles { uses.append(try ExclusiveUse(of: path(of: role))) }
    defer { withExtendedLifetime(uses) {} }
    var images: [RoleImage] = []
    for role in roles {
      LogFolder.removeEnvironment(path(of: role) + Self.rewriteName)
      let image = try image(of: role, check: nil)
      try checkSound(image.report.findings)
      images.append(image)
    }
    var rewritten: [RewrittenRole] = []
    for image in images {
      let role = image.report.role
      try checkSound(rewrite(image, [:], Evidence()))
      _ = try replace(role, keepsOld: false)
      rewritten.append(
        RewrittenRole(
          report: image.report, bytesBefore: image.report.fileBytes,
          bytesAfter: LogFolder.size(of: path(of: role) + "/data.mdb") ?? 0))
    }
    return rewritten
  }

  // MARK: One role

  private static let rewriteName = "/.rewrite"

  func path(of role: WriterRole) -> String { "\(folder)/\(role)" }

  /// Throws the first finding and how many more there are.
  func checkSound(_ findings: [TopicFinding]) throws(TopicError) {
    guard let first = findings.first else { return }
    let more = findings.count > 1 ? ", and \(findings.count - 1) more" : ""
    throw TopicError(.corrupt, "\(first)\(more); repair the folder first", folder: folder)
  }

  private func image(of role: WriterRole, check: RecordCheck?) throws(TopicError) -> RoleImage {
    let path = path(of: role)
    guard LogFolder.size(of: path + "/data.mdb") != nil else {
      var image = RoleImage(DataFile(bytes: []), .empty, role: role)
      image.find("the data file is missing")
      image.fallback = "the data file is missing; what was in it is lost"
      return image
    }
    let file = try DataFile(path: path + "/data.mdb", folder: path)
    return RoleImage.read(file, role: role, check: check)
  }

  /// Writes a role's new environment beside the old one.
  private func rewrite(
    _ image: RoleImage, _ salvaged: [TopicPartition: [Salvage.Batch]], _ evidence: Evidence,
    dropsState: Bool = false
  ) throws(TopicError) -> [TopicFinding] {
    let role = image.report.role
    let new = path(of: role) + Self.rewriteName
    do throws(TopicError) {
      return try RoleRewriter.write(
        image, salvaged: salvaged, ends: evidence.ends[role] ?? [:],
        epoch: evidence.epochs[role], dropsState: dropsState, to: new)
    } catch {
      LogFolder.removeEnvironment(new)
      throw error
    }
  }

  /// Puts a role's new data file in the place of the old one.
  /// - Returns: Where the old one is now.
  private func replace(_ role: WriterRole, keepsOld: Bool) throws(TopicError) -> String? {
    let path = path(of: role)
    let data = path + "/data.mdb"
    // First a second name for the old file, then the new one in its place: there always is one.
    let kept = keepsOld ? try keepDamaged(data, in: path) : nil
    try LogFolder.rename(path + Self.rewriteName + "/data.mdb", to: data, in: path)
    try LogFolder.sync(path, in: path)
    RoleFolder.finish(path)
    LogFolder.removeEnvironment(path + Self.rewriteName)
    return kept
  }

  private func keepDamaged(_ data: String, in path: String) throws(TopicError) -> String? {
    var old = stat()
    guard stat(data, &old) == 0 else { return nil }
    var number = 1
    while true {
      let kept = "\(data).damaged-\(number)"
      if link(data, kept) == 0 { return kept }
      guard errno == EEXIST else {
        throw systemError(errno, "cannot keep the damaged file", folder: path)
      }
      // A repair that was interrupted has kept it already.
      var found = stat()
      if stat(kept, &found) == 0, FileIdentity(found) == FileIdentity(old) { return kept }
      number += 1
    }
  }
}
