/// Writes all that is sound of a role into a new environment; repair, compaction and backup are
/// this.
struct RoleRewriter {
  private let image: RoleImage
  private let salvaged: [TopicPartition: [Salvage.Batch]]
  /// Offsets that have existed, by partition: where it ends at least.
  private let ends: [TopicPartition: UInt64]
  private let output: NewEnvironment
  /// What could not be kept.
  private(set) var lost: [TopicFinding] = []

  /// Writes the environment and waits until it is on the disk.
  /// - Parameters:
  ///   - epoch: The role's epoch is at least this.
  ///   - dropsState: Whether the state values are left out.
  ///   - folder: Must not exist yet.
  /// - Returns: What could not be kept.
  static func write(
    _ image: RoleImage, salvaged: [TopicPartition: [Salvage.Batch]] = [:],
    ends: [TopicPartition: UInt64] = [:], epoch: UInt64? = nil, dropsState: Bool = false,
    to folder: String
  ) throws(TopicError) -> [TopicFinding] {
    var rewriter = RoleRewriter(
      image: image, salvaged: salvaged, ends: ends,
      output: try NewEnvironment(folder: folder, bytes: image.file.byteCount))
    try rewriter.writeAll(epoch: epoch, dropsState: dropsState)
    return rewriter.lost
  }

  private init(
    image: RoleImage, salvaged: [TopicPartition: [Salvage.Batch]], ends: [TopicPartition: UInt64],
    output: NewEnvironment
  ) {
    self.image = image
    self.salvaged = salvaged
    self.ends = ends
    self.output = output
  }

  private mutating func writeAll(epoch: UInt64?, dropsState: Bool) throws(TopicError) {
    if let fallback = image.fallback { lose(fallback) }
    for name in RoleStore.ownDatabases {
      try output.create(name, integerKeys: false)
      if dropsState, name == RoleStore.state {
        lose("its state was dropped, as asked for")
      } else if !image.databases.contains(where: { $0.name == name }),
        !image.databases.isEmpty || image.fallback != nil
      {
        lose("all of it is lost", key: name)
      }
    }
    lost += image.report.findings.filter { $0.key != nil } + image.doubtfulEnds
    try writeMeta(epoch)
    // One walker for all, in the order in which the image was read: a page that several trees lead
    // to is given to the one that it was given to then.
    var walker = PageWalker(image.file, lastPage: image.snapshot.lastPage)
    _ = try walker.walk(image.snapshot.names, holdsTrees: true) { _ in }
    for database in image.databases {
      if let partition = database.partition {
        try copyPartition(partition, database, &walker)
      } else {
        let isDropped = dropsState && database.name == RoleStore.state
        try copyValues(database, &walker, isDropped: isDropped)
      }
    }
    let gone = ends.keys.filter { partition in
      !image.databases.contains { $0.partition == partition } && ends[partition]! > 0
    }
    for partition in gone.sorted(by: { ($0.topic, $0.partition) < ($1.topic, $1.partition) }) {
      try copyPartition(partition, nil, &walker)
    }
    try output.finish()
  }

  private mutating func lose(
    _ reason: String, _ partition: TopicPartition? = nil, first: UInt64? = nil, end: UInt64? = nil,
    key: String? = nil
  ) {
    lost.append(
      TopicFinding(
        role: image.report.role, partition: partition, firstOffset: first, endOffset: end,
        key: key, reason: reason))
  }

  // MARK: Values

  private func copyValues(
    _ database: RoleImage.Database, _ walker: inout PageWalker, isDropped: Bool
  ) throws(TopicError) {
    // What is in `meta` is written from the image.
    let isWritten = !isDropped && database.name != RoleStore.meta
    _ = try walker.walk(database.tree) { (entry) throws(TopicError) in
      guard isWritten, case .value(let stored?) = entry.content,
        (try? OwnValue(stored, under: entry.key, in: database.name)) != nil
      else { return }
      let key = String(decoding: entry.key, as: UTF8.self)
      try output.put(stored: [UInt8](stored), for: key, in: database.name)
    }
  }

  private mutating func writeMeta(_ evidence: UInt64?) throws(TopicError) {
    func put(_ value: [UInt8], for key: String) throws(TopicError) {
      try output.put(
        stored: StoredValue.encode(key: key, value: value), for: key, in: RoleStore.meta)
    }
    try put(Array(LogFolder.format.utf8), for: RoleStore.formatKey)
    try put(Array(image.report.role.name.utf8), for: RoleStore.ownerKey)
    let isKnown = image.report.epoch != nil && image.fallback == nil
    let epoch = max(image.report.epoch ?? 0, evidence ?? 0)
    if epoch > 0 { try put(epoch.littleEndianBytes, for: RoleStore.epochKey) }
    guard !isKnown, image.report.role != .producers else { return }
    if evidence != nil {
      lose("recovered as \(epoch), the greatest that is named elsewhere", key: "meta epoch")
    } else {
      lose(
        "it cannot be known and is \(epoch) now: a process of this role that still runs elsewhere "
          + "would not be fenced", key: "meta epoch")
    }
  }

