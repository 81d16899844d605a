import Glibc

extension DataFile {
  /// Throws if pages are missing at the end of a file that LMDB has opened: it trusts the file to be
  /// as long as it says, and a page beyond the end ends the process with a signal. Pages of the free
  /// list may be missing, because LMDB does not write a page that a transaction takes and gives
  /// back.
  static func checkNotTruncated(_ path: String, folder: String) throws(TopicError) {
    // Others may be writing. What they do meanwhile can only make the file longer, and a free list
    // of theirs unreadable; then another look tells.
    for _ in 0..<5 {
      let file = try DataFile(path: path, folder: folder)
      let metas = MetaPage.both(of: file).compactMap { $0 }
      guard let meta = metas.max(by: { $0.transaction < $1.transaction }) else { break }
      guard file.pageCount <= meta.lastPage else { return }
      var walker = PageWalker(file, lastPage: meta.lastPage)
      let free = FreePages(Snapshot(meta), &walker)
      let missing = file.pageCount...meta.lastPage
      if free.damage.isEmpty, missing.allSatisfy(free.pages.contains) { return }
    }
    throw TopicError(
      .corrupt, "the data file is truncated; `weir topics verify` tells what is missing",
      folder: folder)
  }

  /// Whether the file goes on to the end of its second meta page, which every commit leaves it to.
  var hasMetaPages: Bool { byteCount >= 2 * UInt64(pageSize) }

  /// Empties a file whose creation a full disk or a kill has cut short, which LMDB would refuse for
  /// ever: one without room for the second meta page, and without a transaction in the first. The
  /// rest of a file looks the same; so only where `RoleFolder` knows that nothing was committed.
  /// Returns whether it did.
  static func emptyIfUnfinished(_ path: String, folder: String) -> Bool {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // Between those who empty it; whoever fills it does so only when it is empty.
    guard flock(descriptor, LOCK_EX) == 0, let file = try? DataFile(path: path, folder: folder),
      file.byteCount > 0, !file.hasMetaPages
    else { return false }
    if file.pageCount > 0 {
      guard let meta = MetaPage.both(of: file)[0], meta.transaction == 0 else { return false }
    }
    return ftruncate(descriptor, 0) == 0
  }
}
