/// Goes through the entries of a partition and tells the batches that are sound and follow each
/// other from all else.
struct BatchScan {
  /// Offsets whose records cannot be read.
  struct LostRange {
    var start: UInt64
    /// Nil if how far it goes is not known.
    var end: UInt64?
    var reasons: [String]
  }

  let tag: UInt32
  private(set) var start: UInt64?
  /// The end of the last sound batch.
  private(set) var end: UInt64?
  private(set) var lost: [LostRange] = []
  private(set) var gaps: [Range<UInt64>] = []
  private(set) var batches = 0
  private(set) var records = 0
  private(set) var bytes = 0
  /// The tags of whole batches of other partitions.
  private(set) var foreignTags: Set<UInt32> = []

  private var damage: [(offsets: ClosedRange<UInt64>, reason: String)] = []
  /// Damage that has cost nothing.
  private var harmless: [String] = []
  /// The greatest offset that damaged batches may have reached to.
  private var damagedEnd: UInt64 = 0

  init(tag: UInt32) { self.tag = tag }

  /// Takes the next entry; gives its header and its bytes if it is sound and in its place.
  mutating func take(_ entry: PageWalker.Entry) -> (BatchHeader, UnsafeRawBufferPointer)? {
    guard entry.key.count == 8, case .value(let value) = entry.content else { return nil }
    let key = entry.key.number(UInt64.self, 0)
    // What cannot be read has been named by the walk.
    guard let value else {
      noteDamagedEnd(key, size: entry.size)
      return nil
    }
    let header: BatchHeader
    do throws(TopicError) {
      header = try BatchFormat.verifiedHeader(of: value, at: key, tag: tag)
    } catch {
      if let own = misfiled(value) { return own }
      noteForeignTag(value, key)
      noteDamagedEnd(key, size: value.count)
      damage.append((key...key, error.reason))
      return nil
    }
    if let end, key < end {
      damage.append((key...key, "the batch at \(key) lies within the one before it"))
      return nil
    }
    count(header, value)
    return (header, value)
  }

  /// A whole batch of the partition under a key that was damaged; nil if it is none.
  private mutating func misfiled(_ value: UnsafeRawBufferPointer)
    -> (BatchHeader, UnsafeRawBufferPointer)?
  {
    guard value.count >= BatchFormat.headerSize,
      let header = try? BatchFormat.verifiedHeader(
        of: value, at: BatchFormat.load(UInt64.self, value, 16), tag: tag),
      header.baseOffset >= end ?? 0
    else { return nil }
    harmless.append("the batch at \(header.baseOffset) stands under another key")
    count(header, value)
    return (header, value)
  }

  private mutating func count(_ header: BatchHeader, _ value: UnsafeRawBufferPointer) {
    let base = header.baseOffset
    if let end, base > end {
      lost.append(LostRange(start: end, end: base, reasons: []))
    } else if end == nil {
      start = base
    }
    end = header.endOffset
    if header.isGap {
      gaps.append(header.baseOffset..<header.endOffset)
    } else {
      batches += 1
      records += header.count
      bytes += value.count
    }
  }

  /// Ends the scan.
  /// - Parameter structure: The damage of the tree.
  /// - Returns: What has cost no offsets.
  mutating func finish(_ structure: [PageDamage]) -> [String] {
    harmless += structure.filter { $0.bounds == nil }.map(\.reason)
    damage += structure.compactMap { found in
      found.bounds.map { ($0.offsets, found.reason) }
    }
    // Where nothing is damaged, what is missing at the start was removed by retention.
    if let start, start > 0, damage.contains(where: { $0.offsets.lowerBound < start }) {
      lost.insert(LostRange(start: 0, end: start, reasons: []), at: 0)
    }
    let end = self.end ?? 0
    if damage.contains(where: { $0.offsets.upperBound >= end }) {
      let known = damage.map(\.offsets.upperBound).filter(isPlausible).map { $0 + 1 }
      let least = max(known.max() ?? 0, damagedEnd)
      let isOpen = damage.contains { $0.offsets.upperBound == .max }
      if least > end || isOpen {
        lost.append(LostRange(start: end, end: isOpen ? nil : least, reasons: []))
      }
    }
    var rest = harmless
    for (offsets, reason) in damage {
      var isNamed = false
      for index in lost.indices
      where offsets.upperBound >= lost[index].start
        && lost[index].end.map({ offsets.lowerBound < $0 }) ?? true
      {
        lost[index].reasons.append(reason)
        isNamed = true
      }
      if !isNamed { rest.append(reason) }
    }
    for index in lost.indices where lost[index].reasons.isEmpty {
      lost[index].reasons = ["no batch holds them"]
    }
    return rest
  }

  /// A batch holds no more records than fit, so that what comes after a damaged one gets no offset
  /// that it may have used.
  private mutating func noteDamagedEnd(_ key: UInt64, size: Int) {
    let most = max(1, (size - BatchFormat.headerSize) / BatchFormat.recordHeaderSize)
    let (end, overflow) = key.addingReportingOverflow(UInt64(most))
    if !overflow, isPlausible(key) { damagedEnd = max(damagedEnd, end) }
  }

  /// A key that is damaged may be any number; taking it for an offset would cost all before it.
  private func isPlausible(_ offset: UInt64) -> Bool { offset < (end ?? 0) &+ 1 << 40 }

  private mutating func noteForeignTag(_ value: UnsafeRawBufferPointer, _ key: UInt64) {
    guard value.count >= BatchFormat.headerSize else { return }
    let found = BatchFormat.load(UInt32.self, value, BatchFormat.tagPlace)
    guard found != tag, (try? BatchFormat.verifiedHeader(of: value, at: key, tag: found)) != nil
    else { return }
    foreignTags.insert(found)
  }
}

extension BatchScan.LostRange {
  /// Up to three of the reasons.
  var reason: String {
    let distinct = reasons.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let more = distinct.count > 3 ? "; and \(distinct.count - 3) more" : ""
    return distinct.prefix(3).joined(separator: "; ") + more
  }
}

extension BatchFormat {
  /// Where a batch's partition tag is.
  static let tagPlace = 48
}
