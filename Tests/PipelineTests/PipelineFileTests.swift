import Features
import Foundation
import Pipeline
import Testing

@Suite struct PipelineFileTests {
  @Test(arguments: ["card-fraud", "credit-card", "device-telemetry"])
  func filesThatComeWithTheProgramLoad(_ name: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("models")
    let pipeline = try Pipeline(path: folder.appendingPathComponent(name + ".yaml").path)
    #expect(pipeline.name == name)
    #expect(pipeline.plan.count == pipeline.features.count)
    #expect(!pipeline.models.isEmpty)
  }

  @Test func everythingTheFileSaysIsRead() throws {
    let pipeline = try Pipeline.test(
      ("snapshot_every: 5", "snapshot_every: 5\n  interval: 15m\nseed: 7"))
    #expect(pipeline.schema.id?.name == "id")
    #expect(pipeline.schema.time == .init(name: "time", unit: .milliseconds))
    #expect(pipeline.schema.values.map(\.name) == ["amount", "balance"])
    #expect(pipeline.schema.values.map(\.missing) == [.reject, .number(0)])
    #expect(pipeline.schema.maximumBytes == 400)
    #expect(pipeline.labels?.delay == 600_000)
    #expect(pipeline.labels?.unlabelled == .ignore)
    #expect(pipeline.labels?.corrections == 0)
    #expect(pipeline.labels?.negativeShare == 1)
    #expect(pipeline.labels?.pending == 2_000_000)
    #expect(pipeline.labels?.overflow == .spill)
    #expect(pipeline.plan.names == ["amount", "log(balance)", "hour"])
    #expect(pipeline.models.map(\.name) == ["fraud", "clusters", "outlier"])
    #expect(pipeline.models.map(\.batch) == [32, 32, 64])
    #expect(pipeline.decisions.by == ["fraud", "outlier"])
    #expect(pipeline.decisions.limit == .budget(.share(0.05)))
    #expect(pipeline.publishing.every == 200)
    #expect(pipeline.publishing.interval == 900_000)
    #expect(pipeline.publishing.snapshotEvery == 5)
    #expect(pipeline.publishing.guards == Guards())
    #expect(pipeline.seed == 7)
  }

  @Test func labelPolicyIsReadAndLeavesTheFingerprint() throws {
    let pipeline = try Pipeline.test(
      (
        "unlabelled: ignore",
        "unlabelled: negative\n  corrections: 90d\n  keep_negatives: 2.5%\n  pending: 50_000\n"
          + "  overflow: sample"
      ))
    let labels = try #require(pipeline.labels)
    #expect(labels.unlabelled == .negative)
    #expect(labels.corrections == 90 * 24 * hour)
    #expect(labels.negativeShare == 0.025)
    #expect(labels.pending == 50_000)
    #expect(labels.overflow == .sample)
    #expect(try pipeline.fingerprint == Pipeline.test().fingerprint)
  }

  @Test func guardsAreRead() throws {
    let off = try Pipeline.test(("every: 200", "every: 200\n  guards: off"))
    #expect(off.publishing.guards == nil)
    let pipeline = try Pipeline.test(
      (
        "every: 200",
        "every: 200\n  guards: {figure_drop: 0.1, log_loss_rise: 1, alert_rate_factor: 3}"
      ))
    var guards = Guards()
    guards.figureDrop = 0.1
    guards.logLossRise = 1
    guards.alertRateFactor = 3
    #expect(pipeline.publishing.guards == guards)
    #expect(guards.alertRateFloor == 0.02)
  }

  /// A mistake made by replacing text, and the line and words its error must have.
  struct Mistake: CustomTestStringConvertible {
    var old: String
    var new: String
    var line: Int?
    var words: [String]

    init(_ old: String, _ new: String, _ line: Int?, _ words: String...) {
      (self.old, self.new, self.line, self.words) = (old, new, line, words)
    }

    var testDescription: String { new.replacingOccurrences(of: "\n", with: "⏎") }
  }

