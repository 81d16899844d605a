extension RoleImage {
  /// Reads the newest state of a data file that can be found: that of the newest meta page, or, if
  /// the meta pages or the names of the databases are damaged, the best of all that is found.
  static func read(_ file: DataFile, role: WriterRole, check: RecordCheck? = nil) -> RoleImage {
    let pages = MetaPage.both(of: file)
    let known = pages.compactMap { $0 }.sorted { $0.transaction > $1.transaction }
    let problem = MetaPage.damage(of: pages)
    let newest = known.first.map(Snapshot.init)
    if problem == nil, let newest {
      let image = RoleImage(file, newest, role: role, check: check)
      if image.namesAreSound { return image }
    }
    var best = (snapshot: Snapshot.empty, rank: [] as [UInt64])
    for snapshot in known.map(Snapshot.init) + Snapshot.search(file) {
      let rank = RoleImage(file, snapshot, role: role).rank
      if best.rank.lexicographicallyPrecedes(rank) { best = (snapshot, rank) }
    }
    var image = RoleImage(file, best.snapshot, role: role, check: check)
    let taken =
      best.rank.isEmpty ? "nothing can be read" : "what is read is \(best.snapshot.name)"
    let reason = problem ?? "the names of the databases are damaged"
    image.find("\(reason); \(taken)")
    image.fallback = "\(reason); \(taken), and what was committed after it is lost"
    return image
  }
}
