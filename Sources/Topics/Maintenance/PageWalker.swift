/// Walks the trees of an LMDB data file and takes nothing for granted: whatever the bytes are, it
/// ends, names what is damaged, and gives every entry that can still be reached.
///
/// A page begins with its number (UInt64), 2 bytes unused, flags (UInt16: 1 branch, 2 leaf, 4 a
/// large value), and `lower` and `upper` (UInt16 each), between which it is free; a large value has
/// its number of pages (UInt32) there. From byte 16 to `lower` stand the places (UInt16) of the
/// nodes, in the order of their keys; the nodes fill the page from `upper` on. A node has 8 bytes,
/// then its key and its value: UInt16 low and UInt16 high half of the value's size, flags (UInt16),
/// UInt16 size of the key. In a branch the first 6 bytes are the number of the child. Flag 1: the
/// value is the number of the page where the value begins, after 16 bytes. Flag 2: the value is a
/// `TreeRecord`.
struct PageWalker {
  static let headerSize = 16
  static let nodeHeaderSize = 8
  static let branch: UInt16 = 0x01
  static let leaf: UInt16 = 0x02
  static let overflow: UInt16 = 0x04
  static let largeValue: UInt16 = 0x01
  static let subtree: UInt16 = 0x02
  /// LMDB's limit.
  private static let maximumDepth = 32

  let file: DataFile
  /// Pages that belong to a tree walked so far.
  private(set) var used: PageSet
  /// Those of them that continue a large value, and so begin with no header.
  private(set) var continuations: PageSet
  private let pageBound: UInt64
  /// Pages of large values that may yet be read. A damaged file may name the same ones again and
  /// again; a sound one never does.
  private var largePagesLeft: UInt64

  init(_ file: DataFile, lastPage: UInt64) {
    self.file = file
    pageBound = min(file.pageCount, lastPage + 1)
    largePagesLeft = 4 * pageBound
    used = PageSet(bound: pageBound)
    continuations = PageSet(bound: pageBound)
  }

  /// What an entry of a tree is.
  enum Content {
    /// A value; nil if its bytes cannot be reached, which has been named then.
    case value(UnsafeRawBufferPointer?)
    /// A tree under a name.
    case tree(TreeRecord)
  }

  /// An entry. The bytes of a value are valid only while it is handed out.
  struct Entry {
    let key: [UInt8]
    let content: Content
    /// The size of the value that the entry names.
    let size: Int
  }

  /// Walks a tree; each page is visited once, however often it is named.
  /// - Parameters:
  ///   - holdsTrees: Whether its entries are trees rather than values.
  ///   - entry: Is given what can be reached, in the order of the pages.
  /// - Returns: The damage, in the same order.
  mutating func walk(
    _ tree: TreeRecord, holdsTrees: Bool = false,
    entry: (Entry) throws(TopicError) -> Void
  ) throws(TopicError) -> [PageDamage] {
    var visit = Visit(tree: tree, holdsTrees: holdsTrees)
    if tree.root != TreeRecord.noPage {
      try self.visit(tree.root, level: 1, KeyBounds(), &visit, entry)
    }
    // Counts tell little where something is missing anyway.
    if visit.damage.isEmpty, visit.counted != tree {
      visit.damage.append(
        PageDamage(
          page: tree.root, bounds: visit.hasLost ? KeyBounds() : nil,
          reason: "the tree names \(tree.entries) entries on \(tree.branchPages) + "
            + "\(tree.leafPages) + \(tree.overflowPages) pages in \(tree.depth) levels, and has "
            + "\(visit.counted.entries) on \(visit.counted.branchPages) + "
            + "\(visit.counted.leafPages) + \(visit.counted.overflowPages) in "
            + "\(visit.counted.depth)"))
    }
    return visit.damage
  }

  private struct Visit {
    let tree: TreeRecord
    let holdsTrees: Bool
    var damage: [PageDamage] = []
    /// As the tree describes itself, but counted.
    var counted: TreeRecord

