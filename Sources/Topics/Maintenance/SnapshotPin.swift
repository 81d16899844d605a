/// A read transaction that keeps the pages of one snapshot from being used again, without letting
/// LMDB look at any page but the meta pages.
final class SnapshotPin {
  let meta: MetaPage
  private let lease: LMDBLease
  private let transaction: LMDBTransaction

  /// Pins the newest snapshot; nil if the meta pages are damaged, so that LMDB cannot be trusted
  /// with the file.
  convenience init?(folder: String) throws(TopicError) {
    guard let lease = try Self.open(folder) else { return nil }
    try self.init(lease, folder: folder)
  }

  /// Opens the environment in a folder; nil if its meta pages are damaged.
  static func open(_ folder: String) throws(TopicError) -> LMDBLease? {
    let file = try DataFile(path: folder + "/data.mdb", folder: folder)
    guard file.hasMetaPages, MetaPage.damage(of: MetaPage.settled(file)) == nil else { return nil }
    return try LMDBRegistry.open(folder, .maintenance(opensDatabases: false), create: false)
  }

  /// Pins the newest snapshot of an open environment.
  init(_ lease: LMDBLease, folder: String) throws(TopicError) {
    self.lease = lease
    let file = try DataFile(path: folder + "/data.mdb", folder: folder)
    // Two commits may come between taking a snapshot and reading its meta page.
    for _ in 0..<1000 {
      let transaction = try lease.environment.beginReading()
      let identifier = UInt64(transaction.id)
      let pages = MetaPage.settled(file)
      if let meta = pages.compactMap({ $0 }).first(where: { $0.transaction == identifier }) {
        self.meta = meta
        self.transaction = transaction
        return
      }
      transaction.abort()
    }
    throw TopicError(
      .io, "cannot take a snapshot: the meta pages name no transaction that LMDB knows",
      folder: folder, isRetriable: true)
  }

  deinit { transaction.abort() }
}

extension MetaPage {
  /// Both meta pages, read again if somebody was writing them.
  static func settled(_ file: DataFile) -> [MetaPage?] {
    var last = both(of: file)
    for _ in 0..<100 {
      let pages = both(of: file)
      if pages == last, damage(of: pages) == nil { return pages }
      last = pages
    }
    return last
  }
}
