import Evaluation
import Features
import Files
import Learners
import Yams

extension Pipeline {
  /// Reads and validates a pipeline file.
  /// - Throws: `FileError` if it cannot be read, `PipelineFileError` with every problem found.
  public init(path: String) throws {
    let input = try GzipInput(path: path)
    var lines = LineReader(input)
    var text = ""
    while let line = try lines.next({ String(decoding: $0, as: UTF8.self) }) { text += line + "\n" }
    try self.init(yaml: text, path: path)
  }

  /// Validates the text of a pipeline file; `path` names it in errors.
  public init(yaml: String, path: String) throws {
    let problems = ProblemList()
    let pipeline: Pipeline?
    do {
      if let root = try Yams.compose(yaml: yaml) {
        pipeline = PipelineFileReader(problems).read(root)
      } else {
        problems.add(nil, "is empty")
        pipeline = nil
      }
    } catch let error as YamlError {
      throw PipelineFileError(
        path: path, problems: [.init(line: error.line, message: "not YAML: \(error)")])
    }
    guard let pipeline, problems.problems.isEmpty else {
      throw PipelineFileError(path: path, problems: problems.problems)
    }
    self = pipeline
  }
}

extension YamlError {
  fileprivate var line: Int? {
    switch self {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      mark.line
    case .duplicatedKeysInMapping(_, let context): context.mark.line
    case .reader(_, let offset?, _, let yaml):
      yaml.utf8.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
    default: nil
    }
  }
}

/// Turns the nodes of a pipeline file into its values, noting every problem on the way.
struct PipelineFileReader {
  let problems: ProblemList

  init(_ problems: ProblemList) { self.problems = problems }

  func read(_ root: Node) -> Pipeline? {
    guard let file = YAMLMap(root, "the pipeline file", problems) else { return nil }
    file.allow([
      "pipeline", "events", "label", "features", "windows", "models", "decisions", "publish",
      "seed",
    ])
    let name = file.required("pipeline").flatMap { nameText($0, "'pipeline'") }
    let labelMap = file["label"].flatMap { YAMLMap($0, "'label'", problems) }
    let label = labelMap.flatMap(readLabel)
    var schema = file.required("events").flatMap { readEvents($0, label: label?.field) }
    let features = file.required("features").map(readFeatures) ?? []
    let seed = UInt64(file.integer("seed", in: 0...Int.max) ?? 0)
    let windows = readWindows(file["windows"])
    var plan: FeaturePlan?
    // A field that was not understood is reported once, not with every feature of it.
    if schema != nil, schema?.values.count == file["events"]?["fields"]?.mapping?.count {
      for (definition, _) in features { schema?.requireEntities(of: definition) }
      plan = bind(features, to: schema!, windows)
      if plan?.count == 0, !features.isEmpty {
        problems.add(file["features"], "no feature is an input of the models")
      }
    }
    let models =
      file.required("models").map { readModels($0, labelled: label != nil, plan: plan) } ?? []
    let decisions = file.required("decisions").flatMap {
      readDecisions($0, models: models, schema: schema)
    }
    let publishing = readPublishing(file["publish"])
    guard let name, let schema, let decisions, let plan, problems.problems.isEmpty else {
      return nil
    }
    return Pipeline(
      name: name, schema: schema, labels: label?.policy, features: features.map(\.definition),
      plan: plan, models: models, decisions: decisions, publishing: publishing,
      seed: seed)
  }

  private func bind(
    _ features: [(definition: FeatureDefinition, node: Node)], to schema: EventSchema,
    _ windows: WindowSettings
  ) -> FeaturePlan? {
    do {
      return try FeaturePlan(features.map(\.definition), schema: schema, windows: windows)
    } catch {
      for problem in error.problems {
        problems.add(features[problem.feature].node, problem.description)
      }
      return nil
    }
  }

  /// A name that can stand in `pipeline/model@version`.
  private func nameText(_ node: Node, _ what: String) -> String? {
    let text = node.string ?? ""
    let good =
      !text.isEmpty && text.count <= 50
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
    if good { return text }
    problems.add(node, "\(what) must be 1 to 50 letters, digits, '-' or '_'")
    return nil
  }

  // MARK: Events and labels

  private func readLabel(_ map: YAMLMap) -> (field: EventSchema.Field, policy: LabelPolicy)? {
    map.allow([
      "field", "or", "delay", "unlabelled", "corrections", "keep_negatives", "pending", "overflow",
    ])
    guard map.required("field") != nil, let name = map.text("field") else { return nil }
    return (
      EventSchema.Field(name: name, aliases: map.texts("or") ?? [], type: .number),
      LabelPolicy(
        delay: map.duration("delay") ?? 0,
        unlabelled: map.choice("unlabelled", LabelPolicy.Unlabelled.self) ?? .ignore,
        corrections: map.duration("corrections") ?? 0,
        negativeShare: readShare("keep_negatives", map) ?? 1,
        pending: map.integer("pending", in: 1...1_000_000_000) ?? 2_000_000,
        overflow: map.choice("overflow", LabelPolicy.Overflow.self) ?? .spill)
    )
  }

