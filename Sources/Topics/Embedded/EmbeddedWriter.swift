import CLMDB

/// Writes as one role into its environment.
final class EmbeddedWriter: TopicWriter {
  let epoch: UInt64
  var role: WriterRole { store.role }

  private let store: RoleStore
  private let bell: Bell
  private let meta: LMDBDatabase
  /// What the last transaction has left, so that the next need not look it up.
  private var memory: WriterMemory

  init(_ store: RoleStore, epoch: UInt64, bell: Bell) {
    self.store = store
    self.epoch = epoch
    self.bell = bell
    let environment = store.environment
    // Opened by prepareForWriting, which made the writer possible.
    meta = environment.knownDatabase(RoleStore.meta)!
    memory = WriterMemory(
      positions: environment.knownDatabase(RoleStore.positions)!,
      state: environment.knownDatabase(RoleStore.state)!)
  }

  @discardableResult
  func transact<T>(_ body: (any TopicTransaction) throws -> T) throws -> T {
    let environment = store.environment
    while true {
      try environment.lock.lock(
        else: "a transaction of the role '\(role)' was begun inside another on the same thread")
      do {
        let result = try attempt(body)
        environment.lock.unlock()
        return result
      } catch {
        guard try environment.unlockGrowingMap() else { throw error }
      }
    }
  }

  private func attempt<T>(_ body: (any TopicTransaction) throws -> T) throws -> T {
    let environment = store.environment
    try environment.checkNotReplaced()
    let handle = try environment.beginWriting()
    let identifier = handle.id
    if identifier != memory.lastTransaction + 1 {
      // Somebody else has written since.
      memory.forgetOthers()
      do {
        try checkEpoch(handle)
      } catch {
        handle.abort()
        throw error
      }
    }
    let transaction = EmbeddedTransaction(handle, environment, memory)
    let result: T
    do {
      result = try body(transaction)
      if environment.isAtEndOfMap {
        // The body has not passed the error on.
        throw lmdbError(MDB_MAP_FULL, "cannot write", folder: environment.folder)
      }
    } catch {
      transaction.end()
      handle.abort()
      memory.forgetOthers()
      throw error
    }
    transaction.end()
    guard transaction.hasChanges || !transaction.opened.isEmpty else {
      handle.abort()
      return result
    }
    do {
      try handle.commit()
    } catch {
      memory.forgetOthers()
      throw error
    }
    environment.remember(transaction.opened)
    memory = transaction.memory
    guard transaction.hasChanges else {
      // The number is still free: if another process takes it, it must not look like this writer's.
      memory.forgetOthers()
      return result
    }
    memory.lastTransaction = identifier
    bell.ring()
    return result
  }

  private func checkEpoch(_ transaction: LMDBTransaction) throws(TopicError) {
    guard epoch > 0 else { return }
    let current = try transaction.epoch(meta)
    guard current == epoch else {
      throw TopicError(
        .fenced,
        "the writer of '\(role)' holds epoch \(epoch), a newer one holds \(current)",
        folder: store.environment.folder)
    }
  }
}

/// What a writer remembers from one transaction to the next. Where partitions end is right only as
/// long as nobody else has written, which LMDB's consecutive transaction numbers tell.
struct WriterMemory {
  let positions: LMDBDatabase
  let state: LMDBDatabase
  var lastTransaction = -1
  var partitions: [TopicPartition: Partition] = [:]

  struct Partition {
    let database: LMDBDatabase
    let tag: UInt32
    /// The end; nil if it has to be looked up.
    var end: End?
    /// The base offset of the last batch that this writer has written or verified.
    var verifiedBatch: UInt64?
  }

  struct End {
    var offset: UInt64 = 0
    var maximumTimestamp = Int64.min
  }

  init(positions: LMDBDatabase, state: LMDBDatabase) {
    self.positions = positions
    self.state = state
  }

  mutating func forgetOthers() {
    lastTransaction = -1
    for partition in partitions.keys { partitions[partition]!.end = nil }
  }
}
