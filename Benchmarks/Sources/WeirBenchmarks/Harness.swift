import Files
import Glibc

/// Runs benchmarks, each several times after a warm-up, and their peers in turn with them.
struct Harness {
  /// One number over all runs.
  struct Figure {
    let name: String
    let unit: String
    let peer: String?
    var values: [Double]

    var sample: Sample { Sample(values) }
  }

  let context: Context
  let machine: Machine
  let peers: [Peer]
  let runs: Int

  /// Measures a benchmark.
  func measure(_ benchmark: Benchmark) throws -> [Figure] {
    let contenders = peers.filter { $0.figures.contains(benchmark.name) }
    let run = try benchmark.prepare(context)
    let data = contenders.isEmpty ? "" : try context.peerFile()
    var figures: [Figure] = []
    func record(_ measurements: [Measurement], peer: String?) {
      for one in measurements {
        let known = figures.firstIndex {
          $0.name == one.name && $0.unit == one.unit && $0.peer == peer
        }
        if let known {
          figures[known].values.append(one.value)
        } else {
          figures.append(Figure(name: one.name, unit: one.unit, peer: peer, values: [one.value]))
        }
      }
    }
    // In turn, so that what else goes on on the machine meets all alike. The first round warms up.
    for round in 0...runs {
      progress("\(benchmark.name) \(round)/\(runs)")
      let own = try run()
      if round > 0 { record(own, peer: nil) }
      for peer in contenders {
        let other = try peer.run(benchmark.name, data: data)
        if round > 0 { record(other, peer: peer.name) }
      }
    }
    progress("")
    return figures
  }

  /// Prints a figure as one JSON line.
  func printLine(_ figure: Figure) {
    let sample = figure.sample
    var versions = machine.versions
    if let peer = peers.first(where: { $0.name == figure.peer }) { versions += peer.versions }
    let line = JSONValue.object([
      ("name", .string(figure.name)), ("value", .number(sample.median)),
      ("unit", .string(figure.unit)), ("min", .number(sample.min)),
      ("max", .number(sample.max)), ("runs", .integer(Int64(figure.values.count))),
      ("machine", .string(machine.description)),
      ("versions", .object(versions.map { ($0.0, .string($0.1)) })),
      ("peer", JSONValue(figure.peer)),
    ])
    Output.write(line.encode(pretty: false) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
  }

  /// Shows what is running where somebody looks.
  private func progress(_ text: String) {
    guard isatty(STDERR_FILENO) != 0 else { return }
    Output.printError("\r\u{1B}[K\(text)")
  }
}
