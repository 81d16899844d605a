/// The trees of a data file at one transaction.
struct Snapshot {
  let names: TreeRecord
  /// The tree of free pages, nil if its root is not known.
  let free: TreeRecord?
  let lastPage: UInt64
  let transaction: UInt64?

  init(_ meta: MetaPage) {
    names = meta.names
    free = meta.free
    lastPage = meta.lastPage
    transaction = meta.transaction
  }

  /// Of a file in which none can be found.
  static let empty = Snapshot(namesPage: TreeRecord.noPage, entries: 0, lastPage: 1)

  private init(namesPage: UInt64, entries: Int, lastPage: UInt64) {
    names = TreeRecord(root: namesPage, leafOfEntries: entries)
    free = nil
    self.lastPage = lastPage
    transaction = nil
  }

  /// In words, for a finding.
  var name: String {
    transaction.map { "transaction \($0)" } ?? "the names on page \(names.root)"
  }

  /// The snapshots that can be found without trusting the meta pages: by every page that could hold
  /// the names of a role's databases. Old ones are found as well, whose pages may have been used
  /// for other things since.
  static func search(_ file: DataFile) -> [Snapshot] {
    var found: [(entries: UInt64, snapshot: Snapshot)] = []
    for number in 2..<max(2, file.pageCount) {
      // Most pages are ruled out by their first bytes.
      guard let head = file.read(at: number * UInt64(file.pageSize), count: 16),
        head.number(UInt64.self, 0) == number, head.number(UInt16.self, 10) == PageWalker.leaf,
        let page = file.page(number),
        case .success(let nodes) = NodePage.read(page, number: number), nodes.problem == nil
      else { continue }
      var entries: UInt64 = 0
      var isRole = false
      let areNames = nodes.nodes.allSatisfy { node in
        guard node.flags == PageWalker.subtree, node.size == TreeRecord.size else { return false }
        entries &+= TreeRecord(page, at: node.value).entries
        isRole = isRole || node.key == Array(RoleStore.meta.utf8)
        return true
      }
      guard areNames, isRole else { continue }
      found.append(
        (
          entries,
          Snapshot(namesPage: number, entries: nodes.nodes.count, lastPage: file.pageCount - 1)
        ))
    }
    found.sort { $0.entries > $1.entries }
    return found.prefix(mostCandidates).map(\.snapshot)
  }

  /// Each is walked whole, so their number is bounded.
  private static let mostCandidates = 32
}
