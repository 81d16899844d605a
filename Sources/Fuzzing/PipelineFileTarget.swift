import Pipeline

/// The reader of pipeline files.
public struct PipelineFileTarget: FuzzTarget {
  /// As the command line names it.
  public static let name = "pipeline-file"
  /// Sound inputs to start from.
  public let seeds: [[UInt8]]
  /// Pieces that inputs are made of.
  public let tokens: [[UInt8]]

  /// The reader, with a file that uses every key to start from.
  public init() {
    let second = """
      # another one
      pipeline: "b-2"
      events: {fields: {x: number, y: {type: number, missing: 0}}, time: t}
      features:
        - {difference: [x, y], name: gap}
        - {time: night, through: 5}
        - number: x
      models:
        c: {kind: k-means, clusters: 3, half_life: 100.5, batch: 32}
        o: &forest {kind: isolation-forest, trees: 9, sample_size: 16, reservoir_size: 64}
        l: *forest
      decisions: {by: c, thresholds: {c: 0.5, o: 0.75, l: 1}}
      publish: {every: 10, interval: 15m, snapshot_every: 3}
      seed: 12
      """
    seeds = [EventTarget.pipelineText, second].map { Array($0.utf8) }
    tokens = [
      "pipeline", "events", "fields", "label", "features", "models", "decisions", "publish", "seed",
      "kind", "logistic-regression", "k-means", "isolation-forest", "trees", "optimizer", "ftrl",
      "batch", "clusters",
      "half_life", "half_lives", "budget", "thresholds", "every", "interval", "snapshot_every",
      "delay", "unlabelled", "ratio", "one_hot", "categories", "hash", "buckets", "sparse",
      "hash_bits", "number",
      "category", ": ", "\n", "\n  ", "- ", "[", "]", "{", "}", "&a ", "*a", "<<: *a", "!!float ",
      "!!binary ", "|\n", ">-\n", "\t", "#", "'", "\"", "? ", "---\n", "...\n", "~", "%YAML 1.2\n",
      "100 a day", "0.1 %", "1d", "99999999999999d", ".inf", ".nan", "\u{0}", "\u{85}", "\u{2028}",
    ].map { Array($0.utf8) }
  }

  /// Reads an input and checks what came of it.
  public mutating func read(_ input: [UInt8]) throws -> String {
    let text = String(decoding: input, as: UTF8.self)
    do {
      let pipeline = try Pipeline(yaml: text, path: "fuzz.yaml")
      let again = try Pipeline(yaml: text, path: "fuzz.yaml")
      try Finding.unless(
        again.definition == pipeline.definition && again.fingerprint == pipeline.fingerprint,
        "the same text has two definitions")
      return "accepted \(pipeline.models.count) models, \(pipeline.plan.count.leadingZeroBitCount)"
    } catch let error as PipelineFileError {
      try Finding.unless(!error.problems.isEmpty, "refused without a reason")
      // YAML's own line breaks.
      let lines =
        text.unicodeScalars.count { "\n\r\u{85}\u{2028}\u{2029}".unicodeScalars.contains($0) } + 1
      for problem in error.problems {
        try Finding.unless(!problem.message.isEmpty, "a problem without a message")
        if let line = problem.line {
          try Finding.unless((1...lines + 1).contains(line), "line \(line) of \(lines)")
        } else {
          try Finding.unless(
            problem.message.contains("empty"), "a problem without a line: \(problem.message)")
        }
      }
      // Names come from the input; what is wrong with them is the outcome.
      return error.problems.prefix(3).map { String($0.message.prefix(12)) }.joined(separator: ";")
    }
  }
}
