import Features
import Foundation
import LinearAlgebra
import StateCoding
import Testing

/// Windows against a recomputation from all events.
@Suite("Windows") struct WindowTests {
  /// An event as the recomputation keeps it.
  struct Event {
    var id: Int
    var time: Int64
    var card: String
    var shop: String
    var amount: Double
    /// Whether it entered: it was neither too late nor ahead.
    var entered = true
    /// Whether it is so late that what its windows held may be let go of already.
    var isTooLate = false
    var isPositive = false
  }

  static let lateness: Int64 = 50_000
  static let schema = EventSchema(
    id: .init(name: "id", type: .category), time: .init(name: "time", unit: .milliseconds),
    entities: [.init(name: "card", type: .category), .init(name: "shop", type: .category)],
    values: [.init(name: "amount", type: .number)],
    label: .init(name: "label", type: .number), lateness: lateness)

  static let spans: [Int64] = [1000, 20_000, 300_000]
  static let figures: [WindowFeature.Figure] = [
    .count, .sum("amount"), .mean("amount"), .deviation("amount"), .least("amount"),
    .largest("amount"), .distinct("shop"), .sinceLast, .positives, .positiveRate,
  ]

  /// Every figure, of one and of two entities, with and without the current event, a delay and a
  /// condition.
  static func features() throws -> [WindowFeature] {
    let condition = try #require(WindowFeature.Condition("amount >= 40"))
    let notShop = try #require(WindowFeature.Condition("shop != s1"))
    return figures.flatMap { figure in
      [
        WindowFeature(figure, entity: ["card"], spans: spans),
        WindowFeature(figure, entity: ["card"], spans: spans, countsCurrent: false),
        WindowFeature(figure, entity: ["card"], spans: spans, delay: 15_000),
        WindowFeature(figure, entity: ["card", "shop"], spans: spans),
        WindowFeature(figure, entity: ["card"], spans: spans, condition: condition),
        WindowFeature(figure, entity: ["card"], spans: [20_000], delay: 500, condition: notShop),
      ]
    }
  }

