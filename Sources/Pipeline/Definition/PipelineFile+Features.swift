import Features
import Yams

/// The sections `features` and `windows`.
extension PipelineFileReader {
  func readFeatures(_ node: Node) -> [(definition: FeatureDefinition, node: Node)] {
    guard let sequence = node.sequence, !sequence.isEmpty else {
      problems.add(node, "'features' must be a list")
      return []
    }
    return sequence.compactMap { item in
      guard let map = YAMLMap(item, "a feature", problems) else { return nil }
      guard let operation = readOperation(map) else { return nil }
      return (
        FeatureDefinition(
          operation, name: map.text("name"), isInput: map.truth("input") ?? true), item
      )
    }
  }

  private static let figures = [
    "count", "sum", "mean", "std", "min", "max", "distinct", "since_last", "rate",
  ]
  private static let kinds =
    [
      "number", "log", "sqrt", "difference", "ratio", "bins", "time", "one_hot", "hash", "sparse",
      "missing",
    ]
    + figures

  private func readOperation(_ map: YAMLMap) -> FeatureDefinition.Operation? {
    let kinds = Self.kinds
    guard let kind = map.keys.first(where: { kinds.contains($0.name) })?.name else {
      let first = map.keys.first { !["name", "input"].contains($0.name) }
      problems.add(
        map.node,
        "a feature needs one of \(kinds.joined(separator: ", "))"
          + nearestName(to: first?.name ?? "", in: kinds))
      return nil
    }
    if Self.figures.contains(kind) { return readWindow(kind, map) }
    let options = [
      "one_hot": ["categories"], "hash": ["buckets"], "time": ["through"], "bins": ["count"],
    ]
    map.allow([kind, "name", "input"] + (options[kind] ?? []))
    switch kind {
    case "difference", "ratio":
      guard let pair = map.texts(kind) else { return nil }
      guard pair.count == 2 else {
        problems.add(map[kind], "'\(kind)' takes two fields: [a, b]")
        return nil
      }
      return kind == "ratio" ? .ratio(pair[0], pair[1]) : .difference(pair[0], pair[1])
    case "sparse": return map.texts(kind).map { .sparse($0) }
    case "time": return readTimeOperation(map)
    default: break
    }
    guard let field = map.text(kind) else { return nil }
    switch kind {
    case "number": return .number(field)
    case "log": return .log(field)
    case "sqrt": return .squareRoot(field)
    case "bins": return .bins(field, count: map.integer("count", in: 2...256) ?? 16)
    case "missing": return .isMissing(field)
    case "one_hot":
      guard map.required("categories") != nil, let list = map.texts("categories") else {
        return nil
      }
      return .oneHot(field, categories: list)
    default:
      return .hashed(field, buckets: map.integer("buckets", in: 2...4096) ?? 32)
    }
  }

  private func readTimeOperation(_ map: YAMLMap) -> FeatureDefinition.Operation? {
    let parts = ["hour", "weekday", "night", "weekend"]
    guard let part = map.text("time") else { return nil }
    if part != "night", let through = map["through"] {
      problems.add(through, "'through' belongs to 'time: night'")
    }
    switch part {
    case "hour": return .hour
    case "weekday": return .weekday
    case "night": return .night(throughHour: map.integer("through", in: 0...23) ?? 6)
    case "weekend": return .weekend
    default:
      problems.add(
        map["time"],
        "'time' must be one of \(parts.joined(separator: ", "))" + nearestName(to: part, in: parts))
      return nil
    }
  }

  // MARK: Windows

  private func readWindow(_ kind: String, _ map: YAMLMap) -> FeatureDefinition.Operation? {
    // `count` and `since_last` are of the entity itself, the others of a field.
    let isOfEntity = kind == "count" || kind == "since_last"
    map.allow(
      [kind, "over", "delay", "where", "name", "input"] + (isOfEntity ? [] : ["by"])
        + (kind == "since_last" ? [] : ["current"]))
    let entity = isOfEntity ? map.texts(kind) : map.required("by").flatMap { _ in map.texts("by") }
    guard let entity, let spans = readSpans(map) else { return nil }
    let figure: WindowFeature.Figure
    switch kind {
    case "count": figure = .count
    case "since_last": figure = .sinceLast
    default:
      guard let field = map.text(kind) else { return nil }
      switch (kind, field) {
      case ("rate", "label"): figure = .positiveRate
      case ("rate", _):
        problems.add(map[kind], "'rate' is of the label: 'rate: label'")
        return nil
      case ("sum", "label"): figure = .positives
      case ("sum", _): figure = .sum(field)
      case ("mean", _): figure = .mean(field)
      case ("std", _): figure = .deviation(field)
      case ("min", _): figure = .least(field)
      case ("max", _): figure = .largest(field)
      default: figure = .distinct(field)
      }
    }
    var condition: WindowFeature.Condition?
    if let text = map.text("where") {
      condition = WindowFeature.Condition(text)
      if condition == nil {
        problems.add(map["where"], "'where' must be like 'amount > 100' or 'channel = web'")
      }
    }
    let delay = map.duration("delay") ?? 0
    if delay > 0, map["current"] != nil {
      problems.add(map["current"], "windows with a 'delay' never count the current event")
    }
    return .window(
      WindowFeature(
        figure, entity: entity, spans: spans, delay: delay, condition: condition,
        countsCurrent: map.choice("current", CurrentEvent.self) != .left))
  }

  /// Whether an event counts in its own windows.
  private enum CurrentEvent: String, CaseIterable {
    case counted
    case left = "left-out"
  }

  private func readSpans(_ map: YAMLMap) -> [Int64]? {
    guard map.required("over") != nil, let texts = map.texts("over") else { return nil }
    let spans = texts.compactMap { DurationText.parse($0).flatMap { $0 > 0 ? $0 : nil } }
    if spans.count == texts.count, Set(spans).count == spans.count { return spans }
    problems.add(
      map["over"], "'over' must be lengths of time above 0, each once, such as [1d, 7d, 30d]")
    return nil
  }

  func readWindows(_ node: Node?) -> WindowSettings {
    var settings = WindowSettings()
    guard let map = node.flatMap({ YAMLMap($0, "'windows'", problems) }) else { return settings }
    map.allow(["entities", "events_per_entity"])
    if let count = map.integer("entities", in: 1000...1_000_000_000) { settings.entities = count }
    if let count = map.integer("events_per_entity", in: 16...1 << 24) {
      settings.eventsPerEntity = count
    }
    return settings
  }
}

extension EventSchema {
  /// An event without an entity that windows are kept by is refused.
  mutating func requireEntities(of feature: FeatureDefinition) {
    guard case .window(let window) = feature.operation else { return }
    for index in entities.indices where window.entity.contains(entities[index].name) {
      entities[index].missing = .reject
    }
  }
}
