/// Finds batches that no tree leads to any more.
///
/// Batches never change once they are committed, so a copy of one is as good as the one that was
/// lost. Only pages are searched that hold something committed: those of the trees themselves,
/// those that the snapshot has forgotten, and those that its own transaction has set free; what
/// stands on other free pages may come from a writer that was killed before it committed.
struct Salvage {
  /// A batch found.
  struct Batch {
    let baseOffset: UInt64
    let endOffset: UInt64
    let checksum: UInt32
    /// Where in the file it lies.
    let place: UInt64
    let size: Int

    func isCopy(of other: Batch) -> Bool {
      baseOffset == other.baseOffset && endOffset == other.endOffset && checksum == other.checksum
    }
  }

  private let image: RoleImage
  private let wanted: [UInt32: (partition: TopicPartition, lost: [BatchScan.LostRange])]
  private var found: [TopicPartition: [Batch]] = [:]
  /// Bytes of large values that may yet be read, as in `PageWalker`.
  private var largeBytesLeft: UInt64

  /// The batches that fit into what an image has lost, by partition, in order.
  static func search(_ image: RoleImage) -> [TopicPartition: [Batch]] {
    var salvage = Salvage(image)
    guard !salvage.wanted.isEmpty else { return [:] }
    salvage.searchPages()
    return salvage.found.mapValues(Self.resolve)
  }

  private init(_ image: RoleImage) {
    self.image = image
    largeBytesLeft = 4 * image.file.byteCount
    var wanted: [UInt32: (partition: TopicPartition, lost: [BatchScan.LostRange])] = [:]
    for (partition, lost) in image.lost where !lost.isEmpty {
      let tag = BatchFormat.tag(ofDatabase: RoleStore.databaseName(partition))
      wanted[tag] = (partition, lost)
    }
    self.wanted = wanted
  }

  private mutating func searchPages() {
    let file = image.file
    let end = min(file.pageCount, image.snapshot.lastPage + 1)
    var number: UInt64 = 2
    while number < end {
      defer { number += 1 }
      if image.walker.continuations.contains(number) { continue }
      if image.free.damage.isEmpty, image.free.pages.contains(number),
        !image.free.freedLast.contains(number)
      {
        continue
      }
      guard let page = file.page(number) else { continue }
      let isOwn = page.number(UInt64.self, 0) == number
      let flags = page.number(UInt16.self, 10)
      if isOwn, flags == PageWalker.overflow {
        let count = UInt64(page.number(UInt32.self, 12))
        searchLargeValue(number)
        // What follows are a value's bytes, which may look like anything.
        if count > 1, count <= end - number { number += count - 1 }
      } else if image.walker.used.contains(number) || (isOwn && flags == PageWalker.leaf) {
        searchNodes(page, number)
      }
    }
  }

  private mutating func searchLargeValue(_ number: UInt64) {
    let place = number * UInt64(image.file.pageSize) + UInt64(PageWalker.headerSize)
    guard let header = image.file.read(at: place, count: BatchFormat.headerSize),
      let size = Self.size(header, at: 0), size <= largeBytesLeft,
      let batch = image.file.read(at: place, count: size)
    else { return }
    largeBytesLeft -= UInt64(size)
    take(batch, at: place)
  }

  /// Looks for batches without relying on what the page says about its nodes.
  private mutating func searchNodes(_ page: [UInt8], _ number: UInt64) {
    var place = PageWalker.headerSize
    while place <= page.count - BatchFormat.headerSize {
      guard let size = Self.size(page, at: place), size <= page.count - place else {
        place += 2
        continue
      }
      take(
        [UInt8](page[place..<place + size]),
        at: number * UInt64(image.file.pageSize) + UInt64(place))
      // Not into its records, which may look like anything.
      place += (size + 1) & ~1
    }
  }

  /// The size of what seems to be a batch; nil if it is none.
  private static func size(_ bytes: [UInt8], at place: Int) -> Int? {
    guard bytes.number(UInt32.self, place) == BatchFormat.magic else { return nil }
    let records = bytes.number(UInt64.self, place + 40)
    guard records <= UInt64(BatchFormat.maximumSize - BatchFormat.headerSize) else { return nil }
    return BatchFormat.headerSize + Int(records)
  }

  private mutating func take(_ bytes: [UInt8], at place: UInt64) {
    guard let (partition, lost) = wanted[bytes.number(UInt32.self, BatchFormat.tagPlace)],
      let header = bytes.withUnsafeBytes({ batch in
        try? BatchFormat.verifiedHeader(
          of: batch, at: BatchFormat.load(UInt64.self, batch, 16),
          tag: BatchFormat.load(UInt32.self, batch, BatchFormat.tagPlace))
      }), !header.isGap,
      lost.contains(where: {
        header.baseOffset >= $0.start && $0.end.map { header.endOffset <= $0 } ?? true
      })
    else { return }
    found[partition, default: []].append(
      Batch(
        baseOffset: header.baseOffset, endOffset: header.endOffset,
        checksum: bytes.number(UInt32.self, 4), place: place, size: bytes.count))
  }

  /// One of each batch; none of those that contradict each other.
  private static func resolve(_ found: [Batch]) -> [Batch] {
    var distinct: [Batch] = []
    let sorted = found.sorted {
      ($0.baseOffset, $0.endOffset, $0.checksum) < ($1.baseOffset, $1.endOffset, $1.checksum)
    }
    for batch in sorted where distinct.last?.isCopy(of: batch) != true { distinct.append(batch) }
    var contradicted = Set<Int>()
    // The one before that reaches farthest.
    var farthest = 0
    for index in distinct.indices.dropFirst() {
      if distinct[index].baseOffset < distinct[farthest].endOffset {
        contradicted.formUnion([farthest, index])
      }
      if distinct[index].endOffset > distinct[farthest].endOffset { farthest = index }
    }
    return distinct.indices.filter { !contradicted.contains($0) }.map { distinct[$0] }
  }
}