  /// A figure by its definition.
  static func expected(
    _ feature: WindowFeature, _ span: Int64, of event: Event, among events: [Event]
  ) -> Double {
    let upper = event.time - feature.delay
    let current = feature.countsCurrent && feature.delay == 0 && feature.figure != .sinceLast
    func passes(_ other: Event) -> Bool {
      switch feature.condition?.text {
      case nil: true
      case "amount >= 40": other.amount >= 40
      default: other.shop != "s1"
      }
    }
    let within =
      events.filter {
        $0.entered && $0.time > upper - span && $0.time <= upper && $0.card == event.card
          && (feature.entity.count == 1 || $0.shop == event.shop) && passes($0)
      } + (current && passes(event) ? [event] : [])
    let amounts = within.map(\.amount)
    let count = Double(within.count)
    let mean = within.isEmpty ? 0 : amounts.reduce(0, +) / count
    return switch feature.figure {
    case .count: count
    case .sum: amounts.reduce(0, +)
    case .mean: mean
    case .deviation:
      count < 2
        ? 0 : (amounts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
    case .least: amounts.min() ?? 0
    case .largest: amounts.max() ?? 0
    case .distinct: Double(Set(within.map(\.shop)).count)
    case .sinceLast:
      Double(within.map { event.time - $0.time }.min() ?? span + feature.delay) / 1000
    case .positives: Double(within.count { $0.isPositive })
    case .positiveRate: within.isEmpty ? 0 : Double(within.count { $0.isPositive }) / count
    }
  }

  static func block(_ event: Event, _ decoder: EventDecoder) throws -> EventBlock {
    var block = EventBlock(schema: schema, capacity: 1)
    let json =
      "{\"id\": \(event.id), \"time\": \(event.time), \"card\": \"\(event.card)\", "
      + "\"shop\": \"\(event.shop)\", \"amount\": \(event.amount)}"
    try Array(json.utf8).withUnsafeBytes {
      try decoder.decode(json: $0, position: 0, timestamp: 0, into: &block)
    }
    return block
  }

  /// Random events: ties, gaps, out of order, too late, dated ahead, with labels that come late, twice,
  /// taken back, or before their event; in between the memory is saved and restored.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func figuresAreThoseOfARecomputation(seed: UInt64) throws {
    var random = SplitMix(seed)
    let features = try Self.features()
    let plan = try FeaturePlan(
      features.enumerated().map { .init(.window($1), name: "f\($0)") }, schema: Self.schema)
    var memory = FeatureMemory(plan, capacity: 1)
    let decoder = EventDecoder(schema: Self.schema, readsLabel: false)
    var matrix = Matrix(columns: plan.count, capacity: 1)
    var events: [Event] = []
    var early: [Int: Bool] = [:]
    var clock: Int64 = 1_000_000
    // Amounts whose sums are exact, so that figures are equal and not nearly so.
    for number in 0..<700 {
      switch random.below(10) {
      case 0..<3: break  // a tie
      case 9 where random.below(8) == 0: clock += Int64(random.below(600_000))
      default: clock += Int64(random.below(3000))
      }
      var event = Event(
        id: number, time: clock, card: "c\(random.below(3))", shop: "s\(random.below(4))",
        amount: Double(random.below(64)) - 8)
      switch random.below(12) {
      case 0, 1: event.time -= Int64(random.below(Int(Self.lateness)))
      case 2:
        event.time -= Self.lateness + 1 + Int64(random.below(200_000))
        event.entered = false
        event.isTooLate = true
      case 3 where random.below(4) == 0:
        event.time += 1 + Int64(random.below(1_000_000))
        event.entered = false
      default: break
      }
      var block = try Self.block(event, decoder)
      memory.observe(block, row: 0, clock: clock)
      memory.computeFeatures(block, into: &matrix)
      var column = 0
      for feature in features {
        for span in feature.spans {
          let expected = Self.expected(feature, span, of: event, among: events)
          let got = matrix[0, column]
          let isClose =
            if case .deviation = feature.figure {
              abs(got - expected) <= 1e-9 * max(1, expected)
            } else {
              got == expected
            }
          guard isClose || (event.isTooLate && got.isFinite) else {
            Issue.record(
              "seed \(seed), event \(event), \(feature), \(span) ms: \(got), not \(expected)")
            return
          }
          column += 1
        }
      }
      // The event's own label counts only for those after it.
      if event.entered, let label = early.removeValue(forKey: number) { event.isPositive = label }
      events.append(event)
      // Labels: of any event so far, or of one to come.
      for _ in 0..<random.below(3) {
        let label = random.below(3) > 0
        let of = random.below(8) == 0 ? number + 1 + random.below(20) : random.below(number + 1)
        let known = memory.windowLabel(id: Array("\(of)".utf8)[...], isPositive: label)
        memory.label(known, time: clock)
        if of > number {
          early[of] = label
        } else if events[of].entered {
          // One that came in order again: what is beyond all windows takes no label.
          events[of].isPositive = label
        }
      }
      if random.below(50) == 0 {
        var restored = FeatureMemory(plan, capacity: 1)
        for piece in 0..<memory.pieceCount {
          try restored.restorePiece(piece, memory.encodePiece(piece))
        }
        memory = restored
      }
      block.removeAll()
    }
    #expect(memory.windows!.counters.outOfOrder > 0 && memory.windows!.counters.leftOut > 0)
  }

