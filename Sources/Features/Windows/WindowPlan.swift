/// The windows of a pipeline's features, bound to the columns of its events. Windows of the same
/// entity and condition share what is kept of the events.
struct WindowPlan: Sendable {
  /// What tells entities or categories apart: a field that is hashed.
  enum Key: Equatable {
    /// Index of an entity field.
    case entity(Int)
    /// Index of a category field.
    case category(Int)
  }

  /// A condition bound to a column.
  enum Test: Sendable {
    case number(Int, WindowFeature.Condition.Comparison, Double)
    case key(Int, isEqual: Bool, UInt64)
  }

  /// The windows over one kind of entity.
  final class Group: Sendable {
    /// Indices of the keys that make the entity.
    let entity: [Int]
    let test: Test?
    /// Number fields that are kept.
    let numbers: [Int]
    /// Keys whose different values are counted.
    let distinct: [Int]
    let layout: WindowLayout
    /// Columns of the plan, where their figures begin among the results, and how far back they reach.
    let outputs: [(column: Int, base: Int, output: Output, reach: Int64)]

    init(
      entity: [Int], test: Test?, numbers: [Int], distinct: [Int], layout: WindowLayout,
      outputs: [(column: Int, base: Int, output: Output, reach: Int64)]
    ) {
      self.entity = entity
      self.test = test
      self.numbers = numbers
      self.distinct = distinct
      self.layout = layout
      self.outputs = outputs
    }
  }

  /// What a column is of a frame's figures.
  enum Output: Sendable {
    case count
    case sum(Int)
    case mean(Int)
    case deviation(Int)
    case least(Int)
    case largest(Int)
    case distinct(Int)
    case sinceLast
    case positives
    case positiveRate
  }

  /// One column of one window.
  struct Column {
    var group: Int
    var frame: Int
    var output: Output
    var span: Int64
  }

  let keys: [Key]
  let groups: [Group]
  /// In the order of the features.
  let columns: [Column]
  let hash: EntityHash
  /// Whether windows ask for labels.
  var usesLabels: Bool { groups.contains { $0.layout.shape.hasLabels } }

  /// No windows.
  static let none = WindowPlan()

  private init() {
    (keys, groups, columns) = ([], [], [])
    hash = EntityHash()
  }

  /// - Parameter features: each with its position in the list of definitions.
  init(
    _ features: [(position: Int, feature: WindowFeature)], schema: EventSchema,
    settings: WindowSettings
  ) throws(FeatureError) {
    hash = EntityHash()
    var builder = Builder(schema: schema, hash: hash)
    var problems: [FeatureError.Problem] = []
    for (position, feature) in features {
      do throws(FeatureError) { try builder.add(feature, position) } catch {
        problems += error.problems
      }
    }
    if !problems.isEmpty { throw FeatureError(problems) }
    keys = builder.keys
    let columns = builder.columns
    self.columns = columns
    groups = builder.drafts.enumerated().map { number, draft in
      let layout = WindowLayout(
        frames: draft.frames, values: draft.numbers.map(\.value), hasLabels: draft.hasLabels,
        distinctCount: draft.distinct.count, lateness: schema.lateness,
        largestRing: settings.largestRing)
      return Group(
        entity: draft.entity, test: draft.test, numbers: draft.numbers.map(\.field),
        distinct: draft.distinct, layout: layout,
        outputs: columns.indices.filter { columns[$0].group == number }.map {
          (
            $0, layout.shape.result(frame: columns[$0].frame), columns[$0].output,
            columns[$0].span + draft.frames[columns[$0].frame].delay
          )
        })
    }
  }

  /// What each kind of entity costs; entities and events at the most, as tables may be half empty.
  func costs(_ schema: EventSchema) -> [WindowMemory.Cost] {
    groups.map { group in
      let layout = group.layout.shape
      return WindowMemory.Cost(
        entity: group.entity.map { index in
          switch keys[index] {
          case .entity(let field): schema.entities[field].name
          case .category(let field): schema.values.filter { $0.type == .category }[field].name
          }
        },
        bytesPerEntity: layout.recordWords * 8 + HashIndex.bytesPerKey
          + Int(EntityShard.firstRing) * layout.entryWords * 8,
        bytesPerEvent: layout.entryWords * 32 + layout.distinctCount * HashIndex.bytesPerKey
          + (layout.hasLabels ? LabelledEvents.byteCount(groups: groups.count) : 0),
        horizon: layout.horizon, eventsPerEntity: Int(layout.largestRing))
    }
  }

  private struct Draft {
    var entity: [Int]
    var condition: WindowFeature.Condition?
    var test: Test?
    var frames: [WindowShape.Frame] = []
    var numbers: [(field: Int, value: WindowShape.Value)] = []
    var distinct: [Int] = []
    var hasLabels = false
  }

  private struct Builder {
    let schema: EventSchema
    let hash: EntityHash
    let numbers: [String]
    let categories: [String]
    let entities: [String]
    var keys: [Key] = []
    var drafts: [Draft] = []
    var columns: [Column] = []

    init(schema: EventSchema, hash: EntityHash) {
      self.schema = schema
      self.hash = hash
      numbers = schema.values.filter { $0.type == .number }.map(\.name)
      categories = schema.values.filter { $0.type == .category }.map(\.name)
      entities = schema.entities.map(\.name)
    }

