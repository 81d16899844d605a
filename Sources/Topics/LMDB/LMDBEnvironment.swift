import CLMDB
import Glibc

/// One open LMDB environment: one per role and process, see `LMDBRegistry`.
///
/// Three rules of LMDB shape this type. A thread that opens a named database in a transaction must
/// keep every other transaction of the process from doing so until it ends; therefore `lock` is
/// held by each write transaction and by whoever opens a database for reading. A database handle is
/// valid only in transactions begun after the one that opened it had committed; therefore handles
/// enter `databases` only then, and are never closed one by one. And the map may be moved only
/// while the process has no transaction under way; therefore each holds `map` until it ends.
///
/// `@unchecked Sendable`: the handle is constant, LMDB lets threads share an environment, MDB_NOTLS
/// frees read transactions from their threads, and `close()` runs only when no lease is left, so no
/// call can be under way. `endOfMap`, `hasToFollow` and `durability` are touched only with `lock`
/// held; `mapSize`,
/// `isMapLost` and `mapGuard` are written only by whoever moves the map, and read only by those who
/// hold it.
final class LMDBEnvironment: @unchecked Sendable {
  /// The most named databases: partitions, and three for the role's own records.
  static let maximumDatabases: UInt32 = 1024 + 3
  /// The most readers at once, in all processes. The first process to open the folder decides.
  static let maximumReaders: UInt32 = 1024

  let folder: String
  private let path: String
  let lock = TransactionLock()
  private let handle: OpaquePointer
  private let databases = Locked<[String: MDB_dbi]>([:])
  private let dataFile: mdb_filehandle_t
  /// The file behind the environment; stays its own as long as the environment is open.
  let file: FileIdentity

  let map = MapLock()
  private var mapSize: Int
  private let maximumSize: Int
  private var isMapLost = false
  private var mapGuard: Int32 = -1
  /// The map's size if the write transaction under way has met its end.
  private var endOfMap: Int?
  /// Whether a transaction could not begin because another process has grown the map.
  private var hasToFollow = false

  private var durability: Durability
  /// The strictest that anybody who shares this environment has asked for.
  private let wantedDurability: Locked<Durability>

  /// Without MDB_WRITEMAP a full disk is an error of the commit rather than a fatal signal, and no
  /// stray pointer can write into the file.
  ///
  /// MDB_NOTLS: a read transaction belongs to its object, not to the thread that began it.
  private static let flags = UInt32(MDB_NOTLS)

  /// Opens the environment in an existing folder, and creates its files if there are none.
  /// - Parameter isUnfinished: Whether a file that is cut short is begun anew.
  init(folder: String, settings: LMDBSettings, isUnfinished: Bool = false) throws(TopicError) {
    self.folder = folder
    path = folder + "/data.mdb"
    maximumSize = settings.maximumSize
    let durability = settings.durability ?? .none
    self.durability = durability
    wantedDurability = Locked(durability)
    let handle = try Self.openHandle(
      folder, size: settings.initialSize, durability, isUnfinished: isUnfinished)
    self.handle = handle
    var file: mdb_filehandle_t = -1
    var information = MDB_envinfo()
    do throws(TopicError) {
      try Self.check(mdb_env_get_fd(handle, &file), "cannot examine the data file", folder)
      try Self.check(mdb_env_info(handle, &information), "cannot examine the map", folder)
      self.file = try FileIdentity(of: file, folder: folder)
      // Readers that were killed would keep pages from being reused.
      var dead: Int32 = 0
      try Self.check(mdb_reader_check(handle, &dead), "cannot clear dead readers", folder)
    } catch {
      mdb_env_close(handle)
      throw error
    }
    dataFile = file
    mapSize = information.me_mapsize
    MapGuard.watchAssertions(of: handle)
    mapGuard = MapGuard.add(folder: folder)
    do throws(TopicError) {
      // Whoever only pins a snapshot looks at the file by itself.
      if settings.opensDatabases { try DataFile.checkNotTruncated(path, folder: folder) }
      try openExistingDatabases(settings.opensDatabases)
    } catch {
      close()
      throw error
    }
  }

  private static func openHandle(
    _ folder: String, size: Int, _ durability: Durability, isUnfinished: Bool
  ) throws(TopicError) -> OpaquePointer {
    let path = folder + "/data.mdb"
    var attempts = 0
    while true {
      var created: OpaquePointer?
      try check(mdb_env_create(&created), "cannot create an environment", folder)
      let handle = created!
      do throws(TopicError) {
        try check(mdb_env_set_maxdbs(handle, maximumDatabases), "cannot set the databases", folder)
        try check(mdb_env_set_maxreaders(handle, maximumReaders), "cannot set the readers", folder)
        try check(mdb_env_set_mapsize(handle, size), "cannot set the map size", folder)
      } catch {
        mdb_env_close(handle)
        throw error
      }
      let result = mdb_env_open(handle, folder, flags | durability.flags, 0o660)
      if result == MDB_SUCCESS { return handle }
      mdb_env_close(handle)
      attempts += 1
      guard result == MDB_INVALID, attempts < 10 else {
        throw lmdbError(result, "cannot open the data file", folder: folder)
      }
      if isUnfinished, DataFile.emptyIfUnfinished(path, folder: folder) { continue }
      // If the file is sound, it is the table of readers, as `ExclusiveUse` leaves it if it is
      // killed. Several may have waited for that, and the table is made anew only by one who is
      // alone: not all at once, then.
      guard try MetaPage.damage(of: MetaPage.settled(DataFile(path: path, folder: folder))) == nil
      else { throw lmdbError(result, "cannot open the data file", folder: folder) }
      usleep(.random(in: 0...UInt32(attempts) * 1000))
    }
  }