    /// Whether entries are missing, rather than a count wrong.
    var hasLost: Bool {
      counted.entries != tree.entries
        && (counted.leafPages != tree.leafPages || counted.depth != tree.depth)
    }

    var hasIntegerKeys: Bool { tree.flags & TreeRecord.integerKeys != 0 }

    init(tree: TreeRecord, holdsTrees: Bool) {
      self.tree = tree
      self.holdsTrees = holdsTrees
      counted = tree
      counted.depth = 0
      counted.branchPages = 0
      counted.leafPages = 0
      counted.overflowPages = 0
      counted.entries = 0
    }
  }

  private mutating func visit(
    _ number: UInt64, level: Int, _ bounds: KeyBounds, _ visit: inout Visit,
    _ entry: (Entry) throws(TopicError) -> Void
  ) throws(TopicError) {
    func damaged(_ reason: String) {
      visit.damage.append(PageDamage(page: number, bounds: bounds, reason: reason))
    }
    guard level <= Self.maximumDepth else {
      return damaged("page \(number) lies deeper than \(Self.maximumDepth) levels")
    }
    guard number >= 2, number < pageBound else {
      return damaged("page \(number) lies outside of the file's \(pageBound) pages")
    }
    guard used.insert(number) else { return damaged("page \(number) is used twice") }
    guard let page = file.page(number) else { return damaged("page \(number) cannot be read") }
    let nodes: NodePage
    switch NodePage.read(page, number: number) {
    case .failure(let problem): return damaged("page \(number) \(problem.reason)")
    case .success(let read): nodes = read
    }
    visit.counted.depth = max(visit.counted.depth, UInt16(level))
    if nodes.isLeaf {
      visit.counted.leafPages += 1
    } else {
      visit.counted.branchPages += 1
    }
    if let problem = nodes.problem { damaged("page \(number) \(problem)") }

    // The first key of a branch says nothing and may be empty.
    let firstKey = nodes.isLeaf ? 0 : 1
    var hasOrder = true
    var previous = bounds.low
    for index in nodes.nodes.indices where index >= firstKey {
      let key = nodes.nodes[index].key
      let isInOrder =
        key.count > 0 && (!visit.hasIntegerKeys || key.count == 8)
        && previous.map { low in
          let follows = KeyBounds.precedes(low, key, integers: visit.hasIntegerKeys)
          return follows || (nodes.isLeaf && index == 0 && low == key)
        } ?? true
        && bounds.high.map { KeyBounds.precedes(key, $0, integers: visit.hasIntegerKeys) } ?? true
      hasOrder = hasOrder && isInOrder
      previous = key
    }
    if !hasOrder {
      // What follows a wrong key is given all the same.
      visit.damage.append(
        PageDamage(page: number, bounds: nil, reason: "page \(number) has keys out of order"))
    }

    for (index, node) in nodes.nodes.enumerated() {
      guard nodes.isLeaf else {
        var inner = bounds
        // Bounds from keys in disorder would blame the wrong entries.
        if hasOrder, nodes.problem == nil {
          if index > 0 { inner.low = node.key }
          if index + 1 < nodes.nodes.count { inner.high = nodes.nodes[index + 1].key }
        }
        try self.visit(node.child, level: level + 1, inner, &visit, entry)
        continue
      }
      visit.counted.entries += 1
      try give(node, of: page, number, &visit, entry)
    }
  }

