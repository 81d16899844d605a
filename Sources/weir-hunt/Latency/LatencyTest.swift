import ArgumentParser
import Files
import Processes

struct LatencyTest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency",
    abstract: "Measures how soon an event is decided and an update scores, between processes.",
    discussion: """
      A producer, `weir score` and `weir train` run as processes on one folder; this process reads \
      'decisions'. Runs with an update of each model every 100 ms and runs with hardly any take \
      turns; they are compared by the 99 % of their usual second, since a single pause of the \
      machine decides that of a whole run. Then a scorer starts on a topic with very many \
      updates. The bounds are for two cores that do nothing else.
      """)

  @Option(help: "Events a second.") var rate = 20_000
  @Option(help: "Events that the producer appends at once.") var piece = 20
  @Option(help: "Milliseconds between two versions of a model.") var updateEvery = 100
  @Option(help: "Seconds of each run, after a warm-up.") var seconds = 10.0
  @Option(help: "Seconds of the warm-up.") var warmUp = 5.0
  @Option(help: "Runs of each kind.") var runs = 9
  @Option(help: "Updates on the topic that a scorer starts on; 0 leaves that out.")
  var updates = 100_000
  @Flag(help: "Print JSON.") var json = false
  @Option(help: ArgumentHelp("Work in this folder.", valueName: "folder")) var folder: String?

  private struct Figure {
    var name: String
    var value: Double
    var bound: Double
    var unit: String

    var holds: Bool { value <= bound }
  }

  func validate() throws {
    guard rate > 0, piece > 0, updateEvery > 0, seconds > 0, runs >= 0, updates >= 0 else {
      throw ValidationError("numbers are above 0")
    }
  }

  func run() throws {
    let workplace = try Workplace(folder)
    defer { workplace.remove() }
    var figures: [Figure] = []
    if runs > 0 { figures += try liveFigures(in: workplace.path) }
    if updates > 0 {
      let place = try Workplace(workplace.path + "/start")
      defer { removeTree(place.path) }
      let filling = monotonicSeconds()
      var start = try ScorerStart(updates: updates, folder: place.path)
      if !json {
        say("\(start.updates) records of updates in \(Int(monotonicSeconds() - filling)) s")
      }
      let sample = Sample(try (0..<max(3, runs)).map { _ in try start.measure() })
      figures.append(
        Figure(name: "scorer-start", value: sample.median, bound: 1, unit: "s"))
    }
    report(figures)
    guard figures.allSatisfy(\.holds) else { throw ExitCode.failure }
  }

  private func liveFigures(in folder: String) throws -> [Figure] {
    var updating: [LatencyRun.Result] = []
    var still: [LatencyRun.Result] = []
    for number in 0..<2 * runs {
      let isUpdating = number % 2 == 0
      let place = try Workplace("\(folder)/run-\(number)")
      defer { removeTree(place.path) }
      let run = LatencyRun(
        folder: place.path, rate: rate, piece: piece,
        publishEvery: isUpdating ? max(1, rate * updateEvery / 1000) : 1_000_000_000)
      let result = try run.measure(seconds: seconds, warmUp: warmUp)
      if isUpdating { updating.append(result) } else { still.append(result) }
      if !json {
        say(
          "run \(number + 1): \(isUpdating ? "updates" : "none   ")  \(result.decisions.count) "
            + "decisions, median \(milliseconds(result.decisions.median)), 99 % "
            + "\(milliseconds(result.decisions.quantile(0.99))), of a usual second "
            + "\(milliseconds(result.usualTail)); \(result.swaps.count) updates in use, 99 % after "
            + "\(milliseconds(result.swaps.quantile(0.99)))")
      }
    }
    let tail = { (result: LatencyRun.Result) in result.decisions.quantile(0.99) }
    return [
      Figure(
        name: "append-to-decision/median", value: Sample(updating.map(\.decisions.median)).median,
        bound: 1, unit: "ms"),
      Figure(
        name: "append-to-decision/p99", value: Sample(updating.map(tail)).median, bound: 5,
        unit: "ms"),
      Figure(
        name: "update-to-first-score/p99",
        value: Sample(updating.map { $0.swaps.quantile(0.99) }).median, bound: 20, unit: "ms"),
      Figure(
        name: "append-to-decision/p99/updates-to-none",
        value: Sample(zip(updating, still).map { $0.usualTail / $1.usualTail }).median, bound: 1.1,
        unit: "×"),
    ]
  }

  private func milliseconds(_ value: Double) -> String {
    "\((value * 1000).rounded() / 1000) ms"
  }

  private func report(_ figures: [Figure]) {
    if json {
      let lines = figures.map {
        JSONValue.object([
          ("name", .string($0.name)), ("value", JSONValue($0.value)), ("unit", .string($0.unit)),
          ("bound", JSONValue($0.bound)), ("holds", .bool($0.holds)),
        ])
      }
      say(String(decoding: JSONValue.array(lines).encode(pretty: true), as: UTF8.self))
      return
    }
    for figure in figures {
      let value = (figure.value * 1000).rounded() / 1000
      say(
        "\(figure.holds ? "holds" : "FAILS") \(figure.name) \(value) \(figure.unit) (at most "
          + "\(figure.bound))")
    }
  }
}
