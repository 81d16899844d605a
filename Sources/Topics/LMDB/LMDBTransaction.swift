import CLMDB
import Glibc

/// A transaction under way, borrowed: whoever began it ends it. Bytes it returns lie in the map and
/// are valid until the next write in it or its end.
struct LMDBTransaction {
  let handle: OpaquePointer
  let environment: LMDBEnvironment
  var folder: String { environment.folder }

  /// A write transaction's is one more than that of the last commit that changed anything; a commit
  /// without a change uses up none.
  var id: Int { mdb_txn_id(handle) }

  // MARK: Values

  func get(_ database: LMDBDatabase, _ key: LMDBKey) throws(TopicError) -> UnsafeRawBufferPointer? {
    var value = MDB_val()
    let result = key.withValue { mdb_get(handle, database.handle, &$0, &value) }
    if result == MDB_NOTFOUND { return nil }
    try check(result, "cannot read a value")
    return UnsafeRawBufferPointer(value)
  }

  func put(_ database: LMDBDatabase, _ key: LMDBKey, _ bytes: [UInt8]) throws(TopicError) {
    let result = bytes.withUnsafeBytes { bytes in
      var value = MDB_val(
        mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      return key.withValue { mdb_put(handle, database.handle, &$0, &value, 0) }
    }
    try check(result, "cannot write a value")
  }

  /// Makes room for a value under an integer key above all others, to be filled at once.
  func appendReserving(_ database: LMDBDatabase, _ key: UInt64, byteCount: Int) throws(TopicError)
    -> UnsafeMutableRawBufferPointer
  {
    var value = MDB_val(mv_size: byteCount, mv_data: nil)
    let result = LMDBKey(key).withValue {
      mdb_put(handle, database.handle, &$0, &value, UInt32(MDB_APPEND) | UInt32(MDB_RESERVE))
    }
    try check(result, "cannot append a batch of \(byteCount) bytes")
    return UnsafeMutableRawBufferPointer(start: value.mv_data, count: byteCount)
  }

  /// Returns whether there was anything to remove.
  func remove(_ database: LMDBDatabase, _ key: LMDBKey) throws(TopicError) -> Bool {
    let result = key.withValue { mdb_del(handle, database.handle, &$0, nil) }
    if result == MDB_NOTFOUND { return false }
    try check(result, "cannot remove a value")
    return true
  }

  // MARK: Databases

  /// Opens a named database, nil if there is none and `flags` do not ask to create it. Only while
  /// the environment's lock is held.
  func openDatabase(_ name: String, flags: UInt32) throws(TopicError) -> LMDBDatabase? {
    var database: MDB_dbi = 0
    let result = mdb_dbi_open(handle, name, flags, &database)
    if result == MDB_NOTFOUND { return nil }
    try check(result, "cannot open the database '\(name)'")
    return LMDBDatabase(handle: database)
  }

  func openOrCreate(_ name: String, integerKeys: Bool = false) throws(TopicError) -> LMDBDatabase {
    let flags = UInt32(MDB_CREATE) | (integerKeys ? UInt32(MDB_INTEGERKEY) : 0)
    return try openDatabase(name, flags: flags)!
  }

  func openNames() throws(TopicError) {
    var database: MDB_dbi = 0
    try check(mdb_dbi_open(handle, nil, 0, &database), "cannot open the database of names")
  }

  func names() throws(TopicError) -> [String] {
    try keys(of: .names, from: "")
  }

  /// The keys of a database that begin with `prefix`, in the order of their bytes.
  func keys(of database: LMDBDatabase, from prefix: String) throws(TopicError) -> [String] {
    let cursor = try openCursor(database)
    defer { cursor.close() }
    var keys: [String] = []
    var entry = prefix.isEmpty ? try cursor.move(MDB_FIRST) : try cursor.move(to: LMDBKey(prefix))
    while let key = entry?.key, key.starts(with: prefix.utf8) {
      keys.append(String(decoding: key, as: UTF8.self))
      entry = try cursor.move(MDB_NEXT)
    }
    return keys
  }

  /// The bytes of all pages of a database.
  func byteCount(of database: LMDBDatabase) throws(TopicError) -> Int {
    var status = MDB_stat()
    try check(mdb_stat(handle, database.handle, &status), "cannot examine a database")
    return (status.ms_branch_pages + status.ms_leaf_pages + status.ms_overflow_pages)
      * Int(status.ms_psize)
  }

  func openCursor(_ database: LMDBDatabase) throws(TopicError) -> LMDBCursor {
    var cursor: OpaquePointer?
    try check(mdb_cursor_open(handle, database.handle, &cursor), "cannot open a cursor")
    return LMDBCursor(handle: cursor!, folder: folder)
  }

  // MARK: Lifetime

  /// Ends the snapshot of a read transaction and keeps its place in the table of readers.
  func reset() {
    mdb_txn_reset(handle)
    environment.map.release()
  }

  /// Takes a new snapshot after `reset()`.
  func renew() throws(TopicError) {
    try environment.enterMap("cannot renew a transaction", isLocked: false) {
      mdb_txn_renew(handle)
    }
  }

  /// Gives up a read transaction after `reset()`.
  func discard() { mdb_txn_abort(handle) }

  /// Ends a transaction; the handle is gone afterwards, also when this throws.
  func commit() throws(TopicError) {
    var result = mdb_txn_commit(handle)
    defer { environment.map.release() }
    if result == EIO, environment.isDiskFull { result = ENOSPC }
    try check(result, "cannot commit")
  }

  /// Ends a transaction without writing anything.
  func abort() {
    mdb_txn_abort(handle)
    environment.map.release()
  }

  private func check(_ result: Int32, _ action: @autoclosure () -> String) throws(TopicError) {
    guard result != MDB_SUCCESS else { return }
    if result == MDB_MAP_FULL { environment.noteEndOfMap() }
    throw lmdbError(result, action(), folder: folder)
  }
}

/// A position in a database, borrowed: whoever opened it closes it.
struct LMDBCursor {
  let handle: OpaquePointer
  let folder: String

