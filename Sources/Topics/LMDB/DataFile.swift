import Glibc

/// Looks at a data file as it lies on the disk, past LMDB, which trusts the file to be as long as
/// it says: a page beyond its end ends the process with a signal.
///
/// The layout is LMDB's, of data version 1 on a machine with 64-bit words: pages with a header of
/// 16 bytes (number, pad, flags, lower and upper bound of the free space), of which the first two
/// hold the metas; a meta has the roots of the free list and of the main database, the last page's
/// number and the transaction's.
struct DataFile {
  private let descriptor: Int32
  private let pageSize: Int

  private static let headerSize = 16
  /// More than any file has, and few enough for sums.
  private static let maximumPages: UInt64 = 1 << 40
  private static let branchFlag: UInt16 = 1
  private static let leafFlag: UInt16 = 2
  private static let overflowFlag: UInt16 = 1

  init(descriptor: Int32, pageSize: Int) {
    self.descriptor = descriptor
    self.pageSize = pageSize
  }

  /// Throws if pages are missing at the end that hold anything. Those of the free list may be
  /// missing: LMDB does not write a page that a transaction takes and gives back.
  func checkNotTruncated(folder: String) throws(TopicError) {
    // Others may be writing. What they do meanwhile can only make the file longer, and a free list
    // of theirs unreadable; then another look tells.
    for _ in 0..<5 {
      guard let meta = newestMeta() else { break }
      var status = stat()
      guard fstat(descriptor, &status) == 0 else {
        throw systemError(errno, "cannot examine the data file", folder: folder)
      }
      let present = UInt64(status.st_size) / UInt64(pageSize)
      if present > meta.lastPage || isFree(present...meta.lastPage, root: meta.freeRoot) { return }
    }
    throw TopicError(
      .corrupt, "the data file is truncated; `weir topics verify` tells what is missing",
      folder: folder)
  }

  /// Empties a file whose creation a full disk or a kill has cut short, which LMDB would refuse for
  /// ever: one without room for the second meta, and without a transaction in the first. Returns
  /// whether it did.
  static func emptyIfUnfinished(_ path: String) -> Bool {
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // Between those who empty it; whoever fills it does so only when it is empty.
    guard flock(descriptor, LOCK_EX) == 0 else { return false }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0, status.st_size < 2 * 4096 else {
      return false
    }
    let file = DataFile(descriptor: descriptor, pageSize: 4096)
    if status.st_size >= 4096 {
      guard let page = file.page(0), page.number(UInt32.self, 16) == 0xBEEF_C0DE,
        page.number(UInt64.self, 144) == 0
      else { return false }
    }
    return ftruncate(descriptor, 0) == 0
  }

  private struct Meta {
    let freeRoot: UInt64
    let lastPage: UInt64
    let transaction: UInt64
  }

  private func newestMeta() -> Meta? {
    let metas = (0..<UInt64(2)).compactMap { number -> Meta? in
      guard let page = page(number), page.number(UInt32.self, 16) == 0xBEEF_C0DE else { return nil }
      let lastPage = page.number(UInt64.self, 136)
      guard lastPage < Self.maximumPages else { return nil }
      return Meta(
        freeRoot: page.number(UInt64.self, 80), lastPage: lastPage,
        transaction: page.number(UInt64.self, 144))
    }
    return metas.max { $0.transaction < $1.transaction }
  }

  /// Whether the free list holds all of these pages.
  private func isFree(_ pages: ClosedRange<UInt64>, root: UInt64) -> Bool {
    var left = [root].filter { $0 != .max }
    var looked = 0
    var found: Set<UInt64> = []
    while let number = left.popLast() {
      looked += 1
      // A tree that is no tree has an end all the same.
      guard looked <= 1 << 20, let page = page(number) else { return false }
      let flags = page.number(UInt16.self, 10)
      let bound = Int(page.number(UInt16.self, 12))
      guard bound >= Self.headerSize, bound <= pageSize else { return false }
      for index in 0..<(bound - Self.headerSize) / 2 {
        let node = Int(page.number(UInt16.self, Self.headerSize + 2 * index))
        guard node >= bound, node + 8 <= pageSize else { return false }
        let low = page.number(UInt32.self, node)
        let nodeFlags = page.number(UInt16.self, node + 4)
        if flags & Self.branchFlag != 0 {
          left.append(UInt64(low) | UInt64(nodeFlags) << 32)
        } else if flags & Self.leafFlag != 0 {
          let start = node + 8 + Int(page.number(UInt16.self, node + 6))
          guard
            let list = value(page, start, Int(low), isElsewhere: nodeFlags & Self.overflowFlag != 0)
          else { return false }
          for place in stride(from: 8, through: list.count - 8, by: 8) {
            let free = list.number(UInt64.self, place)
            if pages.contains(free) { found.insert(free) }
          }
        } else {
          return false
        }
      }
    }
    return found.count == pages.count
  }

  private func value(_ page: [UInt8], _ start: Int, _ size: Int, isElsewhere: Bool) -> [UInt8]? {
    guard isElsewhere else {
      return start + size <= pageSize ? Array(page[start..<start + size]) : nil
    }
    guard start + 8 <= pageSize else { return nil }
    let first = page.number(UInt64.self, start)
    guard first < Self.maximumPages else { return nil }
    return bytes(size, at: Int(first) * pageSize + Self.headerSize)
  }

  private func page(_ number: UInt64) -> [UInt8]? {
    guard number < Self.maximumPages else { return nil }
    return bytes(pageSize, at: Int(number) * pageSize)
  }

  private func bytes(_ count: Int, at position: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return pread(descriptor, &bytes, count, off_t(position)) == count ? bytes : nil
  }
}

extension [UInt8] {
  fileprivate func number<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, _ position: Int)
    -> T
  {
    withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: T.self) }
  }
}
