import Features

/// Labels of a history on their way: each becomes known a delay after its event, in the order of
/// the events.
struct LabelQueue {
  private var due: [Int64] = []
  private var labels: [Label] = []
  private var idBytes: [UInt8] = []
  private var idEnds: [Int] = []
  private var head = 0
  /// How many were due by the time asked last.
  private var dueThrough = 0
  /// Labels delivered since the beginning.
  private(set) var delivered: UInt64 = 0

  var isEmpty: Bool { head == due.count }

  mutating func append(id: ArraySlice<UInt8>, _ label: Label, due time: Int64) {
    due.append(time)
    labels.append(label)
    idBytes.append(contentsOf: id)
    idEnds.append(idBytes.count)
  }

  /// How many labels are known by `time`, which does not go back.
  mutating func count(dueBy time: Int64) -> Int {
    while dueThrough < due.count, due[dueThrough] <= time { dueThrough += 1 }
    return dueThrough - head
  }

  /// Delivers, in order, all labels known by `time`; nil: all there are.
  mutating func deliver(
    dueBy time: Int64?, _ body: (_ id: [UInt8], _ label: Label, _ time: Int64) throws -> Void
  ) rethrows {
    if let time { _ = count(dueBy: time) } else { dueThrough = due.count }
    while head < dueThrough {
      let start = head == 0 ? 0 : idEnds[head - 1]
      try body(Array(idBytes[start..<idEnds[head]]), labels[head], due[head])
      head += 1
      delivered += 1
    }
    if head > 4096, head * 2 > due.count { compact() }
  }

  /// Drops the labels that an earlier run delivered.
  mutating func skip(_ count: UInt64) {
    delivered += count
    head = min(Int(count), due.count)
    dueThrough = max(dueThrough, head)
  }

  private mutating func compact() {
    let start = idEnds[head - 1]
    idBytes.removeFirst(start)
    idEnds.removeFirst(head)
    for index in idEnds.indices { idEnds[index] -= start }
    due.removeFirst(head)
    labels.removeFirst(head)
    dueThrough -= head
    head = 0
  }
}