  /// Only for the registry, when the last lease is gone.
  func close() {
    MapGuard.remove(mapGuard)
    mdb_env_close(handle)
  }

  /// Whether the file system has no room left. LMDB takes a write that stores only a part for an
  /// i/o error, where it is the first sign of a full disk.
  var isDiskFull: Bool {
    var status = statvfs()
    return fstatvfs(dataFile, &status) == 0 && status.f_bavail == 0
  }

  /// Throws if somebody has deleted the data file or put another in its place; without this, a
  /// process would go on for ever with a file nobody else can see.
  func checkNotReplaced() throws(TopicError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let number = errno
      guard number == ENOENT || number == ENOTDIR else {
        throw systemError(number, "cannot examine the data file", folder: folder)
      }
      throw TopicError(
        .notFound, "the data file was deleted while it was in use", folder: folder)
    }
    guard FileIdentity(status) == file else {
      throw TopicError(
        .notFound, "the data file was replaced by another while it was in use", folder: folder)
    }
  }

  /// Makes commits wait for the disk at least as `durability` says, from the next one on.
  func raise(to durability: Durability) {
    wantedDurability.withLock { wanted in
      if durability.rank > wanted.rank { wanted = durability }
    }
  }

  // MARK: Transactions

  /// Runs `body` on a snapshot.
  func read<T>(_ body: (LMDBTransaction) throws(TopicError) -> T) throws(TopicError) -> T {
    let transaction = try beginReading()
    defer { transaction.abort() }
    return try body(transaction)
  }

  /// Begins a read transaction for keeping; it is begun anew with `LMDBTransaction.renew()`.
  func beginReading() throws(TopicError) -> LMDBTransaction {
    try begin(UInt32(MDB_RDONLY), isLocked: false)
  }

  /// Begins a write transaction, while `lock` is held. It waits for those of other processes.
  func beginWriting() throws(TopicError) -> LMDBTransaction {
    let wanted = wantedDurability.withLock { $0 }
    if wanted != durability {
      mdb_env_set_flags(handle, Durability.allFlags & ~wanted.flags, 0)
      mdb_env_set_flags(handle, wanted.flags, 1)
      durability = wanted
    }
    return try begin(0, isLocked: true)
  }

  /// The write transaction under way has met the end of the map, and can only be aborted.
  func noteEndOfMap() { endOfMap = mapSize }

  var isAtEndOfMap: Bool { endOfMap != nil }

  /// Lets `lock` go after a transaction has failed or could not begin. If that had met the end of
  /// the map, the map grows, or follows if another process has grown it; true if so, since trying
  /// again makes sense. After one that has succeeded, `lock` is just unlocked: it is not to be run
  /// again, whatever came before it.
  func unlockGrowingMap() throws(TopicError) -> Bool {
    let (size, follows) = (endOfMap, hasToFollow)
    (endOfMap, hasToFollow) = (nil, false)
    // First, since whoever keeps the map from being moved may be waiting for it.
    lock.unlock()
    if follows {
      try followGrowth()
      return true
    }
    guard let size else { return false }
    return try growMap(from: size)
  }

  private func begin(_ flags: UInt32, isLocked: Bool) throws(TopicError) -> LMDBTransaction {
    // What an earlier one has met is no matter of this one.
    if isLocked { (endOfMap, hasToFollow) = (nil, false) }
    var transaction: OpaquePointer?
    try enterMap("cannot begin a transaction", isLocked: isLocked) {
      mdb_txn_begin(handle, nil, flags, &transaction)
    }
    return LMDBTransaction(handle: transaction!, environment: self)
  }

  // MARK: The map

  /// Makes a call of LMDB's that begins to use the map, and holds the map if it succeeds: whoever
  /// ends what has begun releases it. The map follows the growth of other processes' first; if
  /// `lock` is held, `unlockGrowingMap()` sees to that.
  func enterMap(_ action: String, isLocked: Bool, _ call: () -> Int32) throws(TopicError) {
    while true {
      map.hold(isAwaited: isLocked)
      var result = isMapLost ? ENOMEM : call()
      if result == MDB_READERS_FULL {
        var dead: Int32 = 0
        mdb_reader_check(handle, &dead)
        result = call()
      }
      if result == MDB_SUCCESS { return }
      map.release()
      if isLocked, result == MDB_MAP_RESIZED { hasToFollow = true }
      guard !isLocked, result == MDB_MAP_RESIZED else {
        throw lmdbError(result, action, folder: folder)
      }
      try followGrowth()
    }
  }

  /// Gives the map the size of the process that has grown it most.
  private func followGrowth() throws(TopicError) {
    let moved: Void? = try map.move { () throws(TopicError) in try resizeMap(to: 0) }
    guard moved != nil else {
      throw TopicError(
        .invalid,
        "the map has to follow another process's growth, which it cannot inside of a read or a "
          + "transaction; end that first", folder: folder, isRetriable: true)
    }
  }

  /// Doubles the map, unless another thread has made it larger meanwhile; false if it has its
  /// greatest size.
  private func growMap(from full: Int) throws(TopicError) -> Bool {
    let hasGrown = try map.move { () throws(TopicError) -> Bool in
      guard mapSize <= full else { return true }
      let size = mapSize > maximumSize / 2 ? maximumSize : mapSize * 2
      guard size > mapSize else { return false }
      // LMDB gives up the old map before it asks for the new one, so look first.
      let probe = mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      guard let probe, probe != MAP_FAILED else {
        throw TopicError(
          .full, "there is no address space for a map of \(size) bytes", folder: folder)
      }
      munmap(probe, size)
      try resizeMap(to: size)
      return true
    }
    guard let hasGrown else {
      throw TopicError(
        .invalid, "the map has to grow, which it cannot inside of a read of the same role",
        folder: folder)
    }
    return hasGrown
  }

  /// Gives the map a size, 0 for that of the process that has grown it most; only while it is
  /// being moved.
  private func resizeMap(to size: Int) throws(TopicError) {
    MapGuard.remove(mapGuard)
    mapGuard = -1
    let result = mdb_env_set_mapsize(handle, size)
    isMapLost = result != MDB_SUCCESS
    if !isMapLost { mapGuard = MapGuard.add(folder: folder) }
    try Self.check(result, "cannot map the data file again; open the log anew", folder)
    var information = MDB_envinfo()
    try Self.check(mdb_env_info(handle, &information), "cannot examine the map", folder)
    mapSize = information.me_mapsize
  }

  // MARK: Databases

  /// A named database for reading, nil if there is none. Sees what other processes have created.
  func database(_ name: String) throws(TopicError) -> LMDBDatabase? {
    if let known = knownDatabase(name) { return known }
    // Looking the name up as a key needs no lock, so that waiting for a database to appear never
    // waits for a writer.
    let exists = try read { (transaction) throws(TopicError) in
      try transaction.get(.names, LMDBKey(name)) != nil
    }
    guard exists else { return nil }
    while true {
      try lock.lock(
        else: "a partition that another process has just created cannot be opened inside a "
          + "transaction of its role; open it before")
      do throws(TopicError) {
        let opened = try open(name)
        lock.unlock()
        return opened
      } catch {
        guard try unlockGrowingMap() else { throw error }
      }
    }
  }

  /// Opens a database, while `lock` is held.
  private func open(_ name: String) throws(TopicError) -> LMDBDatabase? {
    if let known = knownDatabase(name) { return known }
    let transaction = try begin(UInt32(MDB_RDONLY), isLocked: true)
    let opened: LMDBDatabase?
    do throws(TopicError) {
      opened = try transaction.openDatabase(name, flags: 0)
    } catch {
      transaction.abort()
      throw error
    }
    // Committing, although nothing was written, is what keeps the handle.
    try transaction.commit()
    if let opened { remember([name: opened]) }
    return opened
  }

  func knownDatabase(_ name: String) -> LMDBDatabase? {
    databases.withLock { $0[name] }.map(LMDBDatabase.init)
  }

  /// Makes handles known, after the transaction that opened them has committed.
  func remember(_ opened: [String: LMDBDatabase]) {
    databases.withLock { known in
      for (name, database) in opened { known[name] = database.handle }
    }
  }

  /// The names of all databases there are.
  func databaseNames() throws(TopicError) -> [String] {
    try read { (transaction) throws(TopicError) in
      try transaction.names()
    }
  }

  private func openExistingDatabases(_ opensDatabases: Bool) throws(TopicError) {
    let transaction = try beginReading()
    var opened: [String: LMDBDatabase] = [:]
    do throws(TopicError) {
      // Opening the unnamed database also sets its key order, which a lookup needs.
      try transaction.openNames()
      for name in opensDatabases ? try transaction.names() : [] {
        opened[name] = try transaction.openDatabase(name, flags: 0)
      }
    } catch {
      transaction.abort()
      throw error
    }
    try transaction.commit()
    remember(opened)
  }

  static func check(_ result: Int32, _ action: String, _ folder: String) throws(TopicError) {
    if result != MDB_SUCCESS { throw lmdbError(result, action, folder: folder) }
  }
}

/// A handle of a named database.
struct LMDBDatabase: Hashable {
  let handle: MDB_dbi

  /// LMDB's own database, whose keys are the names of the others.
  static let names = LMDBDatabase(handle: 1)
}
