import ArgumentParser
import Files
import Fuzzing

/// What a fuzzer reads.
enum FuzzTargetName: String, CaseIterable, ExpressibleByArgument {
  case event = "event-json"
  case json
  case csv
  case table
  case pipelineFile = "pipeline-file"
  case update
  case topicFile = "topic-file"

  func make() throws -> any FuzzTarget {
    switch self {
    case .event: try EventTarget()
    case .json: JSONTarget()
    case .csv: try CSVTarget()
    case .table: try TableTarget()
    case .pipelineFile: PipelineFileTarget()
    case .update: try UpdateTarget()
    case .topicFile: try TopicFileTarget()
    }
  }
}

/// Fuzzes in a process of its own, which may crash or hang.
struct FuzzWorker: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz-worker", abstract: "Reads inputs until something is found.",
    shouldDisplay: false)

  @Argument var target: FuzzTargetName
  @Option var seed: UInt64
  @Option(help: "Where the input being read is kept.") var state: String?
  @Option(help: "Read only this file.") var input: String?

  func run() throws { try fuzz(target.make()) }

  private func fuzz<Target: FuzzTarget>(_ target: Target) throws {
    if let input {
      var target = target
      say("came of it: \(try target.read(try bytes(of: input)))")
      return
    }
    guard let state else { throw ValidationError("--state or --input") }
    let file = try InputFile(path: state, create: false)
    var fuzzer = Fuzzer(target, seed: seed)
    while true {
      let input = fuzzer.next()
      try file.write(fuzzer.count + 1, input)
      try fuzzer.read(input)
      if fuzzer.count % 10_000 == 0 { say("\(fuzzer.count) \(fuzzer.outcomes)") }
    }
  }

  private func bytes(of path: String) throws -> [UInt8] {
    let file = try GzipInput(path: path)
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try piece.withUnsafeMutableBytes { try file.read(into: $0) }
      guard count > 0 else { return bytes }
      bytes += piece[..<count]
    }
  }
}
