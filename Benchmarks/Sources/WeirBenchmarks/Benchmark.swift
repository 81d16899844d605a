/// One number that a run measured.
struct Measurement {
  var name: String
  var value: Double
  /// What a second is divided into (`rows/s`: more is better) or what is spent (`ns`: less is).
  var unit: String

  static func isBetterHigher(_ unit: String) -> Bool { unit.hasSuffix("/s") }
}

/// Something to measure, by the name of its figure.
struct Benchmark: Sendable {
  /// Runs once and measures; called several times.
  typealias Run = () throws -> [Measurement]

  let name: String
  /// What is measured, in one line.
  let summary: String
  /// Makes what a run needs, outside the measured time.
  let prepare: @Sendable (Context) throws -> Run

  /// A rate: `body` handles `count` things a call, and is called `passes` times a run.
  static func rate(
    _ name: String, _ unit: String, _ summary: String, passes: Int = 1,
    _ prepare: @escaping @Sendable (Context) throws -> (count: Int, body: () throws -> Void)
  ) -> Benchmark {
    Benchmark(name: name, summary: summary) { context in
      let (count, body) = try prepare(context)
      return {
        let seconds = try seconds { for _ in 0..<passes { try body() } }
        return [
          Measurement(name: name, value: Double(count * passes) / seconds, unit: "\(unit)/s")
        ]
      }
    }
  }

  /// Also gives a rate's time for one thing, under the same name.
  func withTimeEach(_ unit: String) -> Benchmark {
    Benchmark(name: name, summary: summary) { context in
      let run = try prepare(context)
      return {
        let rates = try run()
        return rates
          + rates.map { Measurement(name: $0.name, value: 1e9 / $0.value, unit: "ns/\(unit)") }
      }
    }
  }

  /// The median time of `count` calls timed one by one, without what reading the clock takes, in
  /// nanoseconds or in `unit`, which is so many of them.
  static func latency(
    _ name: String, _ summary: String, count: Int,
    unit: (name: String, nanoseconds: Double) = ("ns", 1),
    _ prepare: @escaping @Sendable (Context) throws -> (_ index: Int) throws -> Void
  ) -> Benchmark {
    Benchmark(name: name, summary: summary) { context in
      let body = try prepare(context)
      func median(_ body: (Int) throws -> Void) rethrows -> Double {
        Sample(
          try (0..<count).map { index in
            let start = nanoseconds()
            try body(index)
            return Double(nanoseconds() - start)
          }
        ).median
      }
      return {
        let clock = median { _ in }
        let value = (try median(body) - clock) / unit.nanoseconds
        return [Measurement(name: name, value: value, unit: unit.name)]
      }
    }
  }
}

/// What benchmarks share.
final class Context {
  let scratch: Scratch
  /// Path of the program `weir` built beside this one.
  let weir: String
  /// The top of the repository.
  let repository: String

  /// 65,536 rows: what learners and models are measured on, and what peers get.
  private(set) lazy var stream = CardStream(rows: 65_536)
  private(set) lazy var blocks = stream.blocks()

  private var peerData: String?

  init(scratch: Scratch, weir: String, repository: String) {
    self.scratch = scratch
    self.weir = weir
    self.repository = repository
  }

  /// The file of ``stream`` that peers read.
  func peerFile() throws -> String {
    if let peerData { return peerData }
    let file = try scratch.write(stream.npy(), to: "stream.npy")
    peerData = file
    return file
  }
}
