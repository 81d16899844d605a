/// The pages that a snapshot counts as free.
struct FreePages {
  private(set) var pages: PageSet
  /// Those that the snapshot's own transaction has freed: the transaction before it used them, so
  /// what they hold was committed once.
  private(set) var freedLast: PageSet
  /// Those that a tree leads to all the same: it may be an older one, or the list is damaged.
  private(set) var disputed: PageSet
  /// The greatest transaction that has freed a page; that which made the snapshot, usually.
  private(set) var newestTransaction: UInt64?
  /// What is wrong with the tree; empty if it can be relied on.
  private(set) var damage: [String] = []

  /// No pages, of no snapshot.
  init() {
    pages = PageSet(bound: 0)
    freedLast = PageSet(bound: 0)
    disputed = PageSet(bound: 0)
  }

  /// Reads a snapshot's tree, after its other trees were walked.
  init(_ snapshot: Snapshot, _ walker: inout PageWalker) {
    let bound = min(walker.file.pageCount, snapshot.lastPage + 1)
    // Pages that were never written may be free behind the end of the file, but not many.
    pages = PageSet(bound: min(walker.file.pageCount + 1 << 20, snapshot.lastPage + 1))
    freedLast = PageSet(bound: bound)
    disputed = PageSet(bound: bound)
    guard let tree = snapshot.free else {
      damage.append("the tree of free pages cannot be found")
      return
    }
    var lists: [(transaction: UInt64, pages: [UInt64])] = []
    var unreadable: [String] = []
    // Nothing is thrown by the body, and so by the walk.
    let structural = try? walker.walk(tree) { entry in
      guard case .value(let value?) = entry.content, entry.key.count == 8 else { return }
      let transaction = entry.key.number(UInt64.self, 0)
      guard let list = Self.list(value) else {
        unreadable.append("the list of pages that transaction \(transaction) has freed is damaged")
        return
      }
      lists.append((transaction, list))
    }
    damage += structural?.map { "in the tree of free pages, \($0.reason)" } ?? []
    damage += unreadable
    for (transaction, list) in lists {
      newestTransaction = max(newestTransaction ?? 0, transaction)
      if transaction > snapshot.transaction ?? .max {
        damage.append("pages are free since transaction \(transaction), which is yet to come")
      }
      var wrong = 0
      for page in list {
        let isUsed = walker.used.contains(page)
        if isUsed { _ = disputed.insert(page) }
        let isPage = page >= 2 && page <= snapshot.lastPage && !isUsed
        if !isPage || !pages.insert(page) {
          wrong += 1
        } else if transaction == snapshot.transaction {
          _ = freedLast.insert(page)
        }
      }
      if wrong > 0 {
        damage.append(
          "\(wrong) pages that transaction \(transaction) has freed are in use, free twice or "
            + "outside of the file")
      }
    }
  }

  /// A list of pages: how many (UInt64), then their numbers, falling; nil if it is none.
  private static func list(_ value: UnsafeRawBufferPointer) -> [UInt64]? {
    guard value.count >= 8, value.count % 8 == 0 else { return nil }
    let count = BatchFormat.load(UInt64.self, value, 0)
    guard count <= UInt64(value.count / 8 - 1) else { return nil }
    let pages = (0..<Int(count)).map { BatchFormat.load(UInt64.self, value, 8 + 8 * $0) }
    guard zip(pages, pages.dropFirst()).allSatisfy({ $0 > $1 }) else { return nil }
    return pages
  }
}
