import CLMDB
import Glibc

/// One open LMDB environment: one per role and process, see `LMDBRegistry`.
///
/// Two rules of LMDB shape this type. A thread that opens a named database in a transaction must
/// keep every other transaction of the process from doing so until it ends; therefore `lock` is held
/// by each write transaction and by whoever opens a database for reading. And a database handle is
/// valid only in transactions begun after the one that opened it had committed; therefore handles
/// enter `databases` only then, and are never closed one by one.
///
/// `@unchecked Sendable`: the handle is constant, LMDB lets threads share an environment, MDB_NOTLS
/// frees read transactions from their threads, and `close()` runs only when no lease is left, so
/// no call can be under way.
final class LMDBEnvironment: @unchecked Sendable {
  /// The most named databases: partitions, and three for the role's own records.
  static let maximumDatabases: UInt32 = 1024 + 3
  /// The most readers at once, in all processes. The first process to open the folder decides.
  static let maximumReaders: UInt32 = 1024

  let folder: String
  let lock = TransactionLock()
  private let handle: OpaquePointer
  private let databases = Locked<[String: MDB_dbi]>([:])
  private let dataFile: mdb_filehandle_t

  /// The one place where durability is chosen.
  ///
  /// MDB_NOSYNC: a commit hands its pages to the kernel and does not wait for the disk. Commits
  /// survive the death of the process, however sudden. They do not survive a crash of the machine
  /// or a power cut: the last commits may be missing then, and, because pages may reach the disk
  /// out of order, the role's whole data file may be damaged beyond opening. Without MDB_WRITEMAP
  /// a full disk is an error of the commit rather than a fatal signal, and no stray pointer can
  /// write into the file.
  ///
  /// MDB_NOTLS: a read transaction belongs to its object, not to the thread that began it.
  private static let flags = UInt32(MDB_NOTLS) | UInt32(MDB_NOSYNC)

  /// Opens the environment in an existing folder, and creates its files if there are none.
  /// - Parameters:
  ///   - capacity: The size of the map in bytes: address space, neither memory nor disk.
  ///   - opensDatabases: Otherwise no page is looked at but the meta pages, for LMDB may crash on
  ///     damaged ones.
  init(folder: String, capacity: Int, opensDatabases: Bool = true) throws(TopicError) {
    self.folder = folder
    var created: OpaquePointer?
    try Self.check(mdb_env_create(&created), "cannot create an environment", folder)
    let handle = created!
    self.handle = handle
    var file: mdb_filehandle_t = -1
    do throws(TopicError) {
      try Self.check(
        mdb_env_set_maxdbs(handle, Self.maximumDatabases), "cannot set the databases", folder)
      try Self.check(
        mdb_env_set_maxreaders(handle, Self.maximumReaders), "cannot set the readers", folder)
      try Self.check(mdb_env_set_mapsize(handle, capacity), "cannot set the map size", folder)
      try Self.check(
        mdb_env_open(handle, folder, Self.flags, 0o660), "cannot open the data file", folder)
      try Self.check(mdb_env_get_fd(handle, &file), "cannot examine the data file", folder)
      // Readers that were killed would keep pages from being reused.
      var dead: Int32 = 0
      try Self.check(mdb_reader_check(handle, &dead), "cannot clear dead readers", folder)
    } catch {
      mdb_env_close(handle)
      throw error
    }
    dataFile = file
    do throws(TopicError) {
      try openExistingDatabases(opensDatabases)
    } catch {
      mdb_env_close(handle)
      throw error
    }
  }

  /// Only for the registry, when the last lease is gone.
  func close() { mdb_env_close(handle) }

  /// The file behind the environment; stays its own as long as the environment is open.
  func identity() throws(TopicError) -> FileIdentity {
    var status = stat()
    guard fstat(dataFile, &status) == 0 else {
      throw systemError(errno, "cannot examine the data file", folder: folder)
    }
    return FileIdentity(status)
  }

  /// Throws if somebody has deleted the data file; without this, a process would go on for ever
  /// with a file nobody else can see.
  func checkNotDeleted() throws(TopicError) {
    var status = stat()
    guard fstat(dataFile, &status) == 0, status.st_nlink > 0 else {
      throw TopicError(
        .notFound, "the data file was deleted while it was in use", folder: folder)
    }
  }

  // MARK: Transactions

  /// Runs `body` on a snapshot.
  func read<T>(_ body: (LMDBTransaction) throws(TopicError) -> T) throws(TopicError) -> T {
    let transaction = try begin(UInt32(MDB_RDONLY))
    defer { mdb_txn_abort(transaction.handle) }
    return try body(transaction)
  }

  /// Begins a read transaction for keeping; it is begun anew with `LMDBTransaction.renew()`.
  func beginReading() throws(TopicError) -> LMDBTransaction { try begin(UInt32(MDB_RDONLY)) }

  /// Begins a write transaction, while `lock` is held. It waits for those of other processes.
  func beginWriting() throws(TopicError) -> LMDBTransaction { try begin(0) }

  private func begin(_ flags: UInt32) throws(TopicError) -> LMDBTransaction {
    var transaction: OpaquePointer?
    var result = mdb_txn_begin(handle, nil, flags, &transaction)
    if result == MDB_READERS_FULL {
      var dead: Int32 = 0
      mdb_reader_check(handle, &dead)
      result = mdb_txn_begin(handle, nil, flags, &transaction)
    }
    try Self.check(result, "cannot begin a transaction", folder)
    return LMDBTransaction(handle: transaction!, folder: folder)
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
    try lock.lock(
      else: "a partition that another process has just created cannot be opened inside a "
        + "transaction of its role; open it before")
    defer { lock.unlock() }
    if let known = knownDatabase(name) { return known }
    let transaction = try begin(UInt32(MDB_RDONLY))
    do throws(TopicError) {
      let opened = try transaction.openDatabase(name, flags: 0)
      // Committing, although nothing was written, is what keeps the handle.
      try Self.check(mdb_txn_commit(transaction.handle), "cannot open a database", folder)
      if let opened { remember([name: opened]) }
      return opened
    } catch {
      mdb_txn_abort(transaction.handle)
      throw error
    }
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
    let transaction = try begin(UInt32(MDB_RDONLY))
    do throws(TopicError) {
      // Opening the unnamed database also sets its key order, which a lookup needs.
      try transaction.openNames()
      var opened: [String: LMDBDatabase] = [:]
      for name in opensDatabases ? try transaction.names() : [] {
        opened[name] = try transaction.openDatabase(name, flags: 0)
      }
      try Self.check(mdb_txn_commit(transaction.handle), "cannot open the databases", folder)
      remember(opened)
    } catch {
      mdb_txn_abort(transaction.handle)
      throw error
    }
  }

  static func check(_ result: Int32, _ action: String, _ folder: String) throws(TopicError) {
    if result != MDB_SUCCESS { throw lmdbError(result, action, folder: folder) }
  }
}

/// A file, whatever its path.
struct FileIdentity: Hashable {
  let device: UInt64
  let inode: UInt64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}

/// A handle of a named database.
struct LMDBDatabase: Hashable {
  let handle: MDB_dbi

  /// LMDB's own database, whose keys are the names of the others.
  static let names = LMDBDatabase(handle: 1)
}
