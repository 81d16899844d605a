/// Where a tree of LMDB begins and what it holds: 48 bytes, in a meta page or under a name.
///
/// | at | type | field |
/// | -: | --- | --- |
/// |  0 | UInt32 | unused; in the first tree of a meta page, the size of a page |
/// |  4 | UInt16 | flags, 8 for integer keys |
/// |  6 | UInt16 | depth |
/// |  8 | 3 × UInt64 | branch, leaf and overflow pages |
/// | 32 | UInt64 | entries |
/// | 40 | UInt64 | root page, all ones for none |
struct TreeRecord: Equatable {
  static let size = 48
  static let integerKeys: UInt16 = 0x08
  static let noPage = UInt64.max

  var flags: UInt16
  var depth: UInt16
  var branchPages: UInt64
  var leafPages: UInt64
  var overflowPages: UInt64
  var entries: UInt64
  var root: UInt64

  /// Reads the record at a place; `bytes` has to hold all of it.
  init(_ bytes: [UInt8], at place: Int) {
    flags = bytes.number(UInt16.self, place + 4)
    depth = bytes.number(UInt16.self, place + 6)
    branchPages = bytes.number(UInt64.self, place + 8)
    leafPages = bytes.number(UInt64.self, place + 16)
    overflowPages = bytes.number(UInt64.self, place + 24)
    entries = bytes.number(UInt64.self, place + 32)
    root = bytes.number(UInt64.self, place + 40)
  }

  /// A tree of one leaf, or of none.
  init(root: UInt64, leafOfEntries entries: Int) {
    flags = 0
    depth = entries > 0 ? 1 : 0
    branchPages = 0
    leafPages = entries > 0 ? 1 : 0
    overflowPages = 0
    self.entries = UInt64(entries)
    self.root = root
  }
}

/// One of the two first pages of a data file: which transaction was committed, and its trees. The
/// transaction's number decides which of the two counts; even ones stand on page 0, odd ones on 1.
///
/// | at | type | field |
/// | -: | --- | --- |
/// |  0 | UInt64 | page number |
/// | 10 | UInt16 | page flags, 8 |
/// | 16 | UInt32 | magic, 0xBEEFC0DE |
/// | 20 | UInt32 | version, 1 |
/// | 24 | UInt64 | address, unused |
/// | 32 | UInt64 | size of the map |
/// | 40 | 48 bytes | tree of free pages, its first field is the size of a page |
/// | 88 | 48 bytes | tree of names |
/// | 136 | UInt64 | last page in use |
/// | 144 | UInt64 | transaction |
struct MetaPage: Equatable {
  static let magic: UInt32 = 0xBEEF_C0DE
  static let version: UInt32 = 1
  private static let size = 152
  private static let largestMap: UInt64 = 16 << 40
  private static let flag: UInt16 = 0x08

  let pageSize: Int
  let free: TreeRecord
  let names: TreeRecord
  let lastPage: UInt64
  let transaction: UInt64

  /// Reads a meta page; nil if it is none.
  private init?(_ bytes: [UInt8], number: Int) {
    guard bytes.count >= Self.size, bytes.number(UInt64.self, 0) == UInt64(number),
      bytes.number(UInt16.self, 10) == Self.flag, bytes.number(UInt32.self, 16) == Self.magic,
      bytes.number(UInt32.self, 20) == Self.version
    else { return nil }
    let pageSize = bytes.number(UInt32.self, 40)
    guard Self.pageSizes.contains(Int(pageSize)) else { return nil }
    self.pageSize = Int(pageSize)
    free = TreeRecord(bytes, at: 40)
    names = TreeRecord(bytes, at: 88)
    lastPage = bytes.number(UInt64.self, 136)
    transaction = bytes.number(UInt64.self, 144)
    // LMDB keeps its settings in the flags of the first tree; Weir makes files with none.
    guard free.flags == TreeRecord.integerKeys, names.flags == 0, lastPage >= 1,
      // LMDB would map as much as is said here.
      lastPage < Self.largestMap / UInt64(pageSize),
      bytes.number(UInt64.self, 32) <= Self.largestMap
    else { return nil }
  }

  /// The usual one first.
  private static let pageSizes = [4096, 8192, 16384, 32768, 65536, 2048, 1024, 512]

  /// The size of a page as a meta page tells it, or the usual one if none does.
  static func pageSize(_ read: (_ place: UInt64, _ count: Int) -> [UInt8]?) -> Int {
    if let bytes = read(0, size), let meta = MetaPage(bytes, number: 0) { return meta.pageSize }
    for candidate in pageSizes {
      if let bytes = read(UInt64(candidate), size), let meta = MetaPage(bytes, number: 1),
        meta.pageSize == candidate
      {
        return candidate
      }
    }
    return pageSizes[0]
  }

  /// Both meta pages; nil for one that is damaged.
  static func both(of file: DataFile) -> [MetaPage?] {
    (0..<2).map { number in
      file.read(at: UInt64(number * file.pageSize), count: size)
        .flatMap { MetaPage($0, number: number) }
        .flatMap { $0.pageSize == file.pageSize ? $0 : nil }
    }
  }

  /// What is wrong with the two, nil if nothing. Each commit writes the page that its number's
  /// parity names, so the two always are of consecutive transactions.
  static func damage(of pages: [MetaPage?]) -> String? {
    guard let first = pages[0] else {
      return pages[1] == nil ? "both meta pages are damaged" : "meta page 0 is damaged"
    }
    guard let second = pages[1] else { return "meta page 1 is damaged" }
    let numbers = (first.transaction, second.transaction)
    if numbers == (0, 0) { return nil }
    let newest = max(numbers.0, numbers.1)
    guard numbers.0 % 2 == 0, numbers.1 % 2 == 1, newest - min(numbers.0, numbers.1) == 1 else {
      return "the meta pages name the transactions \(numbers.0) and \(numbers.1), which do not "
        + "follow each other"
    }
    return nil
  }
}
