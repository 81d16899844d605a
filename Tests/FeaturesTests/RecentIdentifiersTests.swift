import Features
import Testing

@Suite struct RecentIdentifiersTests {
  /// Against a plain list of the latest identifiers.
  @Test(arguments: [1, 2, 7, 100, 3000])
  func knowsExactlyTheLatest(_ capacity: Int) {
    let seed = UInt64.random(in: 0 ... .max)
    var random = Generator(state: seed)
    var recent = RecentIdentifiers(capacity: capacity)
    var order: [Int] = []
    var known: Set<Int> = []
    for _ in 0..<20_000 {
      let id = Int.random(in: 0..<3 * capacity, using: &random)
      let isNew = recent.insert(Array("id \(id)".utf8)[...])
      #expect(isNew == !known.contains(id), "seed \(seed)")
      guard isNew else { continue }
      order.append(id)
      known.insert(id)
      if order.count > capacity { known.remove(order.removeFirst()) }
    }
    #expect(recent.count == min(capacity, order.count))
  }

  @Test func ofCapacityZeroNothingIsKnown() {
    var recent = RecentIdentifiers(capacity: 0)
    #expect(recent.insert([1]) && recent.insert([1]))
    #expect(recent.count == 0)
  }

  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 29)
    }
  }
}
