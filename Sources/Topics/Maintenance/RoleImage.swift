/// What can be read of one role's data file at one transaction.
struct RoleImage {
  /// A database under its right name.
  struct Database {
    let name: String
    let tree: TreeRecord
    /// Nil for the role's own values.
    let partition: TopicPartition?
  }

  /// Looks at a record; gives what is wrong with it, nil if nothing.
  typealias RecordCheck = (WriterRole, TopicPartition, RecordView) -> String?

  let file: DataFile
  let snapshot: Snapshot
  private(set) var report: RoleReport
  private(set) var databases: [Database] = []
  /// By partition, what cannot be read.
  private(set) var lost: [TopicPartition: [BatchScan.LostRange]] = [:]
  private(set) var free: FreePages
  private(set) var walker: PageWalker
  /// Whether all databases can be found.
  private(set) var namesAreSound = true
  /// Why it is not known to be the newest state; nil if it is.
  var fallback: String?
  private var metaValues: [String: [UInt8]] = [:]
  /// How many databases were looked at for another name than theirs; each costs a walk.
  private var renames = 0

  private static let ownDatabases = [RoleStore.meta, RoleStore.positions, RoleStore.state]

  /// Reads all of a snapshot.
  init(
    _ file: DataFile, _ snapshot: Snapshot, role: WriterRole, check: RecordCheck? = nil
  ) {
    self.file = file
    self.snapshot = snapshot
    report = RoleReport(role: role)
    report.fileBytes = file.byteCount
    walker = PageWalker(file, lastPage: snapshot.lastPage)
    free = FreePages()
    readNames(check)
    free = FreePages(snapshot, &walker)
    if snapshot.free != nil { free.damage.forEach { find($0) } }
    report.freePages = free.pages.count
    let accounted = UInt64(walker.used.count + free.pages.count + 2)
    if snapshot.free != nil, report.findings.isEmpty, snapshot.lastPage + 1 > accounted {
      report.forgottenPages = Int(min(snapshot.lastPage + 1 - accounted, UInt64(Int.max)))
    }
    checkMeta()
  }

  /// How much it holds, for choosing between images of one file.
  var rank: [UInt64] {
    let ends = report.partitions.reduce(0 as UInt64) { $0 &+ $1.endOffset }
    let positions = report.positions.reduce(0 as UInt64) { $0 &+ $1.offset }
    let records = report.partitions.reduce(0) { $0 + $1.records }
    let isSound = lost.values.allSatisfy(\.isEmpty) && namesAreSound
    // What was committed last counts most: an older image that is sound lacks its records, and
    // their offsets would be used again.
    return [ends, isSound ? 1 : 0, UInt64(records), positions, free.newestTransaction ?? 0]
  }

  mutating func find(
    _ reason: String, partition: TopicPartition? = nil, first: UInt64? = nil, end: UInt64? = nil,
    key: String? = nil
  ) {
    report.findings.append(
      TopicFinding(
        role: report.role, partition: partition, firstOffset: first, endOffset: end, key: key,
        reason: reason))
  }

  // MARK: Names

  private mutating func readNames(_ check: RecordCheck?) {
    var found: [(name: [UInt8], tree: TreeRecord)] = []
    let damage = try? walker.walk(snapshot.names, holdsTrees: true) { entry in
      if case .tree(let tree) = entry.content { found.append((entry.key, tree)) }
    }
    // A snapshot found by its names has no counts to compare with.
    for damage in damage ?? [] {
      find("in the names of the databases, \(damage.reason)")
      if damage.bounds != nil { namesAreSound = false }
    }
    for (bytes, tree) in found {
      let name = String(decoding: bytes, as: UTF8.self)
      if Self.ownDatabases.contains(name) {
        readValues(name, tree)
      } else if let own = Self.ownDatabases.first(where: { own in
        Self.isAlmost(own, bytes) && !found.contains { $0.name == Array(own.utf8) }
      }) {
        find("the database '\(own)' is named '\(printable(name))'")
        readValues(own, tree)
      } else {
        readPartition(name, bytes, tree, check)
      }
    }
    guard !found.isEmpty else { return }
    for name in Self.ownDatabases where !databases.contains(where: { $0.name == name }) {
      find("the database '\(name)' is missing")
      namesAreSound = false
    }
  }

  private static func isAlmost(_ name: String, _ bytes: [UInt8]) -> Bool {
    name.utf8.count == bytes.count && zip(name.utf8, bytes).count(where: { $0 != $1 }) == 1
  }

  // MARK: Values

  private mutating func readValues(_ name: String, _ tree: TreeRecord) {
    var tree = tree
    if tree.flags != 0 {
      find("the database '\(name)' has the flags \(tree.flags), expected are none")
      tree.flags = 0
    }
    databases.append(Database(name: name, tree: tree, partition: nil))
    var sound: [(key: String, value: [UInt8])] = []
    var damaged: [(key: String, reason: String)] = []
    let damage = try? walker.walk(tree) { entry in
      let key = String(decoding: entry.key, as: UTF8.self)
      guard case .value(let stored) = entry.content else { return }
      guard let stored, let value = try? StoredValue.decode(stored, key: key) else {
        return damaged.append(
          (key, stored == nil ? "it cannot be read" : "its checksum does not match"))
      }
      let isState = name == RoleStore.state
      sound.append((key, isState ? [] : [UInt8](value)))
    }
    for damage in damage ?? [] { find(damage.reason, key: name) }
    for (key, reason) in damaged { find(reason, key: "\(name) \(printable(key))") }
    for (key, value) in sound {
      switch name {
      case RoleStore.state: report.stateKeys.append(key)
      case RoleStore.meta: metaValues[key] = value
      default:
        let parts = key.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let partition = Int(parts[2]), value.count == 8 else {
          find("it is no position", key: "\(name) \(printable(key))")
          continue
        }
        report.positions.append(
          RoleReport.Position(
            group: parts[0], partition: TopicPartition(parts[1], partition: partition),
            offset: value.number(UInt64.self, 0)))
      }
    }
  }

