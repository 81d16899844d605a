import CLMDB
import Glibc

/// The error for a failed call of LMDB, whose results are its own negative codes or an errno.
func lmdbError(_ result: Int32, _ action: String, folder: String) -> TopicError {
  // LMDB reports a write that was cut short as an i/o error as well.
  if result == EIO {
    return TopicError(
      .io, "\(action): a write failed or was cut short; the disk may be full", folder: folder)
  }
  if result > 0 { return systemError(result, action, folder: folder) }
  let text = String(cString: mdb_strerror(result))
  let (code, hint): (TopicError.Code, String) =
    switch result {
    case MDB_MAP_FULL: (.full, "the role has reached its maximum size")
    case MDB_DBS_FULL: (.full, "a role holds at most 1,024 partitions")
    case MDB_READERS_FULL: (.full, "a role has at most 1,024 readers at once")
    case MDB_TXN_FULL: (.full, "the transaction is too large; write it in several")
    case MDB_CORRUPTED, MDB_PAGE_NOTFOUND: (.corrupt, "the data file is damaged")
    case MDB_INVALID: (.corrupt, "data.mdb is not an LMDB data file")
    case MDB_VERSION_MISMATCH: (.formatMismatch, "the LMDB library is of another version")
    case MDB_INCOMPATIBLE: (.corrupt, "a database is of another kind than expected")
    case MDB_KEYEXIST: (.corrupt, "a batch is not after the last one")
    case MDB_BAD_TXN: (.invalid, "an earlier operation of the transaction has failed")
    case MDB_PANIC:
      (
        .io,
        "an earlier write to the head of the file has failed; the process has to let go of the log "
          + "and open it again"
      )
    default: (.io, "")
    }
  let reason = hint.isEmpty ? "\(action): \(text)" : "\(action): \(text); \(hint)"
  return TopicError(code, reason, folder: folder, isRetriable: result == MDB_READERS_FULL)
}
