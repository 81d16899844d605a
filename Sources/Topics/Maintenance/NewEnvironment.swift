import Glibc

/// An environment under construction, in a folder that nobody else knows.
final class NewEnvironment {
  private let environment: LMDBEnvironment
  private let folder: String
  private var transaction: LMDBTransaction?
  private var databases: [String: LMDBDatabase] = [:]
  private var pending = 0

  /// Bytes after which a transaction is committed; one that is too large would fail.
  private static let transactionBytes = 32 << 20

  /// Makes the environment; the folder must not exist yet.
  /// - Parameter bytes: About how much it will hold.
  init(folder: String, bytes: UInt64) throws(TopicError) {
    try LogFolder.makeFolder(folder)
    self.folder = folder
    environment = try LMDBEnvironment(
      folder: folder,
      settings: .maintenance(initialSize: max(1 << 30, Int(min(bytes, 1 << 42)) * 2)))
  }

  deinit {
    transaction?.abort()
    environment.close()
  }

  /// Creates a database that has no entries yet.
  func create(_ name: String, integerKeys: Bool) throws(TopicError) {
    let transaction = try current()
    databases[name] = try transaction.openOrCreate(name, integerKeys: integerKeys)
  }

  /// Adds a batch behind all others.
  func append(_ batch: UnsafeRawBufferPointer, at offset: UInt64, to name: String)
    throws(TopicError)
  {
    let room = try current().appendReserving(databases[name]!, offset, byteCount: batch.count)
    room.copyMemory(from: batch)
    try added(batch.count)
  }

  /// Puts a value as it is stored.
  func put(stored: [UInt8], for key: String, in name: String) throws(TopicError) {
    try current().put(databases[name]!, LMDBKey(key), stored)
    try added(stored.count)
  }

  /// Commits, and waits until all of it is on the disk.
  func finish() throws(TopicError) {
    try commit()
    try LogFolder.sync(folder + "/data.mdb", in: folder)
    try LogFolder.sync(folder, in: folder)
  }

  private func current() throws(TopicError) -> LMDBTransaction {
    if let transaction { return transaction }
    let begun = try environment.beginWriting()
    transaction = begun
    return begun
  }

  private func added(_ bytes: Int) throws(TopicError) {
    pending += bytes
    if pending >= Self.transactionBytes { try commit() }
  }

  private func commit() throws(TopicError) {
    pending = 0
    guard let ending = transaction else { return }
    transaction = nil
    try ending.commit()
  }
}
