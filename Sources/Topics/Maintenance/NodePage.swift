/// A branch or leaf page, taken apart; the layout is described at `PageWalker`.
struct NodePage {
  struct Node {
    /// Where it begins in the page.
    let place: Int
    let key: [UInt8]
    let flags: UInt16
    /// Where its value begins in the page.
    let value: Int
    /// The size of the value it names, which lies elsewhere if it is large.
    let size: Int
    /// In a branch, the page below.
    let child: UInt64
  }

  /// Why bytes are no page of nodes.
  struct Problem: Error {
    let reason: String
  }

  let isLeaf: Bool
  /// In the order of their keys; those that do not lie within the page are left out.
  let nodes: [Node]
  /// What is wrong with the page, nil if nothing.
  let problem: String?

  static func read(_ page: [UInt8], number: UInt64) -> Result<NodePage, Problem> {
    func problem(_ reason: String) -> Result<NodePage, Problem> {
      .failure(Problem(reason: reason))
    }
    let named = page.number(UInt64.self, 0)
    guard named == number else { return problem("names itself \(named)") }
    let flags = page.number(UInt16.self, 10)
    guard flags == PageWalker.leaf || flags == PageWalker.branch else {
      return problem("is neither branch nor leaf: \(flags)")
    }
    let lower = Int(page.number(UInt16.self, 12))
    let upper = Int(page.number(UInt16.self, 14))
    guard lower >= PageWalker.headerSize, lower % 2 == 0, lower <= upper, upper <= page.count else {
      return problem("is free from \(lower) to \(upper), which cannot be")
    }
    let count = (lower - PageWalker.headerSize) / 2
    guard count > 0 else { return problem("is empty") }
    let isLeaf = flags == PageWalker.leaf
    var nodes: [Node] = []
    nodes.reserveCapacity(count)
    var bytes = 0
    for index in 0..<count {
      let place = Int(page.number(UInt16.self, PageWalker.headerSize + 2 * index))
      guard place >= upper, let node = node(in: page, at: place, isLeaf: isLeaf) else { continue }
      let end = node.value + (isLeaf ? (node.isLarge ? 8 : node.size) : 0)
      bytes += (end - place + 1) & ~1
      nodes.append(node)
    }
    var found: String?
    if nodes.count < count {
      found = "has \(count - nodes.count) of \(count) nodes outside of itself"
    } else if bytes != page.count - upper {
      found = "has nodes of \(bytes) bytes where \(page.count - upper) are"
    }
    return .success(NodePage(isLeaf: isLeaf, nodes: nodes, problem: found))
  }

  /// The node at a place; nil if it does not lie within the page.
  static func node(in page: [UInt8], at place: Int, isLeaf: Bool) -> Node? {
    guard place >= PageWalker.headerSize, place % 2 == 0,
      place <= page.count - PageWalker.nodeHeaderSize
    else { return nil }
    let size = Int(page.number(UInt32.self, place))
    let flags = page.number(UInt16.self, place + 4)
    let keySize = Int(page.number(UInt16.self, place + 6))
    let key = place + PageWalker.nodeHeaderSize
    let stored = isLeaf ? (flags == PageWalker.largeValue ? 8 : size) : 0
    guard keySize + stored <= page.count - key else { return nil }
    return Node(
      place: place, key: [UInt8](page[key..<key + keySize]), flags: isLeaf ? flags : 0,
      value: key + keySize, size: isLeaf ? size : 0,
      child: UInt64(size) | UInt64(flags) << 32)
  }
}

extension NodePage.Node {
  var isLarge: Bool { flags == PageWalker.largeValue }
}
