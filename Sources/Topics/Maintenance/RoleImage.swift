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
  /// Partitions that may have gone on behind what can be read, where nothing there is damaged.
  private(set) var doubtfulEnds: [TopicFinding] = []
  private(set) var free: FreePages
  private(set) var walker: PageWalker
  /// Whether all databases can be found.
  private(set) var namesAreSound = true
  /// Why it is not known to be the newest state; nil if it is.
  var fallback: String?
  private var format: String?
  private var owner: String?
  /// The names that there are, or that were found to be the right ones.
  private var names: Set<String> = []
  /// How many databases were looked at for another name than theirs; each costs a walk.
  private var renames = 0

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
    findOldTrees()
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

  /// Names the databases that lead to pages which are free: their trees may be those of an earlier
  /// transaction.
  private mutating func findOldTrees() {
    guard free.disputed.count > 0 else { return }
    for database in databases {
      var walker = PageWalker(file, lastPage: snapshot.lastPage)
      _ = try? walker.walk(database.tree) { _ in }
      guard walker.used.intersects(free.disputed) else { continue }
      let reason = "it has pages that are free; what was committed last may be missing"
      if let partition = database.partition {
        let end = report.partitions.first { $0.partition == partition }?.endOffset
        find(reason, partition: partition, first: end)
        doubtfulEnds.append(report.findings.last!)
      } else {
        find(reason, key: database.name)
      }
    }
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
    names = Set(found.map { String(decoding: $0.name, as: UTF8.self) })
    var seen: Set<String> = []
    for (bytes, tree) in found {
      let name = String(decoding: bytes, as: UTF8.self)
      guard seen.insert(name).inserted else {
        find("there are two databases with the name '\(printable(name))'")
        namesAreSound = false
        continue
      }
      if RoleStore.ownDatabases.contains(name) {
        readValues(name, tree)
      } else if let own = RoleStore.ownDatabases.first(where: { own in
        Self.isAlmost(own, bytes) && !names.contains(own)
      }) {
        rename(name, to: own)
        readValues(own, tree)
      } else {
        readPartition(name, bytes, tree, check)
      }
    }
    guard !found.isEmpty else { return }
    for name in RoleStore.ownDatabases where !databases.contains(where: { $0.name == name }) {
      find("the database '\(name)' is missing")
      namesAreSound = false
    }
  }

  private static func isAlmost(_ name: String, _ bytes: [UInt8]) -> Bool {
    name.utf8.count == bytes.count && zip(name.utf8, bytes).count(where: { $0 != $1 }) == 1
  }

  /// Takes a database for the one of another name, which no other is taken for then.
  private mutating func rename(_ name: String, to right: String) {
    find(
      "the database '\(right)' is named '\(printable(name))'",
      partition: RoleStore.partition(ofDatabase: right))
    names.insert(right)
  }

  // MARK: Values

  private mutating func readValues(_ name: String, _ tree: TreeRecord) {
    var tree = tree
    if tree.flags != 0 {
      find("the database '\(name)' has the flags \(tree.flags), expected are none")
      tree.flags = 0
    }
    databases.append(Database(name: name, tree: tree, partition: nil))
    var sound: [OwnValue] = []
    var damaged: [(key: [UInt8], reason: String)] = []
    let damage = try? walker.walk(tree) { entry in
      guard case .value(let stored) = entry.content else { return }
      do throws(OwnValue.Problem) {
        sound.append(try OwnValue(stored, under: entry.key, in: name))
      } catch {
        damaged.append((entry.key, error.reason))
      }
    }
    for damage in damage ?? [] { find(damage.reason, key: name) }
    for (key, reason) in damaged {
      find(reason, key: "\(name) \(printable(String(decoding: key, as: UTF8.self)))")
    }
    for value in sound {
      switch value {
      case .format(let text): format = text
      case .owner(let name): owner = name
      case .epoch(let number): report.epoch = number
      case .position(let position): report.positions.append(position)
      case .state(let key): report.stateKeys.append(key)
      }
    }
  }

  /// Whether the role itself says, soundly, that its format is the known one.
  var isOfThisFormat: Bool { format == LogFolder.format }

  private mutating func checkMeta() {
    guard databases.contains(where: { $0.name == RoleStore.meta }) else {
      if databases.isEmpty { report.epoch = 0 }
      return
    }
    if let format {
      if format != LogFolder.format { find("the role has the format '\(printable(format))'") }
    } else {
      find("it is missing", key: "\(RoleStore.meta) \(RoleStore.formatKey)")
    }
    if let owner {
      if owner != report.role.name { find("the folder was written by '\(printable(owner))'") }
    } else {
      find("it is missing", key: "\(RoleStore.meta) \(RoleStore.ownerKey)")
    }
    let isDamaged = report.findings.contains { $0.key?.hasPrefix(RoleStore.meta) == true }
    if report.epoch == nil, !isDamaged { report.epoch = 0 }
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
    guard let right = Self.name(like: bytes, tag: foreignTag(tree)), !names.contains(right),
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
    rename(name, to: right)
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