  private mutating func give(
    _ node: NodePage.Node, of page: [UInt8], _ number: UInt64, _ visit: inout Visit,
    _ entry: (Entry) throws(TopicError) -> Void
  ) throws(TopicError) {
    func damaged(_ reason: String) {
      visit.damage.append(
        PageDamage(page: number, bounds: KeyBounds(exactly: node.key), reason: reason))
    }
    if visit.holdsTrees {
      guard node.flags == Self.subtree, node.size == TreeRecord.size else {
        return damaged("page \(number) has an entry that is no database")
      }
      let tree = TreeRecord(page, at: node.value)
      return try entry(Entry(key: node.key, content: .tree(tree), size: node.size))
    }
    switch node.flags {
    case 0:
      try page.withUnsafeBufferPointer { (bytes) throws(TopicError) in
        let value = UnsafeRawBufferPointer(
          rebasing: UnsafeRawBufferPointer(bytes)[node.value..<node.value + node.size])
        try entry(Entry(key: node.key, content: .value(value), size: node.size))
      }
    case Self.largeValue:
      let first = page.number(UInt64.self, node.value)
      let bytes = largeValue(first, node, number, &visit)
      try (bytes ?? []).withUnsafeBufferPointer { (value) throws(TopicError) in
        let value = bytes == nil ? nil : UnsafeRawBufferPointer(value)
        try entry(Entry(key: node.key, content: .value(value), size: node.size))
      }
    default:
      damaged("page \(number) has an entry of an unknown kind, \(node.flags)")
      try entry(Entry(key: node.key, content: .value(nil), size: node.size))
    }
  }

  /// Reads a value that has pages of its own. Its bytes are given even if what describes them is
  /// damaged, for they have a checksum.
  private mutating func largeValue(
    _ first: UInt64, _ node: NodePage.Node, _ number: UInt64, _ visit: inout Visit
  ) -> [UInt8]? {
    func damaged(_ reason: String, costs bounds: KeyBounds? = nil) {
      visit.damage.append(PageDamage(page: first, bounds: bounds, reason: reason))
    }
    let needed = UInt64((Self.headerSize - 1 + node.size) / file.pageSize + 1)
    guard first >= 2, first < pageBound, needed <= pageBound - first, needed <= largePagesLeft,
      let bytes = file.read(
        at: first * UInt64(file.pageSize), count: Self.headerSize + node.size)
    else {
      damaged(
        "pages \(first) to \(first &+ needed &- 1) lie outside of the file or cannot be read",
        costs: KeyBounds(exactly: node.key))
      return nil
    }
    var count = UInt64(bytes.number(UInt32.self, 12))
    let isHead =
      bytes.number(UInt64.self, 0) == first && bytes.number(UInt16.self, 10) == Self.overflow
    // A value that was replaced by a shorter one keeps its pages.
    if !isHead || count < needed || count > pageBound - first {
      damaged("page \(first) does not begin a value of \(needed) pages")
      count = needed
    }
    largePagesLeft -= min(largePagesLeft, count)
    visit.counted.overflowPages += count
    var isAlone = true
    for page in first..<first + count {
      if !used.insert(page) { isAlone = false }
      if page > first { _ = continuations.insert(page) }
    }
    if !isAlone { damaged("a page of \(first) to \(first + count - 1) is used twice") }
    return [UInt8](bytes[Self.headerSize...])
  }
}

/// Something wrong with the structure of a data file.
struct PageDamage {
  let page: UInt64
  /// The keys that it may have cost; nil for none.
  let bounds: KeyBounds?
  let reason: String
}

/// A range of keys of a tree.
struct KeyBounds {
  /// The least key; nil for none.
  var low: [UInt8]?
  /// The key behind the last one; nil for none.
  var high: [UInt8]?
  /// Whether it is one key, `low`.
  var isOneKey = false

  init() {}

  init(exactly key: [UInt8]) {
    low = key
    isOneKey = true
  }

  /// The range as offsets, of a tree with integer keys.
  var offsets: ClosedRange<UInt64> {
    func offset(_ key: [UInt8]?) -> UInt64? {
      key.flatMap { $0.count == 8 ? $0.number(UInt64.self, 0) : nil }
    }
    let first = offset(low) ?? 0
    if isOneKey, low?.count == 8 { return first...first }
    return first...max(first, offset(high).map { $0 &- 1 } ?? .max)
  }

  /// The order of LMDB: integers by their value, others by their bytes, then by length.
  static func precedes(_ first: [UInt8], _ second: [UInt8], integers: Bool) -> Bool {
    if integers, first.count == 8, second.count == 8 {
      return first.number(UInt64.self, 0) < second.number(UInt64.self, 0)
    }
    return first.lexicographicallyPrecedes(second)
  }
}