  /// Values of all sizes: what a large one leaves behind must not be seen.
  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func roundingDoesNotPileUp(seed: UInt64) throws {
    var random = SplitMix(seed)
    let plan = try FeaturePlan(
      [
        .init(.window(.init(.mean("amount"), entity: ["card"], spans: [1000])), name: "mean"),
        .init(.window(.init(.deviation("amount"), entity: ["card"], spans: [1000])), name: "std"),
      ], schema: Self.schema)
    var memory = FeatureMemory(plan, capacity: 1)
    let decoder = EventDecoder(schema: Self.schema, readsLabel: false)
    var matrix = Matrix(columns: plan.count, capacity: 1)
    var amounts: [(time: Int64, amount: Double)] = []
    for number in 0..<20_000 {
      let time = Int64(1_000_000 + number * 10)
      let size = random.below(100) == 0 ? 1e12 : 1.0
      let amount = Double(random.below(1_000_000)) / 1e6 * size
      let event = Event(id: number, time: time, card: "c", shop: "s", amount: amount)
      let block = try Self.block(event, decoder)
      memory.compute(block, into: &matrix)
      amounts.append((time, block.numbers[0]))
      let within = amounts.suffix(100).map(\.amount)
      guard within.max()! < 2 else { continue }
      let mean = within.reduce(0, +) / Double(within.count)
      let deviation =
        (within.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, within.count - 1)))
        .squareRoot()
      #expect(abs(matrix[0, 0] - mean) <= 1e-12 * mean, "seed \(seed), event \(number)")
      #expect(abs(matrix[0, 1] - deviation) <= 1e-6, "seed \(seed), event \(number)")
    }
  }

  @Test func memoryIsBoundedAndSaysWhatItLetGo() throws {
    let plan = try FeaturePlan(
      [.init(.window(.init(.count, entity: ["card"], spans: [1_000_000_000])), name: "n")],
      schema: Self.schema, windows: WindowSettings(entities: 1000, eventsPerEntity: 16))
    var memory = FeatureMemory(plan, capacity: 1)
    let decoder = EventDecoder(schema: Self.schema, readsLabel: false)
    var matrix = Matrix(columns: 1, capacity: 1)
    for number in 0..<20 {
      let event = Event(id: number, time: 1_000_000, card: "busy", shop: "s", amount: 1)
      memory.compute(try Self.block(event, decoder), into: &matrix)
    }
    #expect(matrix[0, 0] == 16)
    #expect(memory.windows?.counters.crowdedOut == 4)
    for number in 20..<20_000 {
      let event = Event(
        id: number, time: 1_000_000 + Int64(number), card: "c\(number)", shop: "s", amount: 1)
      memory.compute(try Self.block(event, decoder), into: &matrix)
    }
    let windows = try #require(memory.windows)
    #expect(windows.entityCount <= 1000)
    #expect(windows.counters.forgotten > 0)
    // Idle entities go by themselves once no window reaches back to them.
    let later: Int64 = 3_000_000_000
    for number in 20_000..<20_000 + 70_000 {
      let event = Event(id: number, time: later, card: "new", shop: "s", amount: 1)
      memory.compute(try Self.block(event, decoder), into: &matrix)
    }
    #expect(memory.windows?.entityCount == 1)
  }

  @Test func damagedStateIsRefused() throws {
    let plan = try FeaturePlan(
      try Self.features().enumerated().map { .init(.window($1), name: "f\($0)") },
      schema: Self.schema)
    var memory = FeatureMemory(plan, capacity: 1)
    let decoder = EventDecoder(schema: Self.schema, readsLabel: false)
    var matrix = Matrix(columns: plan.count, capacity: 1)
    for number in 0..<200 {
      let event = Event(
        id: number, time: 1_000_000 + Int64(number), card: "c\(number % 5)", shop: "s", amount: 1)
      memory.compute(try Self.block(event, decoder), into: &matrix)
    }
    for piece in 0..<memory.pieceCount {
      let bytes = memory.encodePiece(piece)
      var other = FeatureMemory(plan, capacity: 1)
      try other.restorePiece(piece, bytes)
      #expect(other.encodePiece(piece) == bytes)
      guard bytes.count > 16 else { continue }
      #expect(throws: StateError.self) {
        var other = FeatureMemory(plan, capacity: 1)
        try other.restorePiece(piece, Array(bytes.dropLast(8)))
      }
    }
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SplitMix {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