  /// A share such as `10 %`.
  private func readShare(_ key: String, _ map: YAMLMap) -> Double? {
    guard let node = map[key] else { return nil }
    let words = node.string?.replacing("%", with: " %").split(separator: " ") ?? []
    if words.count == 2, words[1] == "%", let percent = Double(words[0]),
      (0.1...100).contains(percent)
    {
      return percent / 100
    }
    problems.add(node, "'\(key)' must be from 0.1 % to 100 %")
    return nil
  }

  private func readEvents(_ node: Node, label: EventSchema.Field?) -> EventSchema? {
    guard let map = YAMLMap(node, "'events'", problems) else { return nil }
    map.allow([
      "id", "time", "entities", "fields", "lateness", "max_bytes", "unique_within",
    ])
    var fields: [EventSchema.Field] = []
    if let node = map.required("fields"), let list = YAMLMap(node, "'fields'", problems) {
      fields = list.keys.compactMap { readField($0.name, $0.value) }
    }
    let id = map["id"].flatMap { readName($0, "'id'") }
    for field in fields {
      for alias in field.aliases where fields.contains(where: { $0.name == alias }) {
        problems.add(map["fields"], "'\(alias)' is a field and another name of '\(field.name)'")
      }
    }
    return EventSchema(
      id: id.map { EventSchema.Field(name: $0.name, aliases: $0.aliases, type: .category) },
      time: map["time"].flatMap(readTime),
      entities: (map.texts("entities") ?? []).map {
        .init(name: $0, type: .category, missing: .category(""))
      },
      values: fields, label: label, lateness: map.duration("lateness") ?? 3_600_000,
      maximumBytes: map.integer("max_bytes", in: 64...(1 << 26)) ?? 1 << 20,
      uniqueWithin: map.integer("unique_within", in: 0...1_000_000_000) ?? 1_000_000)
  }

  /// `name`, or a mapping with `field` and `or`.
  private func readName(_ node: Node, _ what: String) -> (name: String, aliases: [String])? {
    if let name = node.string, !name.isEmpty { return (name, []) }
    guard let map = YAMLMap(node, what, problems) else { return nil }
    map.allow(["field", "or"])
    guard map.required("field") != nil, let name = map.text("field") else { return nil }
    return (name, map.texts("or") ?? [])
  }

  private func readTime(_ node: Node) -> EventSchema.TimeField? {
    if let name = node.string, !name.isEmpty { return EventSchema.TimeField(name: name) }
    guard let map = YAMLMap(node, "'time'", problems) else { return nil }
    map.allow(["field", "or", "unit"])
    guard map.required("field") != nil, let name = map.text("field") else { return nil }
    return EventSchema.TimeField(
      name: name, aliases: map.texts("or") ?? [],
      unit: map.choice("unit", EventTime.Unit.self) ?? .seconds)
  }

  /// `number`, `category`, or a mapping with `type`, `missing` and `or`.
  private func readField(_ name: String, _ node: Node) -> EventSchema.Field? {
    if let word = node.string {
      if let type = FieldType(rawValue: word) { return EventSchema.Field(name: name, type: type) }
      let names = FieldType.allCases.map(\.rawValue)
      problems.add(
        node,
        "field '\(name)' must be one of \(names.joined(separator: ", "))"
          + nearestName(to: word, in: names))
      return nil
    }
    guard let map = YAMLMap(node, "field '\(name)'", problems) else { return nil }
    map.allow(["type", "missing", "or"])
    guard map.required("type") != nil, let type = map.choice("type", FieldType.self) else {
      return nil
    }
    var missing = MissingPolicy.reject
    if let value = map["missing"], value.string != "dead-letter" {
      switch type {
      case .number:
        if let number = map.number("missing") { missing = .number(number) }
      case .category:
        if let text = map.text("missing") { missing = .category(text) }
      }
    }
    return EventSchema.Field(
      name: name, aliases: map.texts("or") ?? [], type: type, missing: missing)
  }

  // MARK: Models