  @Test(arguments: [
    Mistake("pipeline: test", "pipelne: test", 1, "'pipelne'", "did you mean 'pipeline'?"),
    Mistake("pipeline: test", "pipeline: a/b", 1, "letters"),
    Mistake("pipeline: test", "pipeline:", 1, "letters"),
    Mistake("events:\n", "event:\n", 2, "'event'", "did you mean 'events'?"),
    Mistake("  max_bytes: 400", "  max_byte: 400", 12, "'max_byte'", "did you mean 'max_bytes'?"),
    Mistake("max_bytes: 400", "max_bytes: 4", 12, "64 to"),
    Mistake("unit: milliseconds", "unit: millisecond", 6, "did you mean 'milliseconds'?"),
    Mistake("amount: number", "amount: numbr", 8, "'amount'", "did you mean 'number'?"),
    Mistake("      type: number\n", "      typ: number\n", 10, "did you mean 'type'?"),
    Mistake("missing: 0", "missing: none", 11, "'missing' must be a number"),
    Mistake("  delay: 10m", "  delay: 10 minutes", 15, "'delay'", "7d"),
    Mistake("  delay: 10m", "  delay: 10", 15, "'delay'", "7d"),
    Mistake("unlabelled: ignore", "unlabelled: negativ", 16, "did you mean 'negative'?"),
    Mistake("unlabelled: ignore", "corrections: long", 16, "'corrections'", "7d"),
    Mistake("unlabelled: ignore", "keep_negatives: 0.1", 16, "0.1 % to 100 %"),
    Mistake("unlabelled: ignore", "keep_negatives: 0 %", 16, "0.1 % to 100 %"),
    Mistake("unlabelled: ignore", "keep_negative: 5 %", 16, "did you mean 'keep_negatives'?"),
    Mistake("unlabelled: ignore", "pending: 0", 16, "1 to"),
    Mistake("unlabelled: ignore", "overflow: spil", 16, "did you mean 'spill'?"),
    Mistake("  field: fraud", "  fields: fraud", 14, "did you mean 'field'?"),
    Mistake("- number: amount", "- numbers: amount", 18, "did you mean 'number'?"),
    Mistake("- number: amount", "- number: amont", 18, "'amont'", "did you mean 'amount'?"),
    Mistake("- log: balance", "- ratio: [amount]", 19, "two fields"),
    Mistake("- log: balance", "- ratio: [amount, balanse]", 19, "did you mean 'balance'?"),
    Mistake("- log: balance", "- number: amount", 19, "'amount'", "name"),
    Mistake("- log: balance", "- one_hot: amount", 19, "categories"),
    Mistake("- log: balance", "- hash: amount", 19, "not a category"),
    Mistake("- log: balance", "- hash: amount\n    buckets: 1", 20, "2 to 4096"),
    Mistake("- time: hour", "- time: houre", 20, "did you mean 'hour'?"),
    Mistake("- time: hour", "- time: night\n    through: 24", 21, "0 to 23"),
    Mistake("- time: hour", "- time: hour\n    through: 3", 21, "'time: night'"),
    Mistake("- time: hour", "- hour", 20, "mapping"),
    Mistake("kind: k-means", "kind: kmeans", 26, "did you mean 'k-means'?"),
    Mistake("    kind: k-means\n", "", 26, "'kind'"),
    Mistake("clusters: 3", "clusters: 0", 27, "1 to 1,000"),
    Mistake("clusters: 3", "clusters: three", 27, "whole number"),
    Mistake("clusters: 3", "cluster: 3", 27, "did you mean 'clusters'?"),
    Mistake("batch: 32\n  clusters", "batch: 0\n  clusters", 24, "1 to 4096"),
    Mistake("batch: 32\n  clusters", "ridge: -1\n  clusters", 24, "ridge"),
    Mistake("reservoir_size: 128", "reservoir_size: 16", 33, "reservoir_size"),
    Mistake("reservoir_size: 128", "gain_share: 1.5", 33, "gain_share"),
    Mistake("reservoir_size: 128", "margin: -0.1", 33, "margin"),
    Mistake("reservoir_size: 128", "half_life: 0", 33, "half_life"),
    Mistake("  outlier:\n", "  out lier:\n", 29, "letters"),
    Mistake("by: [fraud, outlier]", "by: [frod]", 37, "'frod'", "did you mean 'fraud'?"),
    Mistake("  by: [fraud, outlier]\n", "", 37, "'by'"),
    Mistake("budget: 5 %", "budget: five", 38, "'100 a day'"),
    Mistake("budget: 5 %", "budget: 0 a day", 38, "'100 a day'"),
    Mistake("budget: 5 %", "budget: 100 %", 38, "'0.1 %'"),
    Mistake("budget: 5 %", "budget: 100", 38, "'100 a day'"),
    Mistake("  budget: 5 %\n", "", 37, "'budget' or 'thresholds'"),
    Mistake("budget: 5 %", "thresholds: {fraud: 0.5, clusters: 1}", 38, "'outlier'"),
    Mistake(
      "budget: 5 %", "thresholds: {fraud: 0.5, clusters: 1, outlier: 1, outlyer: 2}", 38,
      "did you mean 'outlier'?"),
    Mistake("budget: 5 %", "thresholds: {fraud: high, clusters: 1, outlier: 1}", 38, "'fraud'"),
    Mistake("every: 200", "every: 0", 40, "1 to"),
    Mistake("every: 200", "interval: soon", 40, "'interval'"),
    Mistake("every: 200", "evry: 200", 40, "did you mean 'every'?"),
    Mistake("every: 200", "every: 200\n  guard: off", 41, "did you mean 'guards'?"),
    Mistake("every: 200", "every: 200\n  guards: some", 41, "'guards'"),
    Mistake(
      "every: 200", "every: 200\n  guards:\n    figure_drp: 0.1", 42, "did you mean 'figure_drop'?"),
    Mistake("every: 200", "every: 200\n  guards:\n    figure_drop: 0", 42, "above 0"),
    Mistake("every: 200", "every: 200\n  guards:\n    figure_drop: 1.5", 42, "at most 1"),
    Mistake("every: 200", "every: 200\n  guards: {log_loss_rise: much}", 41, "'log_loss_rise'"),
    Mistake("every: 200", "every: 200\n  guards: {alert_rate_factor: 1}", 41, "above 1"),
    Mistake("every: 200", "every: 200\n  guards: {alert_rate_floor: 2}", 41, "at most 1"),
    Mistake("publish:", "seed: -1\npublish:", 39, "'seed'"),
    Mistake("every: 200", "every: 200\n  every: 100", 40, "every"),
    Mistake("label:\n", "seed: 1\nseed: 2\nlabel:\n", 13, "seed"),
    Mistake("pipeline: test", "pipeline: [test", 2, "not YAML"),
    Mistake("pipeline: test", "pipeline: 'test", nil, "not YAML"),
    Mistake("pipeline: test", "# one\npipeline: te\u{1}st", 2, "not YAML"),
    Mistake("    amount: number", "  amount: number\n  - x", nil, "not YAML"),
  ])
  func mistakesNameTheirLineAndWhatWasMeant(_ mistake: Mistake) throws {
    let error = try problems(of: mistake.old, mistake.new)
    let found = error.problems.contains { problem in
      (mistake.line == nil || problem.line == mistake.line)
        && mistake.words.allSatisfy { problem.message.contains($0) }
    }
    #expect(found, "line \(mistake.line.map(String.init) ?? "–") \(mistake.words): \(error)")
    #expect(error.description.hasPrefix("test.yaml:"))
  }