    mutating func add(_ feature: WindowFeature, _ position: Int) throws(FeatureError) {
      func fail(_ description: String) -> FeatureError {
        FeatureError(feature: position, description: description)
      }
      var entity: [Int] = []
      for name in feature.entity {
        guard let found = entities.firstIndex(of: name) else {
          throw fail("there is no entity '\(name)'" + nearestName(to: name, in: entities))
        }
        entity.append(index(of: .entity(found)))
      }
      guard !entity.isEmpty else { throw fail("a window needs an entity") }
      guard !feature.spans.isEmpty, feature.spans.allSatisfy({ $0 > 0 }), feature.delay >= 0 else {
        throw fail("a window needs a length above 0")
      }
      let draft = try draft(entity, feature.condition, fail)
      func number(_ name: String, _ change: (inout WindowShape.Value) -> Void = { _ in })
        throws(FeatureError) -> Int
      {
        guard let field = numbers.firstIndex(of: name) else {
          let isOther = categories.contains(name) || entities.contains(name)
          throw fail(
            isOther
              ? "'\(name)' is not a number"
              : "there is no field '\(name)'" + nearestName(to: name, in: numbers))
        }
        let at =
          drafts[draft].numbers.firstIndex { $0.field == field } ?? drafts[draft].numbers.count
        if at == drafts[draft].numbers.count {
          drafts[draft].numbers.append((field, WindowShape.Value()))
        }
        change(&drafts[draft].numbers[at].value)
        return at
      }
      let output: Output
      switch feature.figure {
      case .count: output = .count
      case .sum(let name): output = .sum(try number(name))
      case .mean(let name): output = .mean(try number(name))
      case .deviation(let name): output = .deviation(try number(name) { $0.hasSquares = true })
      case .least(let name): output = .least(try number(name) { $0.hasExtremes = true })
      case .largest(let name): output = .largest(try number(name) { $0.hasExtremes = true })
      case .distinct(let name):
        let field = try key(name, fail)
        let at = drafts[draft].distinct.firstIndex(of: field) ?? drafts[draft].distinct.count
        if at == drafts[draft].distinct.count { drafts[draft].distinct.append(field) }
        output = .distinct(at)
      case .sinceLast: output = .sinceLast
      case .positives, .positiveRate:
        guard schema.label != nil else { throw fail("there are no labels in the file") }
        drafts[draft].hasLabels = true
        output = feature.figure == .positives ? .positives : .positiveRate
      }
      // The time since the last event would be 0 if the current one counted.
      var current = feature.countsCurrent && feature.delay == 0
      if case .sinceLast = output { current = false }
      for span in feature.spans {
        let frame = WindowShape.Frame(span: span, delay: feature.delay, countsCurrent: current)
        let at = drafts[draft].frames.firstIndex(of: frame) ?? drafts[draft].frames.count
        if at == drafts[draft].frames.count { drafts[draft].frames.append(frame) }
        columns.append(Column(group: draft, frame: at, output: output, span: span))
      }
    }

    private mutating func index(of key: Key) -> Int {
      if let known = keys.firstIndex(of: key) { return known }
      keys.append(key)
      return keys.count - 1
    }

    private mutating func key(
      _ name: String, _ fail: (String) -> FeatureError
    ) throws(FeatureError) -> Int {
      if let field = categories.firstIndex(of: name) { return index(of: .category(field)) }
      if let field = entities.firstIndex(of: name) { return index(of: .entity(field)) }
      throw fail(
        numbers.contains(name)
          ? "'\(name)' is not a category or an entity"
          : "there is no field '\(name)'" + nearestName(to: name, in: categories + entities))
    }

    private mutating func draft(
      _ entity: [Int], _ condition: WindowFeature.Condition?, _ fail: (String) -> FeatureError
    ) throws(FeatureError) -> Int {
      if let known = drafts.firstIndex(where: { $0.entity == entity && $0.condition == condition })
      {
        return known
      }
      var draft = Draft(entity: entity, condition: condition)
      if let condition {
        if let field = numbers.firstIndex(of: condition.field) {
          guard let constant = Double(condition.constant), constant.isFinite else {
            throw fail(
              "'\(condition.constant)' is not a number to compare '\(condition.field)' with")
          }
          draft.test = .number(field, condition.comparison, constant)
        } else {
          let key = try key(condition.field, fail)
          guard [.equal, .unequal].contains(condition.comparison) else {
            throw fail("'\(condition.field)' is no number: compare it by = or !=")
          }
          draft.test = .key(
            key, isEqual: condition.comparison == .equal,
            hash.hash(Array(condition.constant.utf8)[...]))
        }
      }
      drafts.append(draft)
      return drafts.count - 1
    }
  }
}

/// How much windows may keep.
public struct WindowSettings: Sendable, Equatable {
  /// The most entities of a kind; the ones seen longest ago are forgotten.
  public var entities: Int
  /// The most events kept of one entity, rounded up to a power of two; the oldest ones go.
  public var eventsPerEntity: Int

  /// Settings, each with its default.
  public init(entities: Int = 10_000_000, eventsPerEntity: Int = 1 << 17) {
    precondition(entities > 0 && (4...1 << 30).contains(eventsPerEntity), "bounds above 0")
    self.entities = entities
    self.eventsPerEntity = eventsPerEntity
  }

  var largestRing: UInt32 {
    UInt32(1) << UInt32(Int.bitWidth - (eventsPerEntity - 1).leadingZeroBitCount)
  }
}