  private func readModels(
    _ node: Node, labelled: Bool, plan: FeaturePlan?
  ) -> [ModelDefinition] {
    guard let list = YAMLMap(node, "'models'", problems) else { return [] }
    if list.keys.isEmpty { problems.add(node, "'models' names no model") }
    return list.keys.compactMap { key, keyNode, value in
      guard let name = nameText(keyNode, "a model's name"),
        let map = YAMLMap(value, "model '\(name)'", problems), map.required("kind") != nil,
        let kind = map.choice("kind", ModelKind.self)
      else { return nil }
      if Replay.reservedNames.contains(name) {
        problems.add(keyNode, "a model cannot be named '\(name)': evaluations use that name")
      }
      let learner = readLearner(kind, map, sparse: plan?.sparseCount)
      if let plan, plan.count > 0, learner.featureCount(of: plan) == 0 {
        problems.add(
          value,
          "model '\(name)' has no feature: 'sparse' ones are for kind logistic-regression; "
            + "'hash' and 'one_hot' make columns for all kinds")
      }
      if learner.isSupervised, !labelled {
        problems.add(value, "model '\(name)' learns from labels, but the file has no 'label'")
      }
      return ModelDefinition(
        name: name, learner: learner, batch: map.integer("batch", in: 1...4096) ?? 256)
    }
  }

  /// - Parameter sparse: how many columns hold hashes; nil where the features are not understood.
  private func readLearner(
    _ kind: ModelKind, _ map: YAMLMap, sparse: Int?
  ) -> LearnerDefinition {
    // The settings themselves know what makes sense; a key is the setting's name in snake case.
    func check(_ options: any LearnerOptions) {
      do { try options.validate() } catch let error as InvalidOption {
        let key = snakeCase(error.option)
        problems.add(map[key] ?? map.node, "'\(key)' must be \(error.requirement)")
      } catch {
        problems.add(map.node, "\(map.name): \(error)")
      }
    }
    func set<Options>(
      _ options: inout Options, _ key: String, _ path: WritableKeyPath<Options, Int>
    ) {
      if let value = map.integer(key) { options[keyPath: path] = value }
    }
    func set<Options>(
      _ options: inout Options, _ key: String, _ path: WritableKeyPath<Options, Double>
    ) {
      if let value = map.number(key) { options[keyPath: path] = value }
    }
    switch kind {
    case .logisticRegression:
      map.allow([
        "kind", "batch", "optimizer", "learning_rate", "l1", "l2", "half_lives", "ridge", "clip",
        "positive_weight", "negative_weight", "hash_bits", "hash_half_life", "hash_ridge",
        "hash_l1",
      ])
      var options = LogisticRegressionOptions()
      if let value = map.choice("optimizer", LogisticRegressionOptions.Optimizer.self) {
        options.optimizer = value
      }
      if let value = map.number("learning_rate") { options.learningRate = value }
      set(&options, "l1", \.l1)
      set(&options, "l2", \.l2)
      if options.optimizer != .newton {
        for key in ["half_lives", "ridge"] where map[key] != nil {
          problems.add(map[key] ?? map.node, "'\(key)' is for optimizer newton")
        }
      }
      if let value = map.numbers("half_lives") { options.halfLives = value }
      set(&options, "ridge", \.ridge)
      set(&options, "clip", \.clip)
      set(&options, "positive_weight", \.positiveWeight)
      set(&options, "negative_weight", \.negativeWeight)
      options.hashed.columns = sparse ?? 0
      for key in map.keys where key.name.hasPrefix("hash_") && sparse == 0 {
        problems.add(key.node, "'\(key.name)' is for 'sparse' features, and there is none")
      }
      set(&options, "hash_bits", \.hashed.bits)
      set(&options, "hash_half_life", \.hashed.halfLife)
      set(&options, "hash_ridge", \.hashed.ridge)
      set(&options, "hash_l1", \.hashed.l1)
      check(options)
      return .logisticRegression(options)
    case .kMeans:
      map.allow(["kind", "batch", "clusters", "half_life"])
      var options = KMeansOptions()
      set(&options, "clusters", \.clusters)
      set(&options, "half_life", \.halfLife)
      check(options)
      return .kMeans(options)
    case .isolationForest:
      map.allow([
        "kind", "batch", "trees", "sample_size", "gain_share", "margin", "reservoir_size",
        "half_life", "replace_every",
      ])
      var options = IsolationForestOptions()
      set(&options, "trees", \.trees)
      set(&options, "sample_size", \.sampleSize)
      set(&options, "gain_share", \.gainShare)
      set(&options, "margin", \.margin)
      set(&options, "reservoir_size", \.reservoirSize)
      set(&options, "half_life", \.halfLife)
      set(&options, "replace_every", \.replaceEvery)
      check(options)
      return .isolationForest(options)
    }
  }