  func move(_ operation: MDB_cursor_op) throws(TopicError) -> LMDBEntry? {
    var key = MDB_val()
    return try move(operation, &key)
  }

  /// Moves to the first entry whose key is `key` or more.
  func move(to key: LMDBKey) throws(TopicError) -> LMDBEntry? {
    var value = MDB_val()
    var found = MDB_val()
    let result = key.withValue { key in
      let result = mdb_cursor_get(handle, &key, &value, MDB_SET_RANGE)
      found = key
      return result
    }
    return try entry(result, found, value)
  }

  func first() throws(TopicError) -> LMDBEntry? { try move(MDB_FIRST) }
  func last() throws(TopicError) -> LMDBEntry? { try move(MDB_LAST) }
  func next() throws(TopicError) -> LMDBEntry? { try move(MDB_NEXT) }
  func previous() throws(TopicError) -> LMDBEntry? { try move(MDB_PREV) }

  /// Attaches the cursor to a read transaction that was renewed.
  func renew(in transaction: LMDBTransaction) throws(TopicError) {
    let result = mdb_cursor_renew(transaction.handle, handle)
    if result != MDB_SUCCESS { throw lmdbError(result, "cannot renew a cursor", folder: folder) }
  }

  func close() { mdb_cursor_close(handle) }

  private func move(_ operation: MDB_cursor_op, _ key: inout MDB_val) throws(TopicError)
    -> LMDBEntry?
  {
    var value = MDB_val()
    let result = mdb_cursor_get(handle, &key, &value, operation)
    return try entry(result, key, value)
  }

  private func entry(_ result: Int32, _ key: MDB_val, _ value: MDB_val) throws(TopicError)
    -> LMDBEntry?
  {
    if result == MDB_NOTFOUND { return nil }
    if result != MDB_SUCCESS { throw lmdbError(result, "cannot move a cursor", folder: folder) }
    return LMDBEntry(key: UnsafeRawBufferPointer(key), value: UnsafeRawBufferPointer(value))
  }
}

/// A key and its value, as they lie in the map.
struct LMDBEntry {
  let key: UnsafeRawBufferPointer
  let value: UnsafeRawBufferPointer

  /// The key of a database with integer keys. LMDB keeps them in the machine's byte order.
  var integerKey: UInt64 { key.loadUnaligned(as: UInt64.self) }
}

/// A key to look up or to write.
enum LMDBKey {
  case integer(UInt64)
  case text(String)

  init(_ integer: UInt64) { self = .integer(integer) }
  init(_ text: String) { self = .text(text) }

  func withValue(_ body: (inout MDB_val) -> Int32) -> Int32 {
    switch self {
    case .integer(var integer):
      return withUnsafeMutableBytes(of: &integer) { bytes in
        var value = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
        return body(&value)
      }
    case .text(var text):
      return text.withUTF8 { bytes in
        var value = MDB_val(
          mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        return body(&value)
      }
    }
  }
}

extension UnsafeRawBufferPointer {
  init(_ value: MDB_val) { self.init(start: value.mv_data, count: value.mv_size) }
}
