import CLMDB
import CZlib
import Testing

/// Replaces (or, with nil, removes) a stored batch of `events` behind the log's back, while no log
/// is open; returns what was there.
@discardableResult
func changeStoredBatch(
  at offset: UInt64, in folder: String, _ change: ([UInt8]) -> [UInt8]?
) throws -> [UInt8] {
  let key = withUnsafeBytes(of: offset) { [UInt8]($0) }
  return try changeStoredValue(key, of: "topic/events/0", in: folder, change)
}

/// The same for a value of any database. What was not there is given as no bytes.
@discardableResult
func changeStoredValue(
  _ key: [UInt8], of name: String, in folder: String, _ change: ([UInt8]) -> [UInt8]?
) throws -> [UInt8] {
  var environment: OpaquePointer?
  try #require(mdb_env_create(&environment) == 0)
  defer { mdb_env_close(environment) }
  try #require(mdb_env_set_maxdbs(environment, 16) == 0)
  try #require(mdb_env_open(environment, folder, 0, 0o660) == 0)
  var transaction: OpaquePointer?
  try #require(mdb_txn_begin(environment, nil, 0, &transaction) == 0)
  var database: MDB_dbi = 0
  try #require(mdb_dbi_open(transaction, name, 0, &database) == 0)
  var key = key
  var before: [UInt8] = []
  let result = key.withUnsafeMutableBytes { key -> Int32 in
    var key = MDB_val(mv_size: key.count, mv_data: key.baseAddress)
    var value = MDB_val()
    let found = mdb_get(transaction, database, &key, &value)
    guard found == 0 || found == MDB_NOTFOUND else { return found }
    if found == 0 {
      before = [UInt8](UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }
    guard var after = change(before) else { return mdb_del(transaction, database, &key, nil) }
    return after.withUnsafeMutableBytes { bytes in
      var value = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
      return mdb_put(transaction, database, &key, &value, 0)
    }
  }
  try #require(result == 0)
  try #require(mdb_txn_commit(transaction) == 0)
  return before
}

func checksum(_ bytes: [UInt8]) -> UInt32 {
  UInt32(truncatingIfNeeded: crc32_z(0, bytes, bytes.count))
}

extension FixedWidthInteger {
  var storedBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { [UInt8]($0) } }
}

/// The bytes of a batch, written here from the format's table and not by the log.
func storedBatch(
  version: UInt16 = 2, flags: UInt16 = 0, count: UInt32, base: UInt64, timestamp: Int64 = 0,
  maximum: Int64 = 0, database: String = "topic/events/0", reserved: UInt32 = 0,
  records: [UInt8] = []
) -> [UInt8] {
  let magic = Array("WBAT".utf8)
  var rest = version.storedBytes + flags.storedBytes + count.storedBytes + base.storedBytes
  rest += timestamp.storedBytes + maximum.storedBytes + UInt64(records.count).storedBytes
  rest += checksum(Array(database.utf8)).storedBytes + reserved.storedBytes + records
  return magic + checksum(magic + rest).storedBytes + rest
}