  @Test(arguments: ["pipeline", "events", "features", "models", "decisions"])
  func sectionsThatMustBeThereAreMissed(_ section: String) throws {
    let lines = pipelineText.split(separator: "\n").map(String.init)
    let from = try #require(lines.firstIndex { $0.hasPrefix(section + ":") })
    let to = lines[(from + 1)...].firstIndex { !$0.hasPrefix(" ") } ?? lines.endIndex
    let text = (lines[..<from] + lines[to...]).joined(separator: "\n")
    let error = try #require(throws: PipelineFileError.self) {
      try Pipeline(yaml: text, path: "test.yaml")
    }
    #expect(error.description.contains("has no '\(section)'"))
  }

  /// Figures of baselines would be taken for the model's.
  @Test(arguments: ["rule", "base-rate", "last-class", "policies"])
  func namesThatEvaluationsUseAreRefused(_ name: String) throws {
    let error = try problems(of: "  fraud:\n", "  \(name):\n")
    #expect(error.problems.contains { $0.message.contains("'\(name)'") }, "\(error)")
  }

  @Test func modelsThatLearnFromLabelsNeedALabel() throws {
    let error = try problems(of: "label:\n  field: fraud\n  delay: 10m\n  unlabelled: ignore\n", "")
    #expect(error.problems.contains { $0.line == 19 && $0.message.contains("'fraud'") }, "\(error)")
  }

  @Test(arguments: ["", "# nothing\n", "- a\n- b\n", "text"])
  func filesThatAreNoMappingAreRefused(_ text: String) throws {
    #expect(throws: PipelineFileError.self) { try Pipeline(yaml: text, path: "test.yaml") }
  }

  @Test func severalMistakesAreReportedAtOnce() throws {
    var text = pipelineText
    for (old, new) in [
      ("max_bytes", "max_byte"), ("10m", "ten"), ("- number: amount", "- number: amont"),
      ("- log: balance", "- log: balanse"), ("kind: k-means", "kind: k-mean"),
      ("budget: 5 %", "budget: all"), ("every: 200", "every: often"),
    ] { text = text.replacingOccurrences(of: old, with: new) }
    let error = try #require(throws: PipelineFileError.self) {
      try Pipeline(yaml: text, path: "test.yaml")
    }
    let lines = Set(error.problems.compactMap(\.line))
    #expect(lines.isSuperset(of: [12, 15, 18, 19, 26, 38, 40]), "\(error)")
  }

  @Test func aFileThatIsNotThereIsNamed() {
    #expect {
      try Pipeline(path: "/nowhere/test.yaml")
    } throws: { "\($0)".contains("/nowhere/test.yaml") }
  }

  // MARK: Fingerprint

  @Test(arguments: [
    ("pipeline: test", "# a comment\n\npipeline: test"), ("pipeline: test", "pipeline: other"),
    ("every: 200", "every: 300"), ("snapshot_every: 5", "snapshot_every: 50"),
    ("every: 200", "every: 200\n  guards: off"),
    ("every: 200", "every: 200\n  guards: {figure_drop: 0.1}"),
    ("every: 200", "every: 200\n  interval: 1h"), ("budget: 5 %", "budget: 100 a day"),
    ("budget: 5 %", "thresholds: {fraud: 0.5, clusters: 0.9, outlier: 0.7}"),
    ("by: [fraud, outlier]", "by: [outlier]"), ("delay: 10m", "delay: 7d"),
    ("unlabelled: ignore", "unlabelled: negative"), ("max_bytes: 400", "max_bytes: 500"),
    ("kind: k-means\n    clusters: 3", "clusters: 3\n    kind: k-means"),
    ("publish:", "seed: 3\npublish:"), ("clusters: 3\n", "clusters: 3  # three\n"),
  ])
  func fingerprintStays(_ old: String, _ new: String) throws {
    #expect(try Pipeline.test((old, new)).fingerprint == Pipeline.test().fingerprint)
  }

  @Test(arguments: [
    ("- log: balance", "- number: balance"), ("  - log: balance\n", ""),
    ("- log: balance", "- log: balance\n    name: b"), ("missing: 0", "missing: 1"),
    ("amount: number", "amount: number\n    more: category"), ("clusters: 3", "clusters: 4"),
    ("clusters: 3", "clusters: 3\n    half_life: 100"), ("trees: 20", "trees: 21"),
    ("kind: logistic-regression", "kind: logistic-regression\n    ridge: 3"),
    ("- time: hour", "- time: night\n    through: 5"), ("unit: milliseconds", "unit: seconds"),
    ("  clusters:\n", "  groups:\n"),
    ("- number: amount\n  - log: balance", "- log: balance\n  - number: amount"),
  ])
  func fingerprintChanges(_ old: String, _ new: String) throws {
    #expect(try Pipeline.test((old, new)).fingerprint != Pipeline.test().fingerprint)
  }

  @Test func differenceNamesTheLinesThatDiffer() throws {
    let old = try Pipeline.test()
    let new = try Pipeline.test(("clusters: 3", "clusters: 4"), ("  - log: balance\n", ""))
    let lines = new.difference(from: old.definition).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.contains { $0.hasPrefix("- feature log(balance)") })
    #expect(lines.contains { $0.hasPrefix("- model clusters") && $0.contains("clusters=3") })
    #expect(lines.contains { $0.hasPrefix("+ model clusters") && $0.contains("clusters=4") })
  }

  @Test(arguments: [
    ("500ms", 500), ("30s", 30_000), ("15m", 900_000), ("6h", 21_600_000), ("7d", 604_800_000),
    ("0s", 0),
  ])
  func durationsAreRead(_ text: String, _ milliseconds: Int64) {
    #expect(DurationText.parse(text) == milliseconds)
  }

  @Test(arguments: ["", "d", "7", "7 d", "-1d", "1.5h", "7D", "9223372036854775807d", "٣d", "1d2h"])
  func otherTextsAreNoDurations(_ text: String) { #expect(DurationText.parse(text) == nil) }

  private func problems(of old: String, _ new: String) throws -> PipelineFileError {
    try #require(throws: PipelineFileError.self) { _ = try Pipeline.test((old, new)) }
  }

  /// Such a number would overflow where it is read to the base of 60.
  @Test func numbersToTheBaseOfSixtyAreNone() throws {
    let text = pipelineText.replacingOccurrences(
      of: "max_bytes: 400", with: "max_bytes: 18446744073709551615516:16")
    let error = #expect(throws: PipelineFileError.self) {
      try Pipeline(yaml: text, path: "test.yaml")
    }
    #expect(error?.description.contains("'max_bytes' must be a whole number") == true)
    #expect(try Pipeline.test(("every: 200", "every: 1_000")).publishing.every == 1000)
  }
}