  /// Whether the role itself says, soundly, that its format is the known one.
  var isOfThisFormat: Bool { metaValues["format"] == Array(LogFolder.format.utf8) }

  private mutating func checkMeta() {
    report.epoch = 0
    guard databases.contains(where: { $0.name == RoleStore.meta }) else {
      if !databases.isEmpty { report.epoch = nil }
      return
    }
    if let format = metaValues["format"] {
      let text = String(decoding: format, as: UTF8.self)
      if text != LogFolder.format { find("the role has the format '\(printable(text))'") }
    } else {
      find("it is missing", key: "meta format")
    }
    if let owner = metaValues["role"] {
      let text = String(decoding: owner, as: UTF8.self)
      if text != report.role.name { find("the folder was written by '\(printable(text))'") }
    } else {
      find("it is missing", key: "meta role")
    }
    let isDamaged = report.findings.contains { $0.key?.hasPrefix(RoleStore.meta) == true }
    if let epoch = metaValues["epoch"] {
      report.epoch = epoch.count == 8 ? epoch.number(UInt64.self, 0) : nil
    } else if isDamaged {
      report.epoch = nil
    }
  }

  // MARK: Partitions

  private mutating func readPartition(
    _ name: String, _ bytes: [UInt8], _ tree: TreeRecord, _ check: RecordCheck?
  ) {
    let before = walker
    let partition = RoleStore.partition(ofDatabase: name)
    let canRename = renames < Self.mostRenames
    if let partition, scan(name, partition, tree, check, orRename: canRename) { return }
    let named = partition
    guard canRename else {
      find("there is a database with the unknown name '\(printable(name))'")
      namesAreSound = false
      return
    }
    renames += 1
    // The batches say what the name should be; a byte of it has changed.
    walker = before
    guard let right = Self.name(like: bytes, tag: foreignTag(tree)),
      let partition = RoleStore.partition(ofDatabase: right)
    else {
      walker = before
      if let named {
        _ = scan(name, named, tree, check, orRename: false)
      } else {
        find("there is a database with the unknown name '\(printable(name))'")
        namesAreSound = false
      }
      return
    }
    walker = before
    find("the database '\(right)' is named '\(printable(name))'", partition: partition)
    _ = scan(right, partition, tree, check, orRename: false)
  }

  private static let mostRenames = 8

  /// The partition tag that all of a tree's whole batches carry.
  private mutating func foreignTag(_ tree: TreeRecord) -> UInt32? {
    var scan = BatchScan(tag: 0)
    _ = try? walker.walk(tree) { _ = scan.take($0) }
    return scan.foreignTags.count == 1 ? scan.foreignTags.first : nil
  }

  /// The name of a partition's database with this tag that differs in one byte.
  private static func name(like bytes: [UInt8], tag: UInt32?) -> String? {
    guard let tag else { return nil }
    for index in bytes.indices {
      var changed = bytes
      for byte in UInt8(0x21)...0x7e {
        changed[index] = byte
        let name = String(decoding: changed, as: UTF8.self)
        if BatchFormat.tag(ofDatabase: name) == tag, RoleStore.partition(ofDatabase: name) != nil {
          return name
        }
      }
    }
    return nil
  }

  /// Goes through a partition.
  /// - Parameter orRename: Whether nothing is kept if all batches are another partition's.
  /// - Returns: False if nothing was kept.
  private mutating func scan(
    _ name: String, _ partition: TopicPartition, _ tree: TreeRecord, _ check: RecordCheck?,
    orRename: Bool
  ) -> Bool {
    var scan = BatchScan(tag: BatchFormat.tag(ofDatabase: name))
    var bad: [(offset: UInt64, reason: String)] = []
    let role = report.role
    let damage =
      (try? walker.walk(tree) { entry in
        guard let (header, batch) = scan.take(entry), let check, !header.isGap else { return }
        var records = RecordCursor(BatchFormat.records(of: batch))
        var offset = header.baseOffset
        while let record = records.next() {
          if let reason = check(role, partition, RecordView(offset: offset, record: record)) {
            bad.append((offset, reason))
          }
          offset += 1
        }
      }) ?? []
    if orRename, scan.batches == 0, scan.foreignTags.count == 1 { return false }
    if tree.flags != TreeRecord.integerKeys {
      find("the database has no integer keys", partition: partition)
    }
    for reason in scan.finish(damage) { find(reason, partition: partition) }
    for range in scan.lost {
      find(range.reason, partition: partition, first: range.start, end: range.end)
    }
    for (offset, reason) in bad {
      report.badRecords.append(
        TopicFinding(
          role: role, partition: partition, firstOffset: offset, endOffset: offset + 1,
          reason: reason))
    }
    databases.append(Database(name: name, tree: tree, partition: partition))
    lost[partition] = scan.lost
    report.partitions.append(
      RoleReport.Partition(
        partition: partition, startOffset: scan.start ?? 0, endOffset: scan.end ?? 0,
        batches: scan.batches, records: scan.records, bytes: scan.bytes, gaps: scan.gaps))
    return true
  }
}

/// Text of a damaged file, for people. The NUL between the parts of a key is a space.
func printable(_ text: String) -> String {
  String(
    String.UnicodeScalarView(
      text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
}