  private func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }

  // MARK: Decisions and publishing

  private func readDecisions(
    _ node: Node, models: [ModelDefinition], schema: EventSchema?
  ) -> DecisionPolicy? {
    guard let map = YAMLMap(node, "'decisions'", problems) else { return nil }
    map.allow(["by", "budget", "thresholds", "cost"])
    let cost = map["cost"].flatMap { readCost($0, schema: schema) }
    let names = models.map(\.name)
    func known(_ name: String, _ node: Node?) {
      guard !names.isEmpty, !names.contains(name) else { return }
      problems.add(node, "there is no model '\(name)'" + nearestName(to: name, in: names))
    }
    guard map.required("by") != nil, let by = map.texts("by") else { return nil }
    for name in by { known(name, map["by"]) }
    switch (map["budget"], map["thresholds"]) {
    case (let budget?, nil):
      guard let parsed = budget.string.flatMap(AlertBudget.init(text:)) else {
        problems.add(budget, "'budget' must be like '100 a day' or '0.1 %'")
        return nil
      }
      return DecisionPolicy(by: by, limit: .budget(parsed), cost: cost)
    case (nil, let thresholds?):
      guard let list = YAMLMap(thresholds, "'thresholds'", problems) else { return nil }
      var values: [String: Float] = [:]
      for key in list.keys {
        known(key.name, key.node)
        if let value = list.number(key.name) { values[key.name] = Float(value) }
      }
      for name in names where list[name] == nil {
        problems.add(thresholds, "'thresholds' has no number for model '\(name)'")
      }
      return DecisionPolicy(by: by, limit: .thresholds(values), cost: cost)
    default:
      problems.add(node, "'decisions' needs either 'budget' or 'thresholds'")
      return nil
    }
  }

  private func readCost(_ node: Node, schema: EventSchema?) -> CostPolicy? {
    guard let map = YAMLMap(node, "'cost'", problems) else { return nil }
    map.allow(["alert", "missed", "caught"])
    let fields = schema?.values.filter { $0.type == .number }.map(\.name) ?? []
    func amount(_ key: String) -> CostPolicy.Amount? {
      guard let text = map[key]?.string else { return nil }
      if Double(text) != nil { return map.number(key).map { .number($0) } }
      if fields.contains(text) { return .field(text) }
      problems.add(
        map[key], "'\(key)' must be a number or a number field" + nearestName(to: text, in: fields))
      return nil
    }
    guard map.required("alert") != nil, let alert = map.number("alert"),
      map.required("missed") != nil, let missed = amount("missed")
    else { return nil }
    return CostPolicy(alert: alert, missed: missed, caught: amount("caught") ?? .number(0))
  }

  private func readPublishing(_ node: Node?) -> Publishing {
    let map = node.flatMap { YAMLMap($0, "'publish'", problems) }
    map?.allow(["every", "interval", "snapshot_every", "guards"])
    return Publishing(
      every: map?.integer("every", in: 1...1_000_000_000) ?? 5000,
      interval: map?.duration("interval"),
      snapshotEvery: map?.integer("snapshot_every", in: 1...100_000) ?? 20,
      guards: readGuards(map?["guards"]))
  }

  /// `off`, or a mapping with the bounds.
  private func readGuards(_ node: Node?) -> Guards? {
    var guards = Guards()
    if let node, node.string == "off" { return nil }
    guard let map = node.flatMap({ YAMLMap($0, "'guards'", problems) }) else { return guards }
    map.allow(["figure_drop", "log_loss_rise", "alert_rate_factor", "alert_rate_floor"])
    func set(
      _ key: String, _ path: WritableKeyPath<Guards, Double>, above least: Double,
      upTo most: Double, _ requirement: String
    ) {
      guard let value = map.number(key) else { return }
      if value > least, value <= most {
        guards[keyPath: path] = value
      } else {
        problems.add(map[key], "'\(key)' must be \(requirement)")
      }
    }
    set("figure_drop", \.figureDrop, above: 0, upTo: 1, "above 0 and at most 1")
    set("log_loss_rise", \.logLossRise, above: 0, upTo: 20, "above 0 and at most 20")
    set("alert_rate_factor", \.alertRateFactor, above: 1, upTo: 1e6, "above 1 and at most 1e6")
    set("alert_rate_floor", \.alertRateFloor, above: 0, upTo: 1, "above 0 and at most 1")
    return guards
  }
}

extension AlertBudget {
  /// Reads `100 a day`, `100/day`, `0.1 %` or `0.1%`.
  init?(text: String) {
    let words = text.replacing("/", with: " ").replacing("%", with: " %").split(separator: " ")
    if words.count >= 2, words.last == "day",
      words.count == 2 || words[1] == "a" || words[1] == "per",
      let count = Int(words[0]), count > 0
    {
      self = .perDay(count)
    } else if words.count == 2, words[1] == "%", let percent = Double(words[0]), percent > 0,
      percent < 100
    {
      self = .share(percent / 100)
    } else {
      return nil
    }
  }
}