  // MARK: Partitions

  /// Where a partition's copy has come to.
  private struct Progress {
    let partition: TopicPartition
    let name: String
    let tag: UInt32
    let lost: [BatchScan.LostRange]
    var salvaged: ArraySlice<Salvage.Batch>
    /// The next offset; nil before the first.
    var end: UInt64?
    var maximumTimestamp: Int64?
  }

  private mutating func copyPartition(
    _ partition: TopicPartition, _ database: RoleImage.Database?, _ walker: inout PageWalker
  ) throws(TopicError) {
    let name = RoleStore.databaseName(partition)
    let tag = BatchFormat.tag(ofDatabase: name)
    let lost = image.lost[partition] ?? []
    try output.create(name, integerKeys: true)
    var progress = Progress(
      partition: partition, name: name, tag: tag, lost: lost,
      salvaged: (salvaged[partition] ?? [])[...])
    // What retention has removed is not lost.
    if lost.first?.start == 0 { progress.end = 0 }
    if let database {
      var scan = BatchScan(tag: tag)
      _ = try walker.walk(database.tree) { (entry) throws(TopicError) in
        guard let (header, batch) = scan.take(entry) else { return }
        if progress.end != nil {
          try fill(&progress, to: header.baseOffset, before: header.baseTimestamp)
        }
        try output.append(batch, at: header.baseOffset, to: name)
        progress.end = header.endOffset
        progress.maximumTimestamp = header.maximumTimestamp
      }
    }
    let least = max(ends[partition] ?? 0, lost.last?.end ?? 0)
    let end = max(least, progress.salvaged.last?.endOffset ?? 0, progress.end ?? 0)
    if progress.end == nil, end > 0 { progress.end = 0 }
    try fill(&progress, to: end, before: nil)
    if let open = lost.last, open.end == nil {
      let from = progress.end ?? 0
      lose(
        "\(open.reason); how many records were lost from here on is not known", partition,
        first: from)
    }
  }

  /// Writes what was salvaged up to an offset, and gaps for the rest.
  private mutating func fill(
    _ progress: inout Progress, to end: UInt64, before timestamp: Int64?
  ) throws(TopicError) {
    while let batch = progress.salvaged.first, batch.endOffset <= end {
      progress.salvaged.removeFirst()
      guard batch.baseOffset >= progress.end ?? 0,
        let bytes = image.file.read(at: batch.place, count: batch.size),
        let header = bytes.withUnsafeBytes({
          try? BatchFormat.verifiedHeader(of: $0, at: batch.baseOffset, tag: progress.tag)
        })
      else { continue }
      try writeGap(&progress, to: batch.baseOffset, before: header.baseTimestamp)
      try bytes.withUnsafeBufferPointer { (bytes) throws(TopicError) in
        try output.append(UnsafeRawBufferPointer(bytes), at: batch.baseOffset, to: progress.name)
      }
      progress.end = header.endOffset
      progress.maximumTimestamp = header.maximumTimestamp
    }
    try writeGap(&progress, to: end, before: timestamp)
  }

  private mutating func writeGap(
    _ progress: inout Progress, to end: UInt64, before timestamp: Int64?
  ) throws(TopicError) {
    guard let start = progress.end, start < end else { return }
    let time = progress.maximumTimestamp ?? timestamp ?? 0
    var next = start
    while next < end {
      let count = Int(min(end - next, UInt64(UInt32.max)))
      let gap = BatchFormat.gap(
        count: count, baseOffset: next, maximumTimestamp: time, tag: progress.tag)
      try gap.withUnsafeBufferPointer { (bytes) throws(TopicError) in
        try output.append(UnsafeRawBufferPointer(bytes), at: next, to: progress.name)
      }
      next += UInt64(count)
    }
    progress.end = end
    progress.maximumTimestamp = time
    let reasons = progress.lost.filter { $0.start < end && $0.end ?? .max > start }
      .flatMap(\.reasons)
    let reason =
      reasons.isEmpty
      ? "others have read them, and nothing is left of them"
      : BatchScan.LostRange(start: start, end: end, reasons: reasons).reason
    lose(reason, progress.partition, first: start, end: end)
  }
}
