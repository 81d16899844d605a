import Glibc

/// Looks after the folder of an embedded log: verifies, repairs, compacts and copies it.
///
/// Data files are read without LMDB, which may crash on a damaged one, so that nothing that is in
/// them stops any of this.
public struct TopicMaintenance: Sendable {
  /// Looks at the content of a record; gives what is wrong with it, nil if nothing. Called in the
  /// order of the offsets, partition by partition.
  public typealias RecordCheck = (WriterRole, TopicPartition, RecordView) -> String?

  /// What is known of a role from elsewhere.
  public struct Evidence: Sendable {
    /// Where partitions end at least: the positions of those who have read them.
    public var ends: [WriterRole: [TopicPartition: UInt64]] = [:]
    /// Epochs at least: those that records name.
    public var epochs: [WriterRole: UInt64] = [:]

    /// Knows nothing.
    public init() {}
  }

  /// Gathers evidence from what was read of all roles.
  public typealias Gathering = ([RoleReport]) -> Evidence

  /// The folder, as given.
  public let folder: String

  /// Names a folder; nothing is opened until it is used.
  public init(folder: String) { self.folder = folder }

  /// Reads a data file that is given as bytes, whatever they are.
  public static func verifyDataFile(bytes: [UInt8], role: WriterRole = .producers) -> RoleReport {
    RoleImage.read(DataFile(bytes: bytes), role: role).report
  }

  // MARK: Verifying

  /// What is in a folder and what is wrong with it.
  public struct Report: Sendable {
    /// All that is wrong: the folder's own files first, then role by role.
    public internal(set) var findings: [TopicFinding] = []
    /// What each role holds, by name.
    public internal(set) var roles: [RoleReport] = []
    /// The roles that could be read only without keeping others from writing meanwhile, because
    /// their meta pages are damaged: if somebody is writing, findings may come of that.
    public internal(set) var unpinned: [WriterRole] = []
  }

  /// Reads everything and tells what is damaged. Others may go on using the folder; each role is
  /// read as it was at one moment, all of them at about the same: a role that reads another as it
  /// was a little earlier.
  /// - Parameters:
  ///   - check: Looks at each record that is whole.
  ///   - gather: Gives what is known from elsewhere, to be compared.
  /// - Throws: `.notFound`, `.formatMismatch`, or `.io` if a file cannot be opened.
  public func verify(check: RecordCheck? = nil, gather: Gathering? = nil) throws(TopicError)
    -> Report
  {
    var report = Report()
    report.findings = try folderFindings()
    let roles = try roles()
    var pins: [WriterRole: SnapshotPin] = [:]
    // Trainers, scorers, producers: whoever reads another goes before him, so that what he has read
    // is there.
    for role in roles.reversed() where LogFolder.size(of: path(of: role) + "/data.mdb") != nil {
      pins[role] = try SnapshotPin(folder: path(of: role))
    }
    for role in roles {
      let path = path(of: role)
      guard LogFolder.size(of: path + "/data.mdb") != nil else {
        report.roles.append(Self.missing(role))
        continue
      }
      // Let go as soon as the role is read: it keeps pages from being used again.
      if let pin = pins.removeValue(forKey: role) {
        let file = try DataFile(path: path + "/data.mdb", folder: path)
        let image = withExtendedLifetime(pin) {
          RoleImage(file, Snapshot(pin.meta), role: role, check: check)
        }
        report.roles.append(image.report)
      } else {
        let file = try DataFile(path: path + "/data.mdb", folder: path)
        report.roles.append(RoleImage.read(file, role: role, check: check).report)
        report.unpinned.append(role)
      }
    }
    let evidence = gather?(report.roles) ?? Evidence()
    for index in report.roles.indices {
      report.roles[index].compare(with: evidence)
      report.findings += report.roles[index].findings + report.roles[index].badRecords
    }
    return report
  }

  static func missing(_ role: WriterRole) -> RoleReport {
    var report = RoleReport(role: role)
    report.findings.append(TopicFinding(role: role, reason: "the data file is missing"))
    return report
  }

  // MARK: The folder

  /// The roles there are: every folder in which an environment is, or has been.
  func roles() throws(TopicError) -> [WriterRole] {
    try LogFolder.names(in: folder).filter { name in
      (try? Names.check(WriterRole(name))) != nil
        && ["data.mdb", "lock.mdb"].contains { access("\(folder)/\(name)/\($0)", F_OK) == 0 }
        && !isBeingCreated(WriterRole(name))
    }.map(WriterRole.init)
  }

  /// Whether a role's file has not come to hold anything yet. The next writer sees to it.
  private func isBeingCreated(_ role: WriterRole) -> Bool {
    let path = path(of: role)
    guard RoleFolder.isUnfinished(path) else { return false }
    return (try? DataFile(path: path + "/data.mdb", folder: path))?.hasMetaPages != true
  }

  /// What is wrong with the folder's own files.
  /// - Throws: `.notFound` if it is no log at all, `.formatMismatch` if it is of another version.
  func folderFindings() throws(TopicError) -> [TopicFinding] {
    guard access(folder, F_OK) == 0 else {
      throw TopicError(.notFound, "the folder does not exist", folder: folder)
    }
    var findings: [TopicFinding] = []
    let hasBell = access(folder + "/bell", F_OK) == 0
    let format = try LogFolder.readFormat(folder)
    if format != LogFolder.format {
      let hasRoles = try !roles().isEmpty
      guard hasBell || hasRoles else {
        throw TopicError(
          .notFound, "the folder holds no topic log: it has no file FORMAT", folder: folder)
      }
      // Another version's folder is no damage; but what says so may be the damage.
      if let format, LogFolder.isVersion(format), try !hasRoleOfThisFormat() {
        throw LogFolder.mismatch(found: format, folder: folder)
      }
      let reason =
        format.map { "the file FORMAT holds '\(printable($0))'" } ?? "the file FORMAT is missing"
      findings.append(TopicFinding(reason: reason))
    }
    if !hasBell { findings.append(TopicFinding(reason: "the file 'bell' is missing")) }
    return findings
  }

  private func hasRoleOfThisFormat() throws(TopicError) -> Bool {
    for role in try roles() {
      let path = "\(folder)/\(role)"
      guard let file = try? DataFile(path: path + "/data.mdb", folder: path) else { continue }
      if RoleImage.read(file, role: role).isOfThisFormat { return true }
    }
    return false
  }
}

extension RoleReport {
  /// Adds what others know of and this role lacks.
  mutating func compare(with evidence: TopicMaintenance.Evidence) {
    let ends = evidence.ends[role, default: [:]].sorted {
      ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition)
    }
    for (partition, end) in ends {
      let found = partitions.first { $0.partition == partition }?.endOffset ?? 0
      guard found < end else { continue }
      findings.append(
        TopicFinding(
          role: role, partition: partition, firstOffset: found, endOffset: end,
          reason: "others have read them, and they are gone"))
    }
    if let known = evidence.epochs[role], let epoch, epoch < known {
      findings.append(
        TopicFinding(
          role: role, key: "meta epoch", reason: "it is \(epoch), and records name \(known)"))
    }
  }
}
